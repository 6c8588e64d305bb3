// Method and path → handler. Built at start, read-only and thread-safe afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "http/method.h"
#include "http/request.h"
#include "http/response.h"

namespace heddle::http {

// May throw: the connection then answers 500 and closes.
using Handler = std::function<async::Task<Response>(Request&)>;

// Makes the response for an error of the server itself (no such route, a handler that threw).
using ErrorResponder = std::function<Response(const Request&, const Error&)>;

struct Route {
    Method method = Method::kGet;
    // "/documents/{id}/file"; a last segment {name*} takes the rest of the path, slashes included.
    std::string pattern;
    Handler handler;
    std::uint64_t body_bytes_max = std::uint64_t{2} << 20;
};

class Router {
public:
    explicit Router(ErrorResponder on_error) : on_error_(std::move(on_error)) {}

    // A second route of the same method and pattern is a bug.
    void add(Route route);

    // HEAD is answered by GET's route (the connection drops the body), OPTIONS by what is allowed.
    // No route: kNotFound, or kMethodNotAllowed with an Allow field. Of several patterns that fit,
    // the one with more literal segments answers.
    async::Task<Response> handle(Request& request) const;

    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

private:
    struct Segment {
        enum class Kind { kLiteral, kParameter, kRest };
        Kind kind = Kind::kLiteral;
        std::string text;  // the literal or the parameter's name
    };
    using Pattern = std::vector<Segment>;

    [[nodiscard]] static Pattern parse_pattern(std::string_view pattern);
    [[nodiscard]] static bool fits(const Pattern& pattern, const Target& target);
    [[nodiscard]] const Route* find(const Target& target, Method method) const;
    [[nodiscard]] std::string allowed_methods(const Target& target) const;

    ErrorResponder on_error_;
    std::vector<Route> routes_;
    std::vector<Pattern> patterns_;  // one for each route
};

}  // namespace heddle::http
