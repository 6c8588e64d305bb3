#include "service/conversation_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <utility>

namespace heddle::service {
namespace {

using storage::Row;
using storage::Session;
using storage::Transaction;

constexpr std::array<std::string_view, 5> kStates = {"done", "running", "stopped", "failed",
                                                     "interrupted"};
constexpr std::size_t kSnippetBytesBefore = 40;
constexpr std::size_t kSnippetBytesAfter = 100;
constexpr std::size_t kLeafStepsMax = 100'000;

constexpr std::string_view kConversation =
    "c.id, c.title, c.head, c.settings, c.created_ms, c.updated_ms, "
    "(SELECT COUNT(*) FROM conversation_messages n WHERE n.conversation = c.id)";

constexpr std::string_view kMessage =
    "m.id, m.parent, m.role, m.content, m.state, m.model, m.finish_reason, m.error, "
    "m.prompt_tokens, m.completion_tokens, m.first_token_ms, m.duration_ms, m.created_ms";

Role role_of(std::string_view name) {
    for (const Role role : {Role::kUser, Role::kAssistant, Role::kTool})
        if (to_string(role) == name) return role;
    return Role::kSystem;
}

MessageState state_of(std::string_view name) {
    const auto found = std::find(kStates.begin(), kStates.end(), name);
    return found == kStates.end() ? MessageState::kDone
                                  : static_cast<MessageState>(found - kStates.begin());
}

ConversationInfo read_conversation(const Row& row) {
    ConversationInfo info;
    info.id = row.string(0);
    info.title = row.string(1);
    info.head = row.string(2);
    info.settings = row.string(3);
    info.created_ms = row.integer(4);
    info.updated_ms = row.integer(5);
    info.messages = static_cast<std::uint64_t>(row.integer(6));
    return info;
}

MessageInfo read_message(const Row& row) {
    MessageInfo info;
    info.id = row.string(0);
    info.parent = row.string(1);
    info.role = role_of(row.text(2));
    info.content = row.string(3);
    info.state = state_of(row.text(4));
    info.model = row.string(5);
    info.finish_reason = row.string(6);
    info.error = row.string(7);
    info.usage.prompt_tokens = static_cast<std::uint64_t>(row.integer(8));
    info.usage.completion_tokens = static_cast<std::uint64_t>(row.integer(9));
    info.first_token_ms = row.integer(10);
    info.duration_ms = row.integer(11);
    info.created_ms = row.integer(12);
    return info;
}

std::optional<std::uint32_t> page_at(const Row& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return static_cast<std::uint32_t>(row.integer(column));
}

Source read_source(const Row& row) {
    Source source;
    source.n = static_cast<int>(row.integer(0));
    source.kind = row.text(1) == "web" ? SourceKind::kWeb : SourceKind::kDocument;
    source.title = row.string(2);
    source.document = row.string(3);
    source.url = row.string(4);
    source.page = page_at(row, 5);
    source.page_end = page_at(row, 6);
    if (!row.is_null(7)) source.score = row.real(7);
    source.snippet = row.string(8);
    source.retrieved_ms = row.optional_integer(9);
    source.chunk = row.string(10);
    source.error = row.string(11);
    return source;
}

Result<> add_sources(Session& session, std::vector<MessageInfo>& messages) {
    for (MessageInfo& message : messages) {
        if (message.role != Role::kAssistant) continue;
        HEDDLE_TRY(message.sources,
                   session.select("SELECT n, kind, title, document, url, page, page_end, score, "
                                  "snippet, retrieved_ms, chunk, error FROM message_sources "
                                  "WHERE message = ? ORDER BY position",
                                  read_source, message.id));
    }
    return {};
}

Result<> add_siblings(Session& session, std::string_view conversation,
                      std::vector<MessageInfo>& messages) {
    const auto read_id = [](const Row& row) { return row.string(0); };
    for (MessageInfo& message : messages) {
        HEDDLE_TRY(message.siblings,
                   session.select("SELECT id FROM conversation_messages WHERE conversation = ? "
                                  "AND parent = ? ORDER BY id",
                                  read_id, conversation, message.parent));
    }
    return {};
}

// A pattern for LIKE that finds the text anywhere, taken literally.
std::string pattern_of(std::string_view text) {
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

std::string_view like(const Session& session) {
    return session.dialect() == storage::Dialect::kPostgres ? "ILIKE ? ESCAPE '\\'"
                                                            : "LIKE ? ESCAPE '\\'";
}

bool is_inside_character(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// The words with some text around them, on one line.
std::string snippet_of(const std::string& content, std::string_view words) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    };
    const auto found =
        std::search(content.begin(), content.end(), words.begin(), words.end(), same);
    const auto at = found == content.end() ? 0 : static_cast<std::size_t>(found - content.begin());
    std::size_t begin = at > kSnippetBytesBefore ? at - kSnippetBytesBefore : 0;
    std::size_t end = std::min(content.size(), at + words.size() + kSnippetBytesAfter);
    while (begin > 0 && is_inside_character(content, begin)) --begin;
    while (is_inside_character(content, end)) ++end;
    std::string snippet = content.substr(begin, end - begin);
    std::replace(snippet.begin(), snippet.end(), '\n', ' ');
    return (begin > 0 ? "…" : "") + snippet + (end < content.size() ? "…" : "");
}

Result<> add_hits(Session& session, std::string_view words,
                  std::vector<ConversationInfo>& conversations) {
    const std::string pattern = pattern_of(words);
    const auto read = [](const Row& row) { return std::pair(row.string(0), row.string(1)); };
    const std::string sql = fmt::format(
        "SELECT id, content FROM conversation_messages WHERE conversation = ? AND content {} "
        "ORDER BY id DESC LIMIT 1",
        like(session));
    for (ConversationInfo& conversation : conversations) {
        HEDDLE_TRY(const auto hit, session.first(sql, read, conversation.id, pattern));
        if (!hit) continue;
        conversation.hit = hit->first;
        conversation.snippet = snippet_of(hit->second, words);
    }
    return {};
}

}  // namespace

std::string_view to_string(MessageState state) {
    return kStates[static_cast<std::size_t>(state)];
}

const storage::Schema& conversation_schema() {
    static const storage::Schema schema{.room = "conversations", .steps = {{.sql = R"sql(
            CREATE TABLE conversations (
                id TEXT PRIMARY KEY,
                owner TEXT NOT NULL,
                title TEXT NOT NULL,
                head TEXT NOT NULL,
                settings TEXT NOT NULL,
                created_ms BIGINT NOT NULL,
                updated_ms BIGINT NOT NULL
            );
            CREATE INDEX conversations_by_use ON conversations (owner, updated_ms);
            CREATE TABLE conversation_messages (
                id TEXT PRIMARY KEY,
                conversation TEXT NOT NULL,
                parent TEXT NOT NULL,
                role TEXT NOT NULL,
                content TEXT NOT NULL,
                state TEXT NOT NULL,
                model TEXT NOT NULL DEFAULT '',
                finish_reason TEXT NOT NULL DEFAULT '',
                error TEXT NOT NULL DEFAULT '',
                prompt_tokens BIGINT NOT NULL DEFAULT 0,
                completion_tokens BIGINT NOT NULL DEFAULT 0,
                first_token_ms BIGINT NOT NULL DEFAULT 0,
                duration_ms BIGINT NOT NULL DEFAULT 0,
                created_ms BIGINT NOT NULL
            );
            CREATE INDEX messages_by_parent
                ON conversation_messages (conversation, parent, id);
            CREATE INDEX messages_by_state ON conversation_messages (state);
            CREATE TABLE message_sources (
                message TEXT NOT NULL,
                position BIGINT NOT NULL,
                n BIGINT NOT NULL,
                kind TEXT NOT NULL,
                title TEXT NOT NULL,
                document TEXT NOT NULL,
                url TEXT NOT NULL,
                page BIGINT,
                page_end BIGINT,
                score DOUBLE PRECISION,
                snippet TEXT NOT NULL,
                retrieved_ms BIGINT,
                chunk TEXT NOT NULL,
                error TEXT NOT NULL,
                PRIMARY KEY (message, position)
            );
        )sql"}}};
    return schema;
}

Result<> insert_conversation(Transaction& tx, std::string_view owner,
                             const ConversationInfo& conversation) {
    HEDDLE_TRY_VOID(tx.execute(
        "INSERT INTO conversations (id, owner, title, head, settings, created_ms, updated_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        conversation.id, owner, conversation.title, conversation.head, conversation.settings,
        conversation.created_ms, conversation.updated_ms));
    return {};
}

Result<ConversationInfo> get_conversation(Session& session, std::string_view owner,
                                          std::string_view id) {
    const std::string sql =
        fmt::format("SELECT {} FROM conversations c WHERE c.owner = ? AND c.id = ?", kConversation);
    HEDDLE_TRY(auto found, session.first(sql, read_conversation, owner, id));
    if (!found) return fail(ErrorCode::kNotFound, "there is no such conversation");
    return std::move(*found);
}

Result<std::vector<ConversationInfo>> list_conversations(Session& session, std::string_view owner,
                                                         const ConversationQuery& query) {
    std::string condition = "c.owner = ?";
    std::vector<storage::Bind> values{owner};
    const std::string pattern = pattern_of(query.search);
    if (!query.search.empty()) {
        condition += fmt::format(
            " AND (c.title {0} OR EXISTS (SELECT 1 FROM conversation_messages m "
            "WHERE m.conversation = c.id AND m.content {0}))",
            like(session));
        values.emplace_back(pattern);
        values.emplace_back(pattern);
    }
    std::int64_t before = 0;
    if (!query.after.empty()) {
        HEDDLE_TRY(const ConversationInfo last, get_conversation(session, owner, query.after));
        before = last.updated_ms;
        condition += " AND (c.updated_ms < ? OR (c.updated_ms = ? AND c.id < ?))";
        values.emplace_back(before);
        values.emplace_back(before);
        values.emplace_back(query.after);
    }
    values.emplace_back(query.limit);
    HEDDLE_TRY(auto found,
               session.select_with(fmt::format("SELECT {} FROM conversations c WHERE {} ORDER BY "
                                               "c.updated_ms DESC, c.id DESC LIMIT ?",
                                               kConversation, condition),
                                   read_conversation, values));
    if (!query.search.empty()) HEDDLE_TRY_VOID(add_hits(session, query.search, found));
    return found;
}

Result<> set_title(Transaction& tx, std::string_view id, std::string_view title) {
    HEDDLE_TRY_VOID(tx.execute("UPDATE conversations SET title = ? WHERE id = ?", title, id));
    return {};
}

Result<> set_settings(Transaction& tx, std::string_view id, std::string_view settings) {
    HEDDLE_TRY_VOID(tx.execute("UPDATE conversations SET settings = ? WHERE id = ?", settings, id));
    return {};
}

Result<> set_head(Transaction& tx, std::string_view id, std::string_view head) {
    HEDDLE_TRY(const std::int64_t now, tx.now_ms());
    HEDDLE_TRY_VOID(tx.execute("UPDATE conversations SET head = ?, updated_ms = ? WHERE id = ?",
                               head, now, id));
    return {};
}

Result<> delete_conversation(Transaction& tx, std::string_view id) {
    HEDDLE_TRY_VOID(
        tx.execute("DELETE FROM message_sources WHERE message IN (SELECT id FROM "
                   "conversation_messages WHERE conversation = ?)",
                   id));
    HEDDLE_TRY_VOID(tx.execute("DELETE FROM conversation_messages WHERE conversation = ?", id));
    HEDDLE_TRY_VOID(tx.execute("DELETE FROM conversations WHERE id = ?", id));
    return {};
}

Result<std::int64_t> count_conversations(Session& session, std::string_view owner) {
    return session.number("SELECT COUNT(*) FROM conversations WHERE owner = ?", owner);
}

Result<> insert_message(Transaction& tx, std::string_view conversation,
                        const MessageInfo& message) {
    HEDDLE_TRY_VOID(tx.execute(
        "INSERT INTO conversation_messages (id, conversation, parent, role, content, state, model, "
        "finish_reason, error, prompt_tokens, completion_tokens, first_token_ms, duration_ms, "
        "created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        message.id, conversation, message.parent, to_string(message.role), message.content,
        to_string(message.state), message.model, message.finish_reason, message.error,
        message.usage.prompt_tokens, message.usage.completion_tokens, message.first_token_ms,
        message.duration_ms, message.created_ms));
    return replace_sources(tx, message);
}

Result<bool> update_message(Transaction& tx, const MessageInfo& message) {
    HEDDLE_TRY(
        const std::int64_t changed,
        tx.execute("UPDATE conversation_messages SET content = ?, state = ?, model = ?, "
                   "finish_reason = ?, error = ?, prompt_tokens = ?, completion_tokens = ?, "
                   "first_token_ms = ?, duration_ms = ? WHERE id = ?",
                   message.content, to_string(message.state), message.model, message.finish_reason,
                   message.error, message.usage.prompt_tokens, message.usage.completion_tokens,
                   message.first_token_ms, message.duration_ms, message.id));
    return changed > 0;
}

Result<> replace_sources(Transaction& tx, const MessageInfo& message) {
    HEDDLE_TRY_VOID(tx.execute("DELETE FROM message_sources WHERE message = ?", message.id));
    std::int64_t position = 0;
    for (const Source& source : message.sources) {
        HEDDLE_TRY_VOID(tx.execute(
            "INSERT INTO message_sources (message, position, n, kind, title, document, url, page, "
            "page_end, score, snippet, retrieved_ms, chunk, error) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            message.id, position++, source.n, source.kind == SourceKind::kWeb ? "web" : "document",
            source.title, source.document, source.url, source.page, source.page_end, source.score,
            source.snippet, source.retrieved_ms, source.chunk, source.error));
    }
    return {};
}

Result<MessageInfo> get_message(Session& session, std::string_view conversation,
                                std::string_view id) {
    const std::string sql = fmt::format(
        "SELECT {} FROM conversation_messages m WHERE m.conversation = ? AND m.id = ?", kMessage);
    HEDDLE_TRY(auto found, session.select(sql, read_message, conversation, id));
    if (found.empty()) return fail(ErrorCode::kNotFound, "there is no such message");
    HEDDLE_TRY_VOID(add_sources(session, found));
    return std::move(found.front());
}

Result<std::vector<MessageInfo>> path_to(Session& session, std::string_view conversation,
                                         std::string_view id, std::size_t limit) {
    const std::string sql = fmt::format(
        "WITH RECURSIVE path(id, parent, depth) AS ("
        "SELECT id, parent, 1 FROM conversation_messages WHERE conversation = ? AND id = ? "
        "UNION ALL SELECT n.id, n.parent, path.depth + 1 FROM path "
        "JOIN conversation_messages n ON n.id = path.parent WHERE path.depth < ?) "
        "SELECT {} FROM path JOIN conversation_messages m ON m.id = path.id "
        "ORDER BY path.depth DESC",
        kMessage);
    HEDDLE_TRY(auto path, session.select(sql, read_message, conversation, id, limit));
    HEDDLE_TRY_VOID(add_sources(session, path));
    HEDDLE_TRY_VOID(add_siblings(session, conversation, path));
    return path;
}

Result<std::string> newest_leaf(Session& session, std::string_view conversation,
                                std::string_view id) {
    const auto read_id = [](const Row& row) { return row.string(0); };
    std::string leaf(id);
    for (std::size_t step = 0; step < kLeafStepsMax; ++step) {
        HEDDLE_TRY(auto child,
                   session.first("SELECT id FROM conversation_messages WHERE conversation = ? AND "
                                 "parent = ? ORDER BY id DESC LIMIT 1",
                                 read_id, conversation, leaf));
        if (!child) break;
        leaf = std::move(*child);
    }
    return leaf;
}

Result<std::int64_t> mark_interrupted(Transaction& tx) {
    return tx.execute(
        "UPDATE conversation_messages SET state = 'interrupted' WHERE state = 'running'");
}

}  // namespace heddle::service
