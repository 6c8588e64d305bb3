// Conversations and messages as rows. Functions of a transaction; every one takes the owner or an
// id that was found through the owner.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/kept_conversation.h"
#include "storage/migrations.h"
#include "storage/session.h"

namespace heddle::service {

[[nodiscard]] const storage::Schema& conversation_schema();

Result<> insert_conversation(storage::Transaction& tx, std::string_view owner,
                             const ConversationInfo& conversation);
// kNotFound for another owner's, as for one that does not exist.
Result<ConversationInfo> get_conversation(storage::Session& session, std::string_view owner,
                                          std::string_view id);
// Most recently used first.
Result<std::vector<ConversationInfo>> list_conversations(storage::Session& session,
                                                         std::string_view owner,
                                                         const ConversationQuery& query);
Result<> set_title(storage::Transaction& tx, std::string_view id, std::string_view title);
Result<> set_settings(storage::Transaction& tx, std::string_view id, std::string_view settings);
// Also marks the conversation as used now.
Result<> set_head(storage::Transaction& tx, std::string_view id, std::string_view head);
Result<> delete_conversation(storage::Transaction& tx, std::string_view id);
Result<std::int64_t> count_conversations(storage::Session& session, std::string_view owner);

Result<> insert_message(storage::Transaction& tx, std::string_view conversation,
                        const MessageInfo& message);
// Content, state, figures and model of a message; false when it has been deleted meanwhile.
Result<bool> update_message(storage::Transaction& tx, const MessageInfo& message);
Result<> replace_sources(storage::Transaction& tx, const MessageInfo& message);
// With sources, without siblings. kNotFound when it is not in that conversation.
Result<MessageInfo> get_message(storage::Session& session, std::string_view conversation,
                                std::string_view id);
// The message and those before it, oldest first, at most `limit`. With sources and siblings.
Result<std::vector<MessageInfo>> path_to(storage::Session& session, std::string_view conversation,
                                         std::string_view id, std::size_t limit);
// Follows the newest child of each message, down to the end of its path.
Result<std::string> newest_leaf(storage::Session& session, std::string_view conversation,
                                std::string_view id);
// Answers that a server which ended has left unfinished.
Result<std::int64_t> mark_interrupted(storage::Transaction& tx);

}  // namespace heddle::service
