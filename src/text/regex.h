// Regular expressions of model files, by PCRE2 with limits: hostile patterns fail to match instead
// of running long. Immutable; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/working_text.h"

namespace heddle::text {

class Regex {
public:
    // A pattern of at most 16 KiB in Perl's syntax with Unicode properties. kCorrupt when it is
    // not one.
    [[nodiscard]] static Result<Regex> compile(std::string_view pattern);

    // All matches in well-formed text from left to right, none overlapping; empty ones too. Where
    // the limits are met the rest of the text counts as unmatched.
    [[nodiscard]] std::vector<ByteRange> find_all(std::string_view text) const;

private:
    struct Code;
    explicit Regex(std::shared_ptr<const Code> code);

    std::shared_ptr<const Code> code_;
};

}  // namespace heddle::text
