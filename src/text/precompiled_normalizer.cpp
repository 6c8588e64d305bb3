#include "text/precompiled_normalizer.h"

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <utf8proc.h>

#include "text/utf8.h"

namespace heddle::text {
namespace {

// One cell of the double array, in the layout of darts-clone.
struct Unit {
    std::uint32_t bits;

    [[nodiscard]] bool has_leaf() const { return (bits >> 8 & 1) != 0; }
    [[nodiscard]] std::uint32_t value() const { return bits & 0x7FFFFFFF; }
    [[nodiscard]] std::uint32_t label() const { return bits & (0x80000000u | 0xFF); }
    [[nodiscard]] std::size_t offset() const {
        return std::size_t{bits >> 10} << ((bits & 1u << 9) >> 6);
    }
};

class PrecompiledNormalizer final : public Normalizer {
public:
    PrecompiledNormalizer(std::vector<Unit> units, std::string replacements)
        : units_(std::move(units)), replacements_(std::move(replacements)) {}

    void apply(WorkingText& text) const override {
        Rewriter out(text);
        const std::string_view source = out.source();
        for (std::size_t begin = 0; begin < source.size();) {
            const std::size_t end = grapheme_end(source, begin);
            rewrite_grapheme(source, begin, end, out);
            begin = end;
        }
        out.finish();
    }

private:
    // `tokenizers` looks up whole short graphemes first, then their characters, and takes the
    // replacement of the shortest rule that fits. Its models were made to go with that.
    void rewrite_grapheme(std::string_view source, std::size_t begin, std::size_t end,
                          Rewriter& out) const {
        constexpr std::size_t kShortBytes = 6;
        if (end - begin < kShortBytes) {
            if (const auto whole = find(source.substr(begin, end - begin))) {
                out.replace(begin, end, *whole);
                return;
            }
        }
        for (std::size_t i = begin; i < end;) {
            const std::size_t next = i + decode_utf8(source, i).length;
            if (const auto replacement = find(source.substr(i, next - i))) {
                out.replace(i, next, *replacement);
            } else {
                out.keep(i, next);
            }
            i = next;
        }
    }

    static std::size_t grapheme_end(std::string_view source, std::size_t begin) {
        utf8proc_int32_t state = 0;
        Utf8Character last = decode_utf8(source, begin);
        std::size_t end = begin + last.length;
        while (end < source.size()) {
            const Utf8Character c = decode_utf8(source, end);
            if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(last.code_point),
                                                 static_cast<utf8proc_int32_t>(c.code_point),
                                                 &state)) {
                break;
            }
            end += c.length;
            last = c;
        }
        return end;
    }

    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const {
        std::size_t node = units_.front().offset();
        for (const char c : key) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte == 0) break;
            node ^= byte;
            if (node >= units_.size() || units_[node].label() != byte) return std::nullopt;
            const Unit unit = units_[node];
            node ^= unit.offset();
            if (!unit.has_leaf()) continue;
            if (node >= units_.size()) return std::nullopt;
            const std::size_t begin = units_[node].value();
            // A place inside a character would make ill-formed text.
            if (begin >= replacements_.size() || (replacements_[begin] & 0xC0) == 0x80) {
                return std::nullopt;
            }
            return std::string_view(replacements_)
                .substr(begin, replacements_.find('\0', begin) - begin);
        }
        return std::nullopt;
    }

    const std::vector<Unit> units_;
    const std::string replacements_;  // well-formed, ends with NUL
};

}  // namespace

Result<NormalizerPtr> make_precompiled_normalizer(std::string_view bytes) {
    const auto corrupt = [](std::string what) {
        return fail(ErrorCode::kCorrupt, "precompiled normalization rules: " + what);
    };
    std::uint32_t trie_bytes = 0;
    if (bytes.size() < sizeof trie_bytes) return corrupt("too short");
    std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
    bytes.remove_prefix(sizeof trie_bytes);
    if (trie_bytes == 0 || trie_bytes % sizeof(Unit) != 0 || trie_bytes > bytes.size()) {
        return corrupt("the trie has an impossible size");
    }
    std::vector<Unit> units(trie_bytes / sizeof(Unit));
    std::memcpy(units.data(), bytes.data(), trie_bytes);
    std::string replacements(bytes.substr(trie_bytes));
    replacements.push_back('\0');
    if (!is_valid_utf8(replacements)) return corrupt("replacements are not UTF-8");
    return std::make_unique<PrecompiledNormalizer>(std::move(units), std::move(replacements));
}

Result<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::size_t digit = kAlphabet.find(c);
        if (digit == kAlphabet.npos) return fail(ErrorCode::kCorrupt, "text is not base64");
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>(bits >> count & 0xFF));
    }
    return bytes;
}

}  // namespace heddle::text
