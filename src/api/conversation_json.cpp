#include "api/conversation_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "api/answer_json.h"

namespace heddle::api {
namespace {

// What the client stored: an object that passed the decoder once.
nlohmann::json settings_of(const std::string& text) {
    nlohmann::json settings = nlohmann::json::parse(text, nullptr, false);
    return settings.is_object() ? settings : nlohmann::json::object();
}

std::string day_of(std::int64_t ms) {
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

std::string line_of(const service::Source& source) {
    std::string line = fmt::format("{}. {}", source.n, source.title);
    if (source.page) line += fmt::format(", page {}", *source.page);
    if (!source.url.empty()) line += fmt::format(" <{}>", source.url);
    return line;
}

}  // namespace

nlohmann::json to_json(const service::ConversationInfo& conversation) {
    nlohmann::json json = {{"id", conversation.id},
                           {"title", conversation.title},
                           {"head", conversation.head},
                           {"settings", settings_of(conversation.settings)},
                           {"messages", conversation.messages},
                           {"created_ms", conversation.created_ms},
                           {"updated_ms", conversation.updated_ms}};
    if (!conversation.hit.empty()) {
        json["hit"] = {{"message", conversation.hit}, {"snippet", conversation.snippet}};
    }
    return json;
}

nlohmann::json to_json(const service::MessageInfo& message) {
    nlohmann::json json = {{"id", message.id},
                           {"parent", message.parent},
                           {"role", to_string(message.role)},
                           {"content", message.content},
                           {"state", service::to_string(message.state)},
                           {"created_ms", message.created_ms},
                           {"siblings", message.siblings}};
    if (message.role != service::Role::kAssistant) return json;
    json["model"] = message.model;
    json["sources"] = to_json(message.sources);
    json["usage"] = to_json(message.usage);
    json["first_token_ms"] = message.first_token_ms;
    json["duration_ms"] = message.duration_ms;
    if (!message.finish_reason.empty()) json["finish_reason"] = message.finish_reason;
    if (!message.error.empty()) json["error"] = message.error;
    return json;
}

std::string to_markdown(const service::ConversationInfo& conversation,
                        const std::vector<service::MessageInfo>& messages) {
    std::string text =
        fmt::format("# {}\n\n{}\n", conversation.title, day_of(conversation.created_ms));
    for (const service::MessageInfo& message : messages) {
        if (message.role == service::Role::kUser) {
            text += fmt::format("\n## Question\n\n{}\n", message.content);
            continue;
        }
        text += fmt::format("\n## Answer ({})\n\n{}\n", message.model, message.content);
        if (!message.error.empty()) text += fmt::format("\n(Broken off: {})\n", message.error);
        std::string sources;
        for (const service::Source& source : message.sources) {
            if (source.n > 0) sources += line_of(source) + "\n";
        }
        if (!sources.empty()) text += "\nSources:\n\n" + sources;
    }
    return text;
}

Error no_conversations() {
    return {ErrorCode::kUnavailable, "this server keeps no conversations"};
}

}  // namespace heddle::api
