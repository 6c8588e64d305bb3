// A pattern and a text: the first line is the pattern. Matches lie in the text, in order.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/regex.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto newline = input.find('\n');
    const std::string_view text = newline == input.npos ? "" : input.substr(newline + 1);
    const auto regex = heddle::text::Regex::compile(input.substr(0, newline));
    if (!regex || !heddle::text::is_valid_utf8(text)) return 0;
    std::size_t last = 0;
    for (const auto match : regex->find_all(text)) {
        if (match.begin < last || match.end < match.begin || match.end > text.size()) std::abort();
        last = match.end;
    }
    return 0;
}
