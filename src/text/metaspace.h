// U+2581, which SentencePiece writes for a space.
#pragma once

#include <string_view>

namespace heddle::text {

inline constexpr std::string_view kMetaspace = "\xE2\x96\x81";

}  // namespace heddle::text
