// Status codes: their words, and what they ask for.
#pragma once

#include <string_view>

namespace heddle::http {

// "Not Found" for 404; empty for codes that we never send.
[[nodiscard]] std::string_view reason_phrase(int status);

// Whether the answer is to be found at its Location (RFC 9110, 15.4).
[[nodiscard]] bool is_redirect(int status);

}  // namespace heddle::http
