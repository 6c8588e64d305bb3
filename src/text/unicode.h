// Properties of code points. They are those that the Hugging Face `tokenizers` library sees (its
// parts use Unicode 8 to 17; see tools/unicode/make_table.py), because token ids can only be
// identical where the properties are. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::text {

enum class Category : std::uint8_t {
    kCn,
    kLu,
    kLl,
    kLt,
    kLm,
    kLo,
    kMn,
    kMc,
    kMe,
    kNd,
    kNl,
    kNo,
    kPc,
    kPd,
    kPs,
    kPe,
    kPi,
    kPf,
    kPo,
    kSm,
    kSc,
    kSk,
    kSo,
    kZs,
    kZl,
    kZp,
    kCc,
    kCf,
    kCo,
    kCs,
};

// Bits of CharacterClass::bits above its five bits of category.
enum class CharacterFlag : std::uint16_t {
    kSpace = 1 << 5,    // White_Space
    kWord = 1 << 6,     // \w of the Whitespace pre-tokenizer (Rust's regex crate)
    kNumeric = 1 << 7,  // what the Digits pre-tokenizer calls a digit
    kHan = 1 << 8,      // script Han
    kBertPunctuation = 1 << 9,
    kBertMark = 1 << 10,  // what BertNormalizer strips as an accent
    kMark = 1 << 11,      // what StripAccents strips
    kBertControl = 1 << 12,
    kKana = 1 << 13,    // script Hiragana or Katakana
    kHangul = 1 << 14,  // script Hangul
};

// Everything known of one code point, in two bytes.
struct CharacterClass {
    std::uint16_t bits = 0;

    [[nodiscard]] Category category() const { return static_cast<Category>(bits & 31); }
    [[nodiscard]] bool has(CharacterFlag flag) const {
        return (bits & static_cast<std::uint16_t>(flag)) != 0;
    }
    [[nodiscard]] bool is_space() const { return has(CharacterFlag::kSpace); }
    [[nodiscard]] bool is_letter() const { return in(Category::kLu, Category::kLo); }
    [[nodiscard]] bool is_mark() const { return in(Category::kMn, Category::kMe); }
    [[nodiscard]] bool is_number() const { return in(Category::kNd, Category::kNo); }
    [[nodiscard]] bool is_punctuation() const { return in(Category::kPc, Category::kPo); }
    [[nodiscard]] bool is_symbol() const { return in(Category::kSm, Category::kSo); }

private:
    [[nodiscard]] bool in(Category first, Category last) const {
        return category() >= first && category() <= last;
    }
};

[[nodiscard]] CharacterClass class_of(char32_t code_point);

// The full lower-case mapping of one code point without context, appended as UTF-8.
void append_lower(std::string& out, char32_t code_point);

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

// Well-formed text in a normal form (UAX #15).
[[nodiscard]] std::string normalized(std::string_view text, NormalForm form);

}  // namespace heddle::text
