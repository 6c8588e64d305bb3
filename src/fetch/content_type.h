// What a response is, by its Content-Type and by its first bytes; both must agree.
#pragma once

#include <string_view>

namespace heddle::fetch {

enum class ContentKind { kHtml, kText, kPdf, kOther };

// By the header alone, before the body is read. An empty type is decided by the bytes.
[[nodiscard]] ContentKind kind_of_type(std::string_view content_type);

// What the bytes are; kOther when they are not what the type says, whatever it says.
[[nodiscard]] ContentKind kind_of_content(std::string_view content_type, std::string_view bytes);

}  // namespace heddle::fetch
