// Writing JSON. Documents are built with nlohmann; stream chunks, which leave by the thousand, are
// a fixed prefix and a quoted string.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace heddle::api {

// Appends the text as a JSON string with its quotes. Bytes that are no UTF-8 are the caller's bug
// and pass unchanged.
void append_quoted(std::string& out, std::string_view text);

// Compact; broken UTF-8 becomes U+FFFD instead of an exception.
[[nodiscard]] std::string to_text(const nlohmann::json& json);

}  // namespace heddle::api
