#include "service/chat_prompt.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace heddle::service {
namespace {

using text::TemplateValue;
using text::TokenId;

// For models that were never taught a form of conversation.
constexpr std::string_view kPlainTemplate =
    "{%- for message in messages -%}{{ message.role }}: {{ message.content }}\n{% endfor -%}"
    "{%- if add_generation_prompt -%}assistant:{%- endif -%}";

// Stands before and behind the number of a hidden text; itself hidden where somebody writes it.
// A noncharacter, which no template looks for.
constexpr std::string_view kMark = "\xF4\x8F\xBF\xBE";

TemplateValue json_or_text(const std::string& json) {
    auto value = TemplateValue::from_json(json);
    return value ? std::move(*value) : TemplateValue(json);
}

// A tool's message may leave out the name of the function; the call that it answers has it.
std::string tool_name(const Message& message, const std::vector<Message>& all) {
    if (!message.name.empty() || message.tool_call_id.empty()) return message.name;
    for (const Message& earlier : all) {
        for (const ToolCall& call : earlier.tool_calls)
            if (call.id == message.tool_call_id) return call.name;
    }
    return {};
}

}  // namespace

Result<ChatPrompt> ChatPrompt::make(std::shared_ptr<const text::Tokenizer> tokenizer,
                                    const model::ChatTemplateText& templates) {
    const bool has_own = !templates.plain.empty();
    HEDDLE_TRY(auto plain, text::ChatTemplate::parse(has_own ? std::string_view(templates.plain)
                                                             : kPlainTemplate));
    ChatPrompt prompt(std::move(tokenizer), std::move(plain));
    prompt.has_template_ = has_own;
    if (!templates.tools.empty()) {
        HEDDLE_TRY(prompt.with_tools_, text::ChatTemplate::parse(templates.tools));
    }
    prompt.tool_style_ =
        engine::tool_call_style(templates.tools.empty() ? templates.plain : templates.tools);
    const text::Tokenizer& tokens = *prompt.tokenizer_;
    for (std::size_t id = 0; id < tokens.vocab_size(); ++id) {
        const auto token = static_cast<TokenId>(id);
        if (tokens.is_special(token) && !tokens.piece(token).empty())
            prompt.special_.emplace_back(tokens.piece(token));
    }
    prompt.special_.emplace_back(kMark);
    // The longest first: "<|end|>" must not be found inside of "<|end|>x".
    std::ranges::sort(prompt.special_, [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    for (const std::string& token : prompt.special_) {
        if (prompt.special_first_.find(token.front()) == std::string::npos)
            prompt.special_first_ += token.front();
    }
    return prompt;
}

// The words with each special token in them replaced by a numbered mark.
std::string ChatPrompt::protect(std::string_view words, std::vector<std::string>& hidden) const {
    std::string out;
    while (!words.empty()) {
        const std::size_t plain = std::min(words.find_first_of(special_first_), words.size());
        out += words.substr(0, plain);
        words.remove_prefix(plain);
        if (words.empty()) break;
        const auto found = std::ranges::find_if(
            special_, [&](const std::string& token) { return words.starts_with(token); });
        if (found == special_.end()) {
            out += words.front();
            words.remove_prefix(1);
            continue;
        }
        out += kMark;
        out += std::to_string(hidden.size());
        out += kMark;
        hidden.push_back(*found);
        words.remove_prefix(found->size());
    }
    return out;
}

// The same for every text within a JSON value.
TemplateValue ChatPrompt::protect_within(const TemplateValue& value,
                                         std::vector<std::string>& hidden) const {
    if (const std::string* words = value.string_if()) return protect(*words, hidden);
    if (const TemplateValue::List* list = value.list_if()) {
        TemplateValue::List copy;
        for (const TemplateValue& item : list->items)
            copy.items.push_back(protect_within(item, hidden));
        return copy;
    }
    if (const TemplateValue::Map* map = value.map_if()) {
        TemplateValue::Map copy;
        for (const auto& [key, item] : map->entries)
            copy.set(protect(key, hidden), protect_within(item, hidden));
        return copy;
    }
    return value;
}

// As OpenAI's clients send it, but for the arguments, which templates want as a map.
TemplateValue ChatPrompt::call_value(const ToolCall& call, std::vector<std::string>& hidden) const {
    TemplateValue::Map function;
    function.set("name", protect(call.name, hidden));
    function.set("arguments", protect_within(json_or_text(call.arguments), hidden));
    TemplateValue::Map entry;
    entry.set("id", protect(call.id, hidden));
    entry.set("type", "function");
    entry.set("function", std::move(function));
    return entry;
}

TemplateValue ChatPrompt::message_value(const Message& message, const std::vector<Message>& all,
                                        std::vector<std::string>& hidden) const {
    TemplateValue::Map map;
    map.set("role", to_string(message.role));
    map.set("content", protect(message.content, hidden));
    if (!message.tool_calls.empty()) {
        TemplateValue::List calls;
        for (const ToolCall& call : message.tool_calls)
            calls.items.push_back(call_value(call, hidden));
        map.set("tool_calls", std::move(calls));
    }
    if (!message.tool_call_id.empty())
        map.set("tool_call_id", protect(message.tool_call_id, hidden));
    const std::string name = message.role == Role::kTool ? tool_name(message, all) : message.name;
    if (!name.empty()) map.set("name", protect(name, hidden));
    return map;
}

Result<TemplateValue::Map> ChatPrompt::variables(const std::vector<Message>& messages,
                                                 const ToolUse& tools, std::string_view arguments,
                                                 std::vector<std::string>& hidden) const {
    TemplateValue::Map map;
    if (!arguments.empty()) {
        HEDDLE_TRY(TemplateValue given, TemplateValue::from_json(arguments));
        given = protect_within(given, hidden);
        if (given.map_if() == nullptr) {
            return fail(Error(ErrorCode::kInvalidArgument, "must be an object")
                            .with_param("chat_template_kwargs"));
        }
        map = *given.map_if();
    }
    TemplateValue::List list;
    for (const Message& message : messages)
        list.items.push_back(message_value(message, messages, hidden));
    map.set("messages", std::move(list));
    map.set("tools", TemplateValue::None());
    if (tools.offered()) {
        TemplateValue::List definitions;
        for (const Tool& tool : tools.tools) {
            HEDDLE_TRY(const TemplateValue definition, TemplateValue::from_json(tool.definition));
            definitions.items.push_back(protect_within(definition, hidden));
        }
        map.set("tools", std::move(definitions));
    }
    map.set("documents", TemplateValue::None());
    map.set("add_generation_prompt", true);
    const text::SpecialIds& ids = tokenizer_->special();
    const std::pair<const char*, std::optional<TokenId>> named[] = {
        {"bos_token", ids.bos}, {"eos_token", ids.eos}, {"pad_token", ids.pad},
        {"unk_token", ids.unk}, {"cls_token", ids.cls}, {"sep_token", ids.sep}};
    for (const auto& [name, id] : named)
        if (id) map.set(name, tokenizer_->piece(*id));
    return map;
}

// Special tokens are read as such in what the template wrote, not in what was hidden.
std::vector<TokenId> ChatPrompt::tokens_of(std::string_view rendered,
                                           const std::vector<std::string>& hidden) const {
    std::vector<TokenId> ids;
    const auto append = [&](std::string_view words, bool special) {
        if (words.empty()) return;
        const auto part =
            tokenizer_->encode(words, {.add_special = false, .parse_special = special});
        ids.insert(ids.end(), part.begin(), part.end());
    };
    while (!rendered.empty()) {
        const std::size_t mark = std::min(rendered.find(kMark), rendered.size());
        append(rendered.substr(0, mark), true);
        rendered.remove_prefix(mark);
        if (rendered.empty()) break;
        rendered.remove_prefix(kMark.size());
        std::size_t number = hidden.size();
        const auto [end, ec] =
            std::from_chars(rendered.data(), rendered.data() + rendered.size(), number);
        const auto digits = static_cast<std::size_t>(end - rendered.data());
        // A template that cuts texts short may have cut a mark in two: then it stands for nothing.
        if (ec != std::errc() || number >= hidden.size() ||
            !rendered.substr(digits).starts_with(kMark))
            continue;
        append(hidden[number], false);
        rendered.remove_prefix(digits + kMark.size());
    }
    return ids;
}

Result<std::vector<TokenId>> ChatPrompt::encode(const std::vector<Message>& messages,
                                                const ToolUse& tools, std::string_view arguments,
                                                std::chrono::sys_seconds now) const {
    std::vector<std::string> hidden;
    try {
        HEDDLE_TRY(TemplateValue::Map map, variables(messages, tools, arguments, hidden));
        const bool special = tools.offered() && with_tools_;
        auto rendered = (special ? *with_tools_ : plain_).render(std::move(map), now);
        if (!rendered) return fail(std::move(rendered).error().with_param("messages"));
        return tokens_of(*rendered, hidden);
    } catch (const text::TemplateFailure& failure) {
        // A conversation that nests deeper than templates can hold.
        return fail(Error(ErrorCode::kInvalidArgument, failure.what()).with_param("messages"));
    }
}

}  // namespace heddle::service
