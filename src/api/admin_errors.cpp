// GET /admin/errors: the warnings and errors that the server has logged lately, newest first.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

nlohmann::json to_json(const LogLine& line) {
    nlohmann::json fields = nlohmann::json::object();
    for (const auto& [name, value] : line.fields) fields[name] = value;
    return {{"at_ms", line.at_ms},
            {"level", line.is_error ? "error" : "warning"},
            {"room", line.room},
            {"message", line.message},
            {"fields", std::move(fields)}};
}

async::Task<http::Response> admin_errors(Context& context, Call /*call*/) {
    nlohmann::json list = nlohmann::json::array();
    if (context.services.operation.recent_errors) {
        for (const LogLine& line : context.services.operation.recent_errors()) {
            list.push_back(to_json(line));
        }
    }
    co_return http::Response::json(200, to_text({{"errors", std::move(list)}}));
}

}  // namespace

Endpoint admin_errors_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/admin/errors",
            .run = admin_errors,
            .summary = "Warnings and errors of late, newest first",
            .tag = "admin",
            .for_admins = true};
}

}  // namespace heddle::api
