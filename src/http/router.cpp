#include "http/router.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace heddle::http {

void Router::add(Route route) {
    for (const Route& other : routes_) {
        HEDDLE_CHECK(other.method != route.method || other.pattern != route.pattern,
                     "a route is added twice");
    }
    patterns_.push_back(parse_pattern(route.pattern));
    routes_.push_back(std::move(route));
}

Router::Pattern Router::parse_pattern(std::string_view pattern) {
    HEDDLE_CHECK(pattern.starts_with('/'), "a route's pattern begins with a slash");
    Pattern segments;
    do {
        pattern.remove_prefix(1);
        const std::size_t end = std::min(pattern.find('/'), pattern.size());
        std::string_view text = pattern.substr(0, end);
        pattern.remove_prefix(end);
        Segment segment;
        if (text.starts_with('{') && text.ends_with('}')) {
            text = text.substr(1, text.size() - 2);
            segment.kind = Segment::Kind::kParameter;
            if (text.ends_with('*')) {
                HEDDLE_CHECK(pattern.empty(), "only the last segment takes the rest of a path");
                segment.kind = Segment::Kind::kRest;
                text.remove_suffix(1);
            }
        }
        segment.text = text;
        segments.push_back(std::move(segment));
    } while (!pattern.empty());
    return segments;
}

bool Router::fits(const Pattern& pattern, const Target& target) {
    const auto& segments = target.segments;
    const bool takes_rest = pattern.back().kind == Segment::Kind::kRest;
    if (takes_rest ? segments.size() < pattern.size() : segments.size() != pattern.size()) {
        return false;
    }
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const bool literal = pattern[i].kind == Segment::Kind::kLiteral;
        if (literal ? segments[i] != pattern[i].text : segments[i].empty()) return false;
    }
    return true;
}

const Route* Router::find(const Target& target, Method method) const {
    const Route* best = nullptr;
    std::ptrdiff_t best_literals = -1;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        if (routes_[i].method != method || !fits(patterns_[i], target)) continue;
        const auto literals = std::count_if(
            patterns_[i].begin(), patterns_[i].end(),
            [](const Segment& segment) { return segment.kind == Segment::Kind::kLiteral; });
        if (literals <= best_literals) continue;
        best = &routes_[i];
        best_literals = literals;
    }
    return best;
}

std::string Router::allowed_methods(const Target& target) const {
    std::string allowed;
    for (const Method method :
         {Method::kGet, Method::kPost, Method::kPut, Method::kPatch, Method::kDelete}) {
        if (find(target, method) == nullptr) continue;
        if (!allowed.empty()) allowed += ", ";
        allowed += to_string(method);
        if (method == Method::kGet) allowed += ", HEAD";
    }
    if (!allowed.empty()) allowed += ", OPTIONS";
    return allowed;
}

async::Task<Response> Router::handle(Request& request) const {
    const Target& target = request.target();
    const Method method = request.method() == Method::kHead ? Method::kGet : request.method();
    const Route* const route = find(target, method);
    if (route == nullptr) {
        std::string allowed = allowed_methods(target);
        if (allowed.empty()) {
            co_return on_error_(request, Error(ErrorCode::kNotFound, "Not Found"));
        }
        Response response =
            method == Method::kOptions
                ? Response::empty(204)
                : on_error_(request, Error(ErrorCode::kMethodNotAllowed, "Method Not Allowed"));
        response.headers.set("Allow", std::move(allowed));
        co_return response;
    }
    const Pattern& pattern = patterns_[static_cast<std::size_t>(route - routes_.data())];
    std::vector<std::pair<std::string, std::string>> parameters;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i].kind == Segment::Kind::kLiteral) continue;
        std::string value = target.segments[i];
        if (pattern[i].kind == Segment::Kind::kRest) {
            for (std::size_t j = i + 1; j < target.segments.size(); ++j) {
                value += "/" + target.segments[j];
            }
        }
        parameters.emplace_back(pattern[i].text, std::move(value));
    }
    request.set_parameters(std::move(parameters));
    request.body().set_limit(route->body_bytes_max);
    co_return co_await route->handler(request);
}

}  // namespace heddle::http
