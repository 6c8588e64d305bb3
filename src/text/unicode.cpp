// The run-length table is unfolded once, at first use, into blocks of 128 code points of which
// equal ones are stored once: about 80 KB, two loads a look-up.
#include "text/unicode.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <utf8proc.h>

#include "text/normal_form.h"
#include "text/unicode_table.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

constexpr std::size_t kBlockBits = 7;
constexpr std::size_t kBlockSize = 1 << kBlockBits;
constexpr std::size_t kBlockCount = 0x110000 >> kBlockBits;
constexpr std::uint64_t kPropertyMask = (1 << 15) - 1;

struct Table {
    std::array<std::uint16_t, kBlockCount> block_of{};
    std::vector<std::array<std::uint16_t, kBlockSize>> blocks;
};

Table unfold() {
    Table table;
    std::map<std::array<std::uint16_t, kBlockSize>, std::uint16_t> seen;
    std::array<std::uint16_t, kBlockSize> block{};
    std::size_t code_point = 0;
    for (const std::uint64_t run : kUnicodeRuns) {
        for (std::uint64_t left = run >> 15; left > 0; --left, ++code_point) {
            block[code_point % kBlockSize] = static_cast<std::uint16_t>(run & kPropertyMask);
            if (code_point % kBlockSize != kBlockSize - 1) continue;
            const auto id = static_cast<std::uint16_t>(table.blocks.size());
            const auto [entry, fresh] = seen.try_emplace(block, id);
            if (fresh) table.blocks.push_back(block);
            table.block_of[code_point >> kBlockBits] = entry->second;
        }
    }
    return table;
}

// Lower-case letters that Unicode gained after the data of utf8proc 2.8: first and last upper-case
// letter, distance to the lower-case one, and 2 where upper and lower alternate.
struct NewerCase {
    char32_t first, last;
    std::int32_t distance;
    char32_t step;
};
constexpr std::array kNewerCases = {
    NewerCase{0x1C89, 0x1C89, 1, 1},      NewerCase{0xA7CB, 0xA7CB, 0x264 - 0xA7CB, 1},
    NewerCase{0xA7CC, 0xA7CE, 1, 2},      NewerCase{0xA7D2, 0xA7D4, 1, 2},
    NewerCase{0xA7DA, 0xA7DA, 1, 1},      NewerCase{0xA7DC, 0xA7DC, 0x19B - 0xA7DC, 1},
    NewerCase{0x10D50, 0x10D65, 0x20, 1}, NewerCase{0x16EA0, 0x16EB8, 0x1B, 1},
};

}  // namespace

CharacterClass class_of(char32_t code_point) {
    static const Table table = unfold();
    if (code_point > 0x10FFFF) return {};
    const std::uint16_t block = table.block_of[code_point >> kBlockBits];
    return {table.blocks[block][code_point % kBlockSize]};
}

void append_lower(std::string& out, char32_t code_point) {
    if (code_point < 0x80) {
        const bool upper = code_point >= 'A' && code_point <= 'Z';
        out.push_back(static_cast<char>(upper ? code_point + 32 : code_point));
        return;
    }
    if (code_point == 0x130) {  // the only code point whose lower case is two of them
        out += "i\xCC\x87";
        return;
    }
    for (const NewerCase& range : kNewerCases) {
        if (code_point < range.first || code_point > range.last) continue;
        if ((code_point - range.first) % range.step != 0) break;
        append_utf8(out, code_point + static_cast<char32_t>(range.distance));
        return;
    }
    append_utf8(out,
                static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point))));
}

std::string normalized(std::string_view text, NormalForm form) {
    std::string out;
    NormalFormReader reader(text, form);
    while (reader.next()) out += reader.text();
    return out;
}

}  // namespace heddle::text
