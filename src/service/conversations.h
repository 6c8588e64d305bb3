// An owner's conversations: kept, searched, renamed, branched, deleted. What is said in them comes
// from ConversationAnswers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "service/kept_conversation.h"
#include "storage/database.h"

namespace heddle::service {

struct ConversationLimits {
    std::int64_t conversations_max = 20'000;  // of one owner
    std::int64_t messages_max = 50'000;       // of one conversation
    std::size_t title_bytes_max = 200;
    std::size_t settings_bytes_max = std::size_t{16} << 10;
};

// Thread-safe. Every call takes the owner; another owner's conversation is kNotFound.
class Conversations {
public:
    // Brings the tables up to date and marks what an ended server has left unfinished. Blocks.
    // `database` outlives it.
    static Result<std::unique_ptr<Conversations>> open(storage::Database& database,
                                                       ConversationLimits limits);

    // An empty title is made from the first question. kConflict at the owner's limit.
    async::Task<Result<ConversationInfo>> create(std::string owner, std::string title,
                                                 std::string settings);
    // Most recently used first.
    async::Task<Result<std::vector<ConversationInfo>>> list(std::string owner,
                                                            ConversationQuery query);
    async::Task<Result<ConversationInfo>> get(std::string owner, std::string id);
    async::Task<Result<ConversationInfo>> change(std::string owner, std::string id,
                                                 ConversationChange change);
    // With its messages.
    async::Task<Result<>> remove(std::string owner, std::string id);
    // A new conversation that holds the path to this message.
    async::Task<Result<ConversationInfo>> branch(std::string owner, std::string id,
                                                 std::string message);
    // The shown path from its end, or from the message before `before`.
    async::Task<Result<MessagePage>> messages(std::string owner, std::string id, std::string before,
                                              std::size_t limit);
    // One message, with sources and siblings.
    async::Task<Result<MessageInfo>> message(std::string owner, std::string id,
                                             std::string message);

    [[nodiscard]] storage::Database& database() { return database_; }
    [[nodiscard]] const ConversationLimits& limits() const { return limits_; }

private:
    Conversations(storage::Database& database, ConversationLimits limits)
        : database_(database), limits_(limits) {}

    storage::Database& database_;
    const ConversationLimits limits_;
};

// What a conversation is called after its first question: the first line, shortened.
[[nodiscard]] std::string title_from(std::string_view question);

}  // namespace heddle::service
