// Chat templates as rows of tokens, with Jinja's white space control as transformers sets it
// (trim_blocks, lstrip_blocks).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::text {

struct TemplateToken {
    enum class Kind : std::uint8_t {
        kText,         // outside of tags
        kOutputBegin,  // {{
        kOutputEnd,
        kBlockBegin,  // {%
        kBlockEnd,
        kName,
        kString,
        kInteger,
        kFloat,
        kOperator,
        kEnd,
    };

    Kind kind = Kind::kEnd;
    std::string text;
    int line = 0;
};

// Throws TemplateFailure.
[[nodiscard]] std::vector<TemplateToken> read_template_tokens(std::string_view source);

}  // namespace heddle::text
