#include "service/content_words.h"

#include <algorithm>
#include <array>

#include <utf8proc.h>

#include "text/utf8.h"

namespace heddle::service {
namespace {

// Sorted, so that it can be searched. Question words are stop words too: they say what kind of
// answer is wanted, not what it is about.
constexpr auto kStopWords = std::to_array<std::string_view>(
    {"a",      "about", "above",   "after",  "again",  "all",    "also",    "am",      "an",
     "and",    "any",   "are",     "as",     "at",     "be",     "because", "been",    "before",
     "being",  "below", "between", "both",   "but",    "by",     "can",     "could",   "did",
     "do",     "does",  "doing",   "down",   "during", "each",   "few",     "for",     "from",
     "had",    "has",   "have",    "having", "he",     "her",    "here",    "hers",    "him",
     "his",    "how",   "i",       "if",     "in",     "into",   "is",      "it",      "its",
     "just",   "many",  "may",     "me",     "more",   "most",   "much",    "must",    "my",
     "no",     "nor",   "not",     "of",     "off",    "on",     "once",    "only",    "or",
     "other",  "our",   "out",     "over",   "own",    "please", "same",    "shall",   "she",
     "should", "so",    "some",    "such",   "tell",   "than",   "that",    "the",     "their",
     "them",   "then",  "there",   "these",  "they",   "this",   "those",   "through", "to",
     "too",    "under", "until",   "up",     "us",     "very",   "was",     "we",      "were",
     "what",   "when",  "where",   "which",  "while",  "who",    "whom",    "why",     "will",
     "with",   "would", "you",     "your"});
static_assert(std::is_sorted(kStopWords.begin(), kStopWords.end()));

bool is_stop_word(std::string_view word) {
    return std::binary_search(kStopWords.begin(), kStopWords.end(), word);
}

bool is_cjk(char32_t c) {
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7AF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2FA1F);
}

// Particles and question words of Chinese: no part of what a question is about.
bool is_cjk_function_character(char32_t c) {
    constexpr std::u32string_view kCharacters = U"的了吗呢吧是在有和与及或么什哪谁怎";
    return kCharacters.find(c) != std::u32string_view::npos;
}

bool is_word_character(char32_t c) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_NO:
            return true;
        default:
            return false;
    }
}

bool ends_with(const std::string& word, std::string_view suffix) {
    return std::string_view(word).ends_with(suffix);
}

bool is_ascii(const std::string& word) {
    return std::all_of(word.begin(), word.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// "running" → "run", "stopped" → "stop": a doubled consonant is halved.
void undouble(std::string& word) {
    const std::size_t n = word.size();
    if (n >= 3 && word[n - 1] == word[n - 2] &&
        std::string_view("bdgmnprt").find(word[n - 1]) != std::string_view::npos)
        word.pop_back();
}

void stem(std::string& word) {
    if (word.size() < 4 || !is_ascii(word)) return;
    if (ends_with(word, "ies") && word.size() > 4) {
        word.replace(word.size() - 3, 3, "y");
    } else if (ends_with(word, "s") && !ends_with(word, "ss") && !ends_with(word, "us") &&
               !ends_with(word, "is")) {
        word.pop_back();
        if (ends_with(word, "xe") || ends_with(word, "che") || ends_with(word, "she") ||
            ends_with(word, "sse"))
            word.pop_back();
    }
    if (ends_with(word, "ing") && word.size() > 5) {
        word.resize(word.size() - 3);
        undouble(word);
    } else if (ends_with(word, "ed") && word.size() > 4) {
        word.resize(word.size() - 2);
        undouble(word);
    }
    // "cache", "cached" and "caching" meet without their e.
    if (word.size() > 4 && word.back() == 'e') word.pop_back();
}

// Collects the words while the text is read once.
class Collector {
public:
    void add(char32_t c) {
        const char32_t folded =
            static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
        if (is_cjk(folded)) {
            flush();
            add_cjk(folded);
        } else if (is_word_character(folded)) {
            previous_cjk_ = 0;
            text::append_utf8(word_, folded);
        } else {
            previous_cjk_ = 0;
            flush();
        }
    }

    std::vector<std::string> finish() {
        flush();
        return std::move(words_);
    }

private:
    void add_cjk(char32_t c) {
        if (is_cjk_function_character(c)) {
            previous_cjk_ = 0;
            return;
        }
        if (previous_cjk_ != 0) {
            std::string bigram;
            text::append_utf8(bigram, previous_cjk_);
            text::append_utf8(bigram, c);
            words_.push_back(std::move(bigram));
        }
        previous_cjk_ = c;
    }

    void flush() {
        if (word_.empty()) return;
        if (!is_stop_word(word_)) {
            stem(word_);
            words_.push_back(std::move(word_));
        }
        word_.clear();
    }

    std::vector<std::string> words_;
    std::string word_;
    char32_t previous_cjk_ = 0;
};

}  // namespace

std::vector<std::string> content_words(std::string_view text) {
    Collector collector;
    std::size_t i = 0;
    while (i < text.size()) {
        const text::Utf8Character c = text::decode_utf8(text, i);
        collector.add(c.code_point);
        i += c.length;
    }
    return collector.finish();
}

}  // namespace heddle::service
