// Request methods. Others are refused with 501 before a handler is looked for.
#pragma once

#include <optional>
#include <string_view>

namespace heddle::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };

[[nodiscard]] std::string_view to_string(Method method);
// Methods are case-sensitive (RFC 9110, 9.1).
[[nodiscard]] std::optional<Method> parse_method(std::string_view text);

// Safe to send again when the connection broke before an answer.
[[nodiscard]] constexpr bool is_idempotent(Method method) {
    return method != Method::kPost && method != Method::kPatch;
}

}  // namespace heddle::http
