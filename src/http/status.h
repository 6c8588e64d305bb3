// Status codes in words.
#pragma once

#include <string_view>

namespace heddle::http {

// "Not Found" for 404; empty for codes that we never send.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace heddle::http
