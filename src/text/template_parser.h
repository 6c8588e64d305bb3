// Chat templates from source to tree.
#pragma once

#include <string_view>

#include "text/template_syntax.h"

namespace heddle::text {

// Nesting of expressions and blocks.
inline constexpr int kTemplateDepthMax = 100;

// Throws TemplateFailure with the line at fault.
[[nodiscard]] TemplateBody parse_template(std::string_view source);

}  // namespace heddle::text
