// A tokenizer.json and a text for it: the last line is the text. What loads must encode and decode
// anything, with ranges inside the text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/tokenizer_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto newline = input.rfind('\n');
    const std::string_view text = newline == input.npos ? "" : input.substr(newline + 1);
    const auto tokenizer = heddle::text::tokenizer_from_json(input.substr(0, newline));
    if (!tokenizer) return 0;
    const auto encoding = (*tokenizer)->encode_with_ranges(text);
    for (const auto range : encoding.ranges) {
        if (range.begin > range.end || range.end > text.size()) std::abort();
    }
    (void)(*tokenizer)->decode(encoding.ids);
    (void)(*tokenizer)->decode(std::vector<heddle::text::TokenId>{-1, 0, 1, 1 << 30});
    return 0;
}
