#include "api/error_response.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace heddle::api {
namespace {

bool speaks_openai(std::string_view path) {
    return path.starts_with("/v1/") || path == "/v1";
}

std::string_view openai_type(int status) {
    if (status == 401) return "authentication_error";
    if (status == 403) return "permission_error";
    if (status == 404) return "not_found_error";
    if (status == 429) return "rate_limit_error";
    if (status >= 500) return "server_error";
    return "invalid_request_error";
}

// "messages.0.content" → ["body", "messages", 0, "content"].
nlohmann::json location(std::string_view param) {
    nlohmann::json place = nlohmann::json::array();
    place.push_back("body");
    while (!param.empty()) {
        const std::size_t end = std::min(param.find('.'), param.size());
        const std::string_view part = param.substr(0, end);
        std::size_t index = 0;
        const auto [stop, ec] = std::from_chars(part.data(), part.data() + part.size(), index);
        if (ec == std::errc() && stop == part.data() + part.size()) {
            place.push_back(index);
        } else {
            place.push_back(part);
        }
        param.remove_prefix(std::min(end + 1, param.size()));
    }
    return place;
}

// Messages may quote what a client sent; dump() must not throw on broken UTF-8.
std::string dump(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json text_or_null(const std::string& text) {
    return text.empty() ? nlohmann::json() : nlohmann::json(text);
}

int status_at(std::string_view path, ErrorCode code) {
    if (code == ErrorCode::kUnprocessable && speaks_openai(path)) return 400;
    return status_of(code);
}

}  // namespace

int status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return 400;
        case ErrorCode::kUnprocessable:
            return 422;
        case ErrorCode::kUnauthenticated:
            return 401;
        case ErrorCode::kPermissionDenied:
            return 403;
        case ErrorCode::kNotFound:
            return 404;
        case ErrorCode::kMethodNotAllowed:
            return 405;
        case ErrorCode::kTimeout:
            return 408;
        case ErrorCode::kConflict:
            return 409;
        case ErrorCode::kTooLarge:
            return 413;
        case ErrorCode::kUnsupportedType:
            return 415;
        case ErrorCode::kRateLimited:
            return 429;
        case ErrorCode::kCancelled:
            return 499;
        case ErrorCode::kUnimplemented:
            return 501;
        case ErrorCode::kUpstream:
            return 502;
        case ErrorCode::kUnavailable:
            return 503;
        case ErrorCode::kDeadlineExceeded:
            return 504;
        case ErrorCode::kInternal:
        case ErrorCode::kCorrupt:
        case ErrorCode::kIo:
            break;
    }
    return 500;
}

std::string error_body(std::string_view path, const Error& error) {
    if (speaks_openai(path)) {
        const nlohmann::json body = {{"error",
                                      {{"message", error.message()},
                                       {"type", openai_type(status_at(path, error.code()))},
                                       {"param", text_or_null(error.param())},
                                       {"code", text_or_null(error.reason())}}}};
        return dump(body);
    }
    if (error.code() == ErrorCode::kUnprocessable) {
        const nlohmann::json entry = {
            {"loc", location(error.param())}, {"msg", error.message()}, {"type", error.reason()}};
        return dump({{"detail", nlohmann::json::array({entry})}});
    }
    return dump({{"detail", error.message()}});
}

http::Response error_response(const http::Request& request, const Error& error) {
    const std::string& path = request.target().path;
    const int status = status_at(path, error.code());
    http::Response response = http::Response::json(status, error_body(path, error));
    if (status == 401) response.headers.set("WWW-Authenticate", "Bearer");
    if (status == 429 || status == 503) {
        response.headers.set("Retry-After", std::to_string(std::max(1, error.retry_after_s())));
    }
    return response;
}

}  // namespace heddle::api
