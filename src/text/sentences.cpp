// One pass from left to right. At every character that may end a sentence, Splitter looks at the
// word before it, at the quotes and brackets that close after it, and at how the text goes on.
// Every look ahead or back is bounded, hence linear time.
#include "text/sentences.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "text/sentence_lists.h"
#include "text/sentence_words.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

// A parenthesis as long as this is text like any other.
constexpr std::size_t kParenthesisBytesMax = 400;
// The longest word that is looked at as a whole.
constexpr std::size_t kWordBytesMax = 256;
// A line at least this long was broken to fit a page, not ended.
constexpr std::size_t kFullLineBytes = 50;

bool is_one_of(char32_t c, std::u32string_view set) {
    return set.find(c) != set.npos;
}

bool is_latin_stop(char32_t c) {
    return c == '.' || c == '!' || c == '?' || c == 0x2026;
}
// Stops that need no space after them, or belong to scripts without upper case.
bool is_other_stop(char32_t c) {
    return is_one_of(c, U"。！？｡؟۔।॥։።፧၊။།⸮‼⁇⁈⁉");
}
bool is_closer(char32_t c) {
    return is_one_of(c, U"\"')]}”’»›」』）】〉》〕");
}
bool is_opener(char32_t c) {
    return is_one_of(c, U"\"'([{“‘„«‹「『（【〈《¿¡");
}
// Japanese particles after a quotation that go on with the sentence around it.
bool continues_quotation(char32_t c) {
    return is_one_of(c, U"とっはもがのをにで、，,");
}

bool is_bullet(char32_t c) {
    return is_one_of(c, U"•⁃‣◦*");
}

bool is_lower(char32_t c) {
    return class_of(c).category() == Category::kLl;
}
bool is_upper(char32_t c) {
    const Category category = class_of(c).category();
    return category == Category::kLu || category == Category::kLt;
}
bool is_space(char32_t c) {
    return class_of(c).is_space();
}
bool is_cjk(char32_t c) {
    const CharacterClass properties = class_of(c);
    return properties.has(CharacterFlag::kHan) || properties.has(CharacterFlag::kKana);
}

class Splitter {
public:
    explicit Splitter(std::string_view text) : text_(text), marks_(find_list_marks(text)) {}

    std::vector<ByteRange> run() {
        while (at_ < text_.size()) step();
        end_sentence(text_.size());
        return std::move(sentences_);
    }

private:
    // 0 outside the text.
    [[nodiscard]] char32_t code_point(std::size_t position) const {
        return position < text_.size() ? decode_utf8(text_, position).code_point : 0;
    }
    [[nodiscard]] std::size_t after(std::size_t position) const {
        return position < text_.size() ? position + decode_utf8(text_, position).length : position;
    }
    [[nodiscard]] char32_t before(std::size_t position) const {
        return position > 0 ? decode_utf8_before(text_, position).code_point : 0;
    }

    void step() {
        if (next_mark_ < marks_.size() && marks_[next_mark_] <= at_) {
            end_sentence(marks_[next_mark_++]);
        }
        const char32_t c = code_point(at_);
        if (c == '\n' || c == '\r' || c == 0x2029) return step_line_break();
        if (c == '(' || c == '[' || c == 0x300C || c == 0x300E) return step_parenthesis(c);
        if (is_latin_stop(c)) return step_latin_stop();
        if (is_other_stop(c)) return step_other_stop();
        at_ = after(at_);
    }

    void end_sentence(std::size_t end) {
        std::size_t begin = start_;
        start_ = end;
        while (begin < end && is_space(code_point(begin))) begin = after(begin);
        while (end > begin && is_space(before(end))) end -= decode_utf8_before(text_, end).length;
        if (begin == end) return;
        sentences_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    }

    // Where the sentence at hand begins. White space before it is passed over once and for all.
    std::size_t sentence_begin() {
        while (start_ < at_ && is_space(code_point(start_))) start_ = after(start_);
        return start_;
    }

    [[nodiscard]] std::size_t skip_spaces(std::size_t position) const {
        while (position < text_.size() && is_space(code_point(position))) {
            position = after(position);
        }
        return position;
    }

    void step_line_break();
    void step_parenthesis(char32_t open);
    void step_latin_stop();
    void step_other_stop();
    [[nodiscard]] std::size_t spaced_dots(std::size_t position, std::size_t* count) const;
    [[nodiscard]] bool begins_sentence(std::size_t position) const;
    [[nodiscard]] bool full_stop_ends(std::size_t stop, std::size_t next);
    [[nodiscard]] bool abbreviation_ends(std::string_view word, std::size_t next);
    [[nodiscard]] bool is_item_number(std::string_view word);
    [[nodiscard]] bool joined_stop_ends(std::size_t stop, std::size_t next) const;
    [[nodiscard]] std::string_view word_before(std::size_t stop) const;
    [[nodiscard]] std::string_view word_at(std::size_t position) const;

    const std::string_view text_;
    const std::vector<std::size_t> marks_;  // where items of enumerations begin
    std::size_t next_mark_ = 0;
    std::size_t start_ = 0;
    std::size_t at_ = 0;
    std::size_t unclosed_until_ = 0;  // no parenthesis that opens before it is looked at
    std::vector<ByteRange> sentences_;
};

void Splitter::step_line_break() {
    const std::size_t next = skip_spaces(at_);
    const std::string_view gap = text_.substr(at_, next - at_);
    const bool empty_line = std::ranges::count(gap, '\n') > 1 || code_point(at_) == 0x2029;
    const std::size_t line = at_ < kFullLineBytes ? 0 : at_ - kFullLineBytes;
    const bool full_line =
        line > 0 && text_.substr(line, kFullLineBytes).find_first_of("\n\r") == text_.npos;
    const char32_t first = code_point(sentence_begin());
    const char32_t following = code_point(next);
    // A line goes on where the next begins in lower case, unless it is an item of a list in lower
    // case itself; where it was full; and where it breaks between two ideographs.
    const bool goes_on = (is_lower(following) && !is_lower(first)) ||
                         (full_line && !is_bullet(following) && following != '-') ||
                         (is_cjk(before(at_)) && is_cjk(following));
    if (empty_line || !goes_on) end_sentence(at_);
    at_ = std::max(next, at_ + 1);
}

// Text in parentheses stays with its sentence. One that is never closed is text like any other, and
// so, to keep the time linear, are those right behind it.
void Splitter::step_parenthesis(char32_t open) {
    const char32_t close = open == '(' ? U')' : open == '[' ? U']' : open + 1;
    const std::size_t limit = std::min(text_.size(), at_ + kParenthesisBytesMax);
    if (at_ < unclosed_until_) {
        at_ = after(at_);
        return;
    }
    std::size_t depth = 0;
    for (std::size_t i = at_; i < limit; i = after(i)) {
        const char32_t c = code_point(i);
        if (c == '\n' && code_point(i + 1) == '\n') break;
        if (c == open) ++depth;
        if (c != close || --depth > 0) continue;
        at_ = after(i);
        // A sentence that stands in parentheses as a whole ends with them.
        const bool stopped = is_latin_stop(before(i)) || is_other_stop(before(i));
        const bool whole = open == '(' && start_ < i && code_point(sentence_begin()) == '(';
        const std::size_t next = skip_spaces(at_);
        if (stopped && whole && next > at_ && begins_sentence(next)) end_sentence(at_);
        return;
    }
    unclosed_until_ = limit;
    at_ = after(at_);
}

// How far a row of full stops with spaces between them reaches from the one at `position`.
std::size_t Splitter::spaced_dots(std::size_t position, std::size_t* count) const {
    *count = 1;
    std::size_t end = position + 1;
    while (end + 1 < text_.size() && text_[end] == ' ' && text_[end + 1] == '.') {
        end += 2;
        ++*count;
    }
    return end;
}

// Whether text that begins like this may be a new sentence: not in lower case.
bool Splitter::begins_sentence(std::size_t position) const {
    for (int i = 0; i < 3 && is_opener(code_point(position)); ++i) position = after(position);
    const char32_t c = code_point(position);
    if (c == 0) return true;
    return !is_lower(c) && !is_one_of(c, U",;:.)]}—–-");
}

std::string_view Splitter::word_before(std::size_t stop) const {
    const std::size_t floor = std::max(start_, stop > kWordBytesMax ? stop - kWordBytesMax : 0);
    std::size_t begin = stop;
    while (begin > floor) {
        const Utf8Character c = decode_utf8_before(text_, begin);
        if (is_space(c.code_point) || begin < floor + c.length) break;
        begin -= c.length;
    }
    const auto leads_word = [](char32_t c) { return is_opener(c) || is_bullet(c); };
    while (begin < stop && leads_word(code_point(begin))) begin = after(begin);
    return text_.substr(begin, stop - begin);
}

std::string_view Splitter::word_at(std::size_t position) const {
    std::size_t end = position;
    const std::size_t limit = std::min(text_.size(), position + kWordBytesMax);
    while (end < limit) {
        const char32_t c = code_point(end);
        const bool apostrophe = c == '\'' && class_of(code_point(end + 1)).is_letter();
        if (!class_of(c).is_letter() && !apostrophe) break;
        end = after(end);
    }
    return text_.substr(position, end - position);
}

// "the U.S. How …" ends a sentence, "the U.S. Government" does not: only words that often begin
// one tell. A time of day ends one before any capital, but is none on its own ("At 5 a.m. Mr. …").
bool Splitter::abbreviation_ends(std::string_view word, std::size_t next) {
    const std::string_view following = word_at(next);
    if (is_sentence_starter(following)) return true;
    if (word != "a.m" && word != "p.m" && word != "A.M" && word != "P.M") return false;
    constexpr std::size_t kShortSentenceBytes = 20;
    return next - sentence_begin() > kShortSentenceBytes && is_upper(code_point(next));
}

bool is_initials(std::string_view word) {  // "E", "U.S", "a.m"
    for (std::size_t i = 0; i < word.size(); ++i) {
        const auto c = static_cast<unsigned char>(word[i]);
        const bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (i % 2 == 0 ? !letter : c != '.') return false;
    }
    return word.size() % 2 == 1;
}

// "1. Introduction", "• 9. The first item": a number or a letter that leads a sentence.
bool Splitter::is_item_number(std::string_view word) {
    const bool digits = std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
    if (word.empty() || word.size() > 3 || (!digits && word.size() > 1)) return false;
    constexpr std::size_t kLeadBytesMax = 8;
    const auto begin = static_cast<std::size_t>(word.data() - text_.data());
    if (begin - sentence_begin() > kLeadBytesMax) return false;
    for (std::size_t i = sentence_begin(); i < begin; i = after(i)) {
        const char32_t c = code_point(i);
        if (!is_space(c) && !is_bullet(c) && c != '-') return false;
    }
    return true;
}

// A full stop with white space after it; `next` is where the text goes on.
bool Splitter::full_stop_ends(std::size_t stop, std::size_t next) {
    const std::string_view word = word_before(stop);
    if (is_item_number(word)) return false;
    if (word == "I") return is_sentence_starter(word_at(next));
    if (is_initials(word)) return abbreviation_ends(word, next);
    const char32_t following = code_point(next);
    switch (abbreviation_kind(word)) {
        case Abbreviation::kTitle:
            return false;
        case Abbreviation::kNumber:
            return class_of(following).category() != Category::kNd;
        case Abbreviation::kGeneral:
            return abbreviation_ends(word, next);
        case Abbreviation::kNone:
            return true;
    }
    return true;
}

// "Hello world.Today": a full stop without a space, between a small letter or a digit and a
// capitalised word, outside of addresses.
bool Splitter::joined_stop_ends(std::size_t stop, std::size_t next) const {
    if (text_[stop] != '.' || next != stop + 1) return false;
    const char32_t last = before(stop);
    const bool plain = is_lower(last) || class_of(last).category() == Category::kNd;
    if (!plain || !is_upper(code_point(next)) || !is_lower(code_point(after(next)))) return false;
    const std::size_t end = text_.find_first_of(" \t\r\n", next);
    const std::size_t length = std::min(end, text_.size()) - next;
    const std::string_view rest = text_.substr(next, std::min(length, kWordBytesMax));
    constexpr std::string_view kOfAddresses = "@/\\_:=#&<>(";
    return word_before(stop).find_first_of(kOfAddresses) == std::string_view::npos &&
           rest.find_first_of(kOfAddresses) == std::string_view::npos;
}

void Splitter::step_latin_stop() {
    const std::size_t stop = at_;
    std::size_t dots = 0;
    const std::size_t dots_end = spaced_dots(stop, &dots);
    std::size_t end = dots_end;
    if (text_[stop] != '.' || dots < 3) {
        dots = 0;
        end = stop;
        while (is_latin_stop(code_point(end))) {
            dots += code_point(end) == '.';
            end = after(end);
        }
    } else if (dots == 4 && stop > 0 && !is_space(before(stop)) &&
               is_upper(code_point(skip_spaces(dots_end)))) {
        // "compounds. . . . The practice": the first one ends the sentence, the rest is left out.
        end_sentence(stop + 1);
        at_ = dots_end;
        return;
    }
    const bool spaced = end == dots_end && dots >= 3 && text_[stop + 1] == ' ';
    while (is_closer(code_point(end))) end = after(end);
    const std::size_t next = skip_spaces(end);
    at_ = end;
    if (next == end && next < text_.size()) {
        const bool cjk = is_cjk(code_point(next)) && text_[stop] != '.';
        if (cjk || joined_stop_ends(stop, next)) end_sentence(end);
        return;
    }
    if (!begins_sentence(next) || (spaced && dots == 3)) return;
    // A lone full stop may belong to an abbreviation, and one with a parenthesis to an item.
    const bool lone = dots == 1 && end == stop + 1;
    const bool of_item =
        dots == 1 && code_point(stop + 1) == ')' && is_item_number(word_before(stop));
    if (of_item || (lone && next < text_.size() && !full_stop_ends(stop, next))) return;
    end_sentence(end);
}

void Splitter::step_other_stop() {
    std::size_t end = at_;
    while (is_other_stop(code_point(end)) || is_latin_stop(code_point(end))) end = after(end);
    const std::size_t stops_end = end;
    while (is_closer(code_point(end))) end = after(end);
    at_ = end;
    if (end > stops_end && continues_quotation(code_point(end))) return;
    end_sentence(end);
}

}  // namespace

std::vector<ByteRange> split_sentences(std::string_view text) {
    return Splitter(text).run();
}

}  // namespace heddle::text
