#include "api/tool_schema.h"

#include <nlohmann/json.hpp>

#include "api/json_body.h"

namespace heddle::api {
namespace {

using nlohmann::ordered_json;

tl::unexpected<Error> wrong_tool(std::string message) {
    return field_error("tools", std::move(message), "value_error");
}

// References of a schema count from the root of the document it stands in.
Result<> hoist(const char* keyword, ordered_json& from, ordered_json& root) {
    const auto found = from.find(keyword);
    if (found == from.end() || !found->is_object()) return {};
    for (const auto& [name, definition] : found->items()) {
        ordered_json& place = root[keyword][name];
        if (!place.is_null() && place != definition)
            return wrong_tool("two tools define \"" + name.substr(0, 64) + "\" differently");
        place = definition;
    }
    from.erase(keyword);
    return {};
}

}  // namespace

Result<std::string> tool_call_schema(const service::ToolUse& use) {
    ordered_json root = {{"anyOf", ordered_json::array()}};
    for (const service::Tool& tool : use.tools) {
        if (!use.only.empty() && tool.name != use.only) continue;
        ordered_json parameters = {{"type", "object"}};
        if (!tool.parameters.empty())
            parameters = ordered_json::parse(tool.parameters, nullptr, false);
        if (parameters.is_discarded() || !parameters.is_object())
            return wrong_tool("the parameters of a tool are no JSON schema");
        HEDDLE_TRY_VOID(hoist("$defs", parameters, root));
        HEDDLE_TRY_VOID(hoist("definitions", parameters, root));
        root["anyOf"].push_back(
            {{"type", "object"},
             {"properties", {{"name", {{"const", tool.name}}}, {"arguments", parameters}}},
             {"required", {"name", "arguments"}},
             {"additionalProperties", false}});
    }
    return root.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace heddle::api
