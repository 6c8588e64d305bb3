// Identifiers: 26 characters of Crockford base32, 48 bits of milliseconds and 80 random bits
// (ULID, github.com/ulid/spec). They sort by creation, are safe in paths and URLs, and are never
// taken from a client without is_id().
#pragma once

#include <string>
#include <string_view>

namespace heddle {

// Thread-safe; within a process ids of the same millisecond still rise.
[[nodiscard]] std::string new_id();

// 26 characters of the alphabet, upper case as we write them.
[[nodiscard]] bool is_id(std::string_view text);

}  // namespace heddle
