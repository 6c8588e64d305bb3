#include "service/conversations.h"

#include <fmt/format.h>

#include <utility>

#include "base/ids.h"
#include "base/log.h"
#include "service/conversation_rows.h"

namespace heddle::service {
namespace {

constexpr std::size_t kTitleBytes = 72;
constexpr std::size_t kPathMax = 100'000;

Result<> check_bytes(std::string_view field, const std::string& value, std::size_t bytes_max) {
    if (value.size() <= bytes_max) return {};
    return fail(Error(ErrorCode::kInvalidArgument,
                      fmt::format("{} must have at most {} bytes", field, bytes_max))
                    .with_param(std::string(field)));
}

}  // namespace

std::string title_from(std::string_view question) {
    const std::size_t begin = question.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return "…";
    question.remove_prefix(begin);
    question = question.substr(0, question.find_first_of("\r\n"));
    if (question.size() <= kTitleBytes) return std::string(question);
    std::size_t end = question.rfind(' ', kTitleBytes);
    // Writing without spaces is cut between characters.
    if (end == std::string_view::npos || end < kTitleBytes / 2) end = kTitleBytes;
    while (end > 0 && (static_cast<unsigned char>(question[end]) & 0xC0) == 0x80) --end;
    return std::string(question.substr(0, end)) + "…";
}

Result<std::unique_ptr<Conversations>> Conversations::open(storage::Database& database,
                                                           ConversationLimits limits) {
    HEDDLE_TRY_VOID(database.migrate(conversation_schema()));
    HEDDLE_TRY(const std::int64_t interrupted, database.write_blocking(mark_interrupted));
    if (interrupted > 0) {
        log::info("service", "answers were cut off by the end of the server",
                  {{"answers", interrupted}});
    }
    return std::unique_ptr<Conversations>(new Conversations(database, limits));
}

async::Task<Result<ConversationInfo>> Conversations::create(std::string owner, std::string title,
                                                            std::string settings) {
    HEDDLE_CO_TRY_VOID(check_bytes("title", title, limits_.title_bytes_max));
    HEDDLE_CO_TRY_VOID(check_bytes("settings", settings, limits_.settings_bytes_max));
    ConversationInfo made;
    made.id = new_id();
    made.title = std::move(title);
    made.settings = std::move(settings);
    const auto insert = [&](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY(const std::int64_t kept, count_conversations(tx, owner));
        if (kept >= limits_.conversations_max)
            return fail(ErrorCode::kConflict, "there are too many conversations: delete some");
        HEDDLE_TRY(made.created_ms, tx.now_ms());
        made.updated_ms = made.created_ms;
        return insert_conversation(tx, owner, made);
    };
    HEDDLE_CO_TRY_VOID(co_await database_.write(insert));
    co_return made;
}

async::Task<Result<std::vector<ConversationInfo>>> Conversations::list(std::string owner,
                                                                       ConversationQuery query) {
    const auto read = [&](storage::Session& db) { return list_conversations(db, owner, query); };
    co_return co_await database_.read(read);
}

async::Task<Result<ConversationInfo>> Conversations::get(std::string owner, std::string id) {
    const auto read = [&](storage::Session& db) { return get_conversation(db, owner, id); };
    co_return co_await database_.read(read);
}

async::Task<Result<ConversationInfo>> Conversations::change(std::string owner, std::string id,
                                                            ConversationChange change) {
    if (change.title) {
        HEDDLE_CO_TRY_VOID(check_bytes("title", *change.title, limits_.title_bytes_max));
    }
    if (change.settings) {
        HEDDLE_CO_TRY_VOID(check_bytes("settings", *change.settings, limits_.settings_bytes_max));
    }
    const auto write = [&](storage::Transaction& tx) -> Result<ConversationInfo> {
        HEDDLE_TRY_VOID(get_conversation(tx, owner, id));
        if (change.title) HEDDLE_TRY_VOID(set_title(tx, id, *change.title));
        if (change.settings) HEDDLE_TRY_VOID(set_settings(tx, id, *change.settings));
        if (change.head) {
            HEDDLE_TRY_VOID(get_message(tx, id, *change.head));
            HEDDLE_TRY(const std::string leaf, newest_leaf(tx, id, *change.head));
            HEDDLE_TRY_VOID(set_head(tx, id, leaf));
        }
        return get_conversation(tx, owner, id);
    };
    co_return co_await database_.write(write);
}

async::Task<Result<>> Conversations::remove(std::string owner, std::string id) {
    const auto erase = [&](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(get_conversation(tx, owner, id));
        return delete_conversation(tx, id);
    };
    co_return co_await database_.write(erase);
}

async::Task<Result<ConversationInfo>> Conversations::branch(std::string owner, std::string id,
                                                            std::string message) {
    const auto copy = [&](storage::Transaction& tx) -> Result<ConversationInfo> {
        HEDDLE_TRY(const ConversationInfo original, get_conversation(tx, owner, id));
        HEDDLE_TRY_VOID(get_message(tx, id, message));
        HEDDLE_TRY(auto path, path_to(tx, id, message, kPathMax));
        ConversationInfo made = original;
        made.id = new_id();
        HEDDLE_TRY(made.created_ms, tx.now_ms());
        made.updated_ms = made.created_ms;
        std::string parent;
        for (MessageInfo& one : path) {
            one.id = new_id();
            one.parent = std::exchange(parent, one.id);
            // What is still being written goes on in the conversation where it was asked.
            if (one.state == MessageState::kRunning) one.state = MessageState::kStopped;
            HEDDLE_TRY_VOID(insert_message(tx, made.id, one));
        }
        made.head = parent;
        HEDDLE_TRY_VOID(insert_conversation(tx, owner, made));
        return get_conversation(tx, owner, made.id);
    };
    co_return co_await database_.write(copy);
}

async::Task<Result<MessagePage>> Conversations::messages(std::string owner, std::string id,
                                                         std::string before, std::size_t limit) {
    const auto read = [&](storage::Session& db) -> Result<MessagePage> {
        HEDDLE_TRY(const ConversationInfo conversation, get_conversation(db, owner, id));
        std::string last = conversation.head;
        if (!before.empty()) {
            HEDDLE_TRY(const MessageInfo known, get_message(db, id, before));
            last = known.parent;
        }
        MessagePage page;
        HEDDLE_TRY(page.messages, path_to(db, id, last, limit));
        page.more = !page.messages.empty() && !page.messages.front().parent.empty();
        return page;
    };
    co_return co_await database_.read(read);
}

async::Task<Result<MessageInfo>> Conversations::message(std::string owner, std::string id,
                                                        std::string message) {
    const auto read = [&](storage::Session& db) -> Result<MessageInfo> {
        HEDDLE_TRY_VOID(get_conversation(db, owner, id));
        HEDDLE_TRY(auto path, path_to(db, id, message, 1));
        if (path.empty()) return fail(ErrorCode::kNotFound, "there is no such message");
        return std::move(path.front());
    };
    co_return co_await database_.read(read);
}

}  // namespace heddle::service
