#include "search/keyword_text.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::search {
namespace {

using text::CharacterFlag;

// Lucene's English stop words, and the words that questions are asked with.
constexpr std::array<std::string_view, 55> kStopWords{
    "a",    "about", "an",    "and",   "any",   "are",   "as",    "at",   "be",   "been",  "but",
    "by",   "can",   "could", "did",   "do",    "does",  "for",   "from", "had",  "has",   "have",
    "how",  "if",    "in",    "into",  "is",    "it",    "no",    "not",  "of",   "on",    "or",
    "such", "that",  "the",   "their", "then",  "there", "these", "they", "this", "to",    "was",
    "were", "what",  "when",  "where", "which", "who",   "why",   "will", "with", "would", "you"};

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

enum class Kind { kOther, kWord, kUnspaced };

// Lengthens a vowel of kana, but belongs to no script of its own.
constexpr char32_t kProlongedSound = 0x30FC;

Kind kind_of(char32_t c) {
    const text::CharacterClass cls = text::class_of(c);
    if (c == kProlongedSound || cls.has(CharacterFlag::kHan) || cls.has(CharacterFlag::kKana) ||
        cls.has(CharacterFlag::kHangul)) {
        return Kind::kUnspaced;
    }
    if (cls.is_letter() || cls.is_number() || cls.is_mark()) return Kind::kWord;
    return Kind::kOther;
}

// Calls word(text) for every word and unspaced(characters) for every run without spaces, and
// other(text) for what is between.
template <class Word, class Unspaced, class Other>
void split(std::string_view input, Word word, Unspaced unspaced, Other other) {
    std::size_t at = 0;
    while (at < input.size()) {
        const std::size_t start = at;
        const Kind kind = kind_of(text::decode_utf8(input, at).code_point);
        std::vector<std::string_view> characters;
        while (at < input.size()) {
            const auto character = text::decode_utf8(input, at);
            if (kind_of(character.code_point) != kind) break;
            if (kind == Kind::kUnspaced) characters.push_back(input.substr(at, character.length));
            at += character.length;
        }
        if (kind == Kind::kWord) word(input.substr(start, at - start));
        if (kind == Kind::kUnspaced) unspaced(characters);
        if (kind == Kind::kOther) other(input.substr(start, at - start));
    }
}

std::string lower(std::string_view word) {
    std::string out;
    for (std::size_t at = 0; at < word.size();) {
        const auto character = text::decode_utf8(word, at);
        text::append_lower(out, character.code_point);
        at += character.length;
    }
    return out;
}

// Valid, and one spelling for the wide and narrow forms of a character.
std::string prepared(std::string_view input) {
    return text::normalized(text::to_valid_utf8(input), text::NormalForm::kNfkc);
}

}  // namespace

std::string keyword_text(std::string_view input) {
    if (is_ascii(input)) return std::string(input);
    const std::string valid = prepared(input);
    std::string out;
    const auto keep = [&](std::string_view part) { out += part; };
    const auto pairs = [&](const std::vector<std::string_view>& characters) {
        out += ' ';
        if (characters.size() == 1) out += characters[0];
        for (std::size_t i = 0; i + 1 < characters.size(); ++i) {
            out += characters[i];
            out += characters[i + 1];
            out += ' ';
        }
        out += ' ';
    };
    split(valid, keep, pairs, keep);
    return out;
}

std::vector<QueryTerm> query_terms(std::string_view question, std::size_t terms_max) {
    const std::string valid = prepared(question);
    std::vector<QueryTerm> terms;
    std::vector<QueryTerm> common;
    const auto add = [&](std::vector<QueryTerm>& to, QueryTerm term) {
        if (to.size() < terms_max && std::ranges::find(to, term) == to.end()) {
            to.push_back(std::move(term));
        }
    };
    const auto word = [&](std::string_view part) {
        const std::string folded = lower(part);
        const bool is_common = std::ranges::find(kStopWords, folded) != kStopWords.end();
        add(is_common ? common : terms, {.text = folded});
    };
    const auto pairs = [&](const std::vector<std::string_view>& characters) {
        if (characters.size() == 1) {
            add(terms, {.text = std::string(characters[0]), .prefix = true});
        }
        for (std::size_t i = 0; i + 1 < characters.size(); ++i) {
            add(terms, {.text = std::string(characters[i]) + std::string(characters[i + 1])});
        }
    };
    split(valid, word, pairs, [](std::string_view) {});
    return terms.empty() ? common : terms;
}

}  // namespace heddle::search
