#include "api/tool_request.h"

#include <algorithm>
#include <utility>

#include "api/tool_schema.h"

namespace heddle::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kToolsMax = 128;
constexpr std::size_t kCallsMax = 128;
constexpr std::size_t kToolBytesMax = std::size_t{256} << 10;
constexpr std::size_t kArgumentsBytesMax = std::size_t{1} << 20;

bool is_function_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
}

Result<> require_function(const JsonObject& object) {
    HEDDLE_TRY(const auto type, object.text("type"));
    if (type.value_or("function") == "function") return {};
    return field_error(object.path_of("type"), "Input should be 'function'", "literal_error");
}

Result<JsonObject> function_of(const JsonObject& object) {
    HEDDLE_TRY_VOID(require_function(object));
    HEDDLE_TRY(auto function, object.object("function"));
    if (!function) return field_error(object.path_of("function"), "Field required", "missing");
    return std::move(*function);
}

Result<service::Tool> decode_tool(const JsonObject& object, const dom::element& raw) {
    HEDDLE_TRY(const JsonObject function, function_of(object));
    service::Tool tool;
    HEDDLE_TRY(tool.name, function.required_text("name"));
    if (!is_function_name(tool.name)) {
        return field_error(function.path_of("name"),
                           "A function's name has 1 to 64 of the characters A-Z a-z 0-9 _ - .",
                           "string_pattern_mismatch");
    }
    HEDDLE_TRY(const auto parameters, function.object("parameters"));
    if (parameters) tool.parameters = simdjson::minify(*function.find("parameters"));
    tool.definition = simdjson::minify(raw);
    if (tool.definition.size() > kToolBytesMax) {
        return field_error(object.path_of("function"), "A tool has at most 256 KiB", "too_long");
    }
    return tool;
}

Result<> decode_choice(const JsonObject& object, service::ToolUse& use) {
    using Choice = service::ToolUse::Choice;
    const auto found = object.find("tool_choice");
    if (!found) return {};
    const auto wrong = [&](std::string message) {
        return field_error(object.path_of("tool_choice"), std::move(message), "value_error");
    };
    if (found->is_string()) {
        HEDDLE_TRY(const std::string name, object.required_text("tool_choice"));
        if (name != "auto" && name != "none" && name != "required") {
            return wrong("Input should be 'auto', 'none', 'required' or a function");
        }
        if (name == "none") use.choice = Choice::kNone;
        if (name == "required") use.choice = Choice::kRequired;
    } else {
        HEDDLE_TRY(const auto named, object.object("tool_choice"));
        HEDDLE_TRY(const JsonObject function, function_of(*named));
        HEDDLE_TRY(use.only, function.required_text("name"));
        use.choice = Choice::kRequired;
        const bool known = std::ranges::any_of(
            use.tools, [&](const service::Tool& tool) { return tool.name == use.only; });
        if (!known) return wrong("The function is not among the tools");
    }
    if (use.choice == Choice::kRequired && use.tools.empty()) {
        return wrong("A call can only be required where tools are given");
    }
    return {};
}

}  // namespace

Result<service::ToolUse> decode_tool_use(const JsonObject& object) {
    service::ToolUse use;
    if (object.has("tools")) {
        HEDDLE_TRY(const auto tools, object.objects("tools", 0, kToolsMax));
        dom::array raw;
        static_cast<void>(object.find("tools")->get(raw));
        std::size_t at = 0;
        for (const JsonObject& tool : tools) {
            HEDDLE_TRY(service::Tool decoded, decode_tool(tool, raw.at(at++).value_unsafe()));
            use.tools.push_back(std::move(decoded));
        }
    }
    HEDDLE_TRY_VOID(decode_choice(object, use));
    HEDDLE_TRY(use.parallel, object.boolean("parallel_tool_calls", true));
    if (use.choice == service::ToolUse::Choice::kRequired) {
        HEDDLE_TRY(use.call_schema, tool_call_schema(use));
    }
    return use;
}

Result<std::vector<service::ToolCall>> decode_tool_calls(const JsonObject& message) {
    std::vector<service::ToolCall> calls;
    if (!message.has("tool_calls")) return calls;
    HEDDLE_TRY(const auto list, message.objects("tool_calls", 0, kCallsMax));
    for (const JsonObject& entry : list) {
        HEDDLE_TRY(const JsonObject function, function_of(entry));
        service::ToolCall call;
        HEDDLE_TRY(auto id, entry.text("id", {0, 256}));
        call.id = std::move(id).value_or("");
        HEDDLE_TRY(call.name, function.required_text("name", {1, 256}));
        HEDDLE_TRY(auto arguments, function.text("arguments", {0, kArgumentsBytesMax}));
        call.arguments = std::move(arguments).value_or("{}");
        calls.push_back(std::move(call));
    }
    return calls;
}

}  // namespace heddle::api
