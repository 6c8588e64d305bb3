#include "api/openapi.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

using nlohmann::json;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

// "/v1/models/{id*}" → "/v1/models/{id}"
std::string openapi_path(std::string_view pattern) {
    std::string path(pattern);
    std::erase(path, '*');
    return path;
}

json parameters_of(const Endpoint& endpoint, const std::string& path) {
    json parameters = json::array();
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
        const std::string name = path.substr(at + 1, path.find('}', at) - at - 1);
        parameters.push_back(
            {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    }
    for (const QueryParameter& parameter : endpoint.query) {
        parameters.push_back({{"name", parameter.name},
                              {"in", "query"},
                              {"description", parameter.description},
                              {"schema", {{"type", parameter.type}}}});
    }
    return parameters;
}

json response(std::string_view description) {
    return {{"description", description}};
}

json operation_of(const Endpoint& endpoint, const std::string& path) {
    json operation = {{"summary", endpoint.summary},
                      {"tags", json::array({endpoint.tag})},
                      {"operationId", lower(to_string(endpoint.method)) + path}};
    if (json parameters = parameters_of(endpoint, path); !parameters.empty()) {
        operation["parameters"] = std::move(parameters);
    }
    if (!endpoint.request_schema.empty()) {
        operation["requestBody"] = {{"required", true},
                                    {"content",
                                     {{std::string(endpoint.request_type),
                                       {{"schema", json::parse(endpoint.request_schema)}}}}}};
        operation["responses"]["422"] = response("A field is missing or out of range");
    }
    json success = response("Success");
    if (endpoint.success_status == 200 || endpoint.success_status == 202) {
        success["content"] = {{std::string(endpoint.response_type), json::object()}};
    }
    operation["responses"][std::to_string(endpoint.success_status)] = std::move(success);
    if (endpoint.is_open) {
        operation["security"] = json::array();
    } else {
        operation["responses"]["401"] = response("No key, or one that is not valid");
        if (endpoint.for_admins) {
            operation["responses"]["403"] = response("The key is not an administrator's");
        }
    }
    return operation;
}

async::Task<http::Response> openapi(Context& context, Call /*call*/) {
    co_return http::Response::json(200, context.openapi);
}

}  // namespace

std::string openapi_document(const std::vector<Endpoint>& endpoints, const ApiOptions& options) {
    json document = {
        {"openapi", "3.1.0"},
        {"info", {{"title", "Heddle"}, {"version", options.version}}},
        {"security", json::array({{{"key", json::array()}}, {{"session", json::array()}}})},
        {"components",
         {{"securitySchemes",
           {{"key", {{"type", "http"}, {"scheme", "bearer"}}},
            {"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "heddle_session"}}}}}}},
        {"paths", json::object()}};
    for (const Endpoint& endpoint : endpoints) {
        const std::string path = openapi_path(endpoint.pattern);
        document["paths"][path][lower(to_string(endpoint.method))] = operation_of(endpoint, path);
    }
    return to_text(document);
}

Endpoint openapi_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/openapi.json",
            .run = openapi,
            .summary = "This interface as an OpenAPI document",
            .tag = "operation"};
}

}  // namespace heddle::api
