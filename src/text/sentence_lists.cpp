#include "text/sentence_lists.h"

#include <array>
#include <optional>

#include "text/utf8.h"

namespace heddle::text {
namespace {

// Items further apart are not one enumeration.
constexpr std::size_t kItemBytesMax = 2000;

// "1.)", "1)", "1.", "a.", "a)" with white space and, after a bare full stop, a capital behind.
struct Mark {
    enum class Style { kDot, kParenthesis, kBoth };

    std::size_t position = 0;
    int value = 0;
    bool letter = false;
    Style style = Style::kDot;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::optional<Mark> read_mark(std::string_view text, std::size_t position) {
    Mark mark = {.position = position};
    std::size_t i = position;
    while (i < text.size() && i < position + 3 && is_digit(text[i])) {
        mark.value = mark.value * 10 + (text[i++] - '0');
    }
    if (i == position) {
        if (i == text.size() || text[i] < 'a' || text[i] > 'z') return std::nullopt;
        mark.letter = true;
        mark.value = text[i++] - 'a' + 1;
    }
    const bool dot = i < text.size() && text[i] == '.';
    i += dot ? 1 : 0;
    const bool parenthesis = i < text.size() && text[i] == ')';
    i += parenthesis ? 1 : 0;
    if (!dot && !parenthesis) return std::nullopt;
    if (i + 1 >= text.size() || !is_blank(text[i])) return std::nullopt;
    const bool capital = text[i + 1] >= 'A' && text[i + 1] <= 'Z';
    if (!parenthesis && !capital) return std::nullopt;
    mark.style = !parenthesis ? Mark::Style::kDot
                 : dot        ? Mark::Style::kBoth
                              : Mark::Style::kParenthesis;
    return mark;
}

// An enumeration begins at a beginning: of the text, of a line, or after a stop or a colon.
bool may_begin_list(std::string_view text, std::size_t position) {
    while (position > 0 && (text[position - 1] == ' ' || text[position - 1] == '\t')) --position;
    return position == 0 || std::string_view("\n.:;!?").find(text[position - 1]) != text.npos;
}

}  // namespace

std::vector<std::size_t> find_list_marks(std::string_view text) {
    constexpr std::string_view kBullet = "\xE2\x80\xA2";
    constexpr std::string_view kHyphenBullet = "\xE2\x81\x83";
    std::vector<std::size_t> found;
    std::optional<Mark> last;
    bool last_in_list = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i > 0 && !is_blank(text[i - 1])) continue;
        const std::string_view rest = text.substr(i);
        if (rest.starts_with(kBullet) || rest.starts_with(kHyphenBullet)) {
            found.push_back(i);
            continue;
        }
        const std::optional<Mark> mark = read_mark(text, i);
        if (!mark) continue;
        const bool follows = last && mark->value == last->value + 1 &&
                             mark->letter == last->letter && mark->style == last->style &&
                             mark->position - last->position <= kItemBytesMax;
        if (follows) {
            if (!last_in_list) found.push_back(last->position);
            found.push_back(i);
            last = mark;
            last_in_list = true;
        } else if (may_begin_list(text, i)) {
            last = mark;
            last_in_list = false;
        }
    }
    return found;
}

}  // namespace heddle::text
