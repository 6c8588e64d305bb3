#include "text/template_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/template_syntax.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

using Kind = TemplateToken::Kind;

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_name(char c) {
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
public:
    explicit Lexer(std::string_view source) {
        source_.reserve(source.size());
        for (std::size_t i = 0; i < source.size(); ++i) {
            if (source[i] == '\r') {
                source_ += '\n';
                if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
            } else {
                source_ += source[i];
            }
        }
        if (source_.ends_with('\n')) source_.pop_back();
    }

    std::vector<TemplateToken> run() {
        while (at_ < source_.size()) read_text();
        push(Kind::kEnd, "");
        return std::move(tokens_);
    }

private:
    [[noreturn]] void fail_here(std::string_view what) const {
        throw TemplateFailure(fmt::format("line {}: {}", line_, what));
    }

    void push(Kind kind, std::string_view text) {
        tokens_.push_back({kind, std::string(text), line_});
    }

    void advance(std::size_t to) {
        const auto begin = source_.begin() + static_cast<std::ptrdiff_t>(at_);
        line_ += static_cast<int>(
            std::count(begin, source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
        at_ = to;
    }

    [[nodiscard]] std::string_view rest() const { return std::string_view(source_).substr(at_); }
    [[nodiscard]] char peek(std::size_t ahead) const {
        return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
    }

    void read_text();
    void read_comment(std::string_view text);
    void read_tag(Kind begin, Kind end, std::string_view closing);
    bool read_tag_end(Kind end, std::string_view closing);
    bool read_raw();
    void read_token();
    void read_string();
    [[nodiscard]] std::string read_escape(std::size_t& place, std::size_t digits) const;
    void read_number();
    void push_text(std::string_view text, bool strips_all, bool strips_line);
    void skip_after_tag(bool strips_all, bool trims_line);

    std::string source_;
    std::size_t at_ = 0;
    int line_ = 1;
    std::size_t text_begin_ = 0;
    std::vector<TemplateToken> tokens_;
};

// Text before a tag: `{%-` takes all white space along, and a block or comment that stands alone
// on its line the blanks before it.
void Lexer::push_text(std::string_view text, bool strips_all, bool strips_line) {
    if (strips_all) {
        while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    } else if (strips_line) {
        std::size_t end = text.size();
        while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
        const bool line_begins =
            end > 0 ? text[end - 1] == '\n' : text_begin_ == 0 || source_[text_begin_ - 1] == '\n';
        if (line_begins) text = text.substr(0, end);
    }
    if (!text.empty()) push(Kind::kText, text);
}

void Lexer::skip_after_tag(bool strips_all, bool trims_line) {
    std::size_t to = at_;
    if (strips_all) {
        while (to < source_.size() && is_space(source_[to])) ++to;
    } else if (trims_line && to < source_.size() && source_[to] == '\n') {
        ++to;
    }
    advance(to);
    text_begin_ = at_;
}

void Lexer::read_text() {
    text_begin_ = at_;
    std::size_t open = at_;
    for (;; ++open) {
        open = source_.find('{', open);
        if (open == source_.npos || open + 1 == source_.size()) {
            push_text(rest(), false, false);
            advance(source_.size());
            return;
        }
        const char next = source_[open + 1];
        if (next == '{' || next == '%' || next == '#') break;
    }
    const std::string_view text = std::string_view(source_).substr(at_, open - at_);
    const char kind = source_[open + 1];
    const char control = open + 2 < source_.size() ? source_[open + 2] : '\0';
    const bool plus = kind != '{' && control == '+';
    push_text(text, control == '-', kind != '{' && !plus);
    advance(open + 2 + (control == '-' || plus ? 1 : 0));
    if (kind == '#') return read_comment(text);
    if (kind == '{') return read_tag(Kind::kOutputBegin, Kind::kOutputEnd, "}}");
    if (!read_raw()) read_tag(Kind::kBlockBegin, Kind::kBlockEnd, "%}");
}

void Lexer::read_comment(std::string_view) {
    const std::size_t close = source_.find("#}", at_);
    if (close == source_.npos) fail_here("a comment is not closed");
    const bool strips = close > at_ && source_[close - 1] == '-';
    const bool plus = close > at_ && source_[close - 1] == '+';
    advance(close + 2);
    skip_after_tag(strips, !plus);
}

// {% raw %} … {% endraw %}: text as it stands.
bool Lexer::read_raw() {
    std::size_t i = at_;
    const auto skip = [&] {
        while (i < source_.size() && is_space(source_[i])) ++i;
    };
    const auto take = [&](std::string_view word) {
        skip();
        if (!std::string_view(source_).substr(i).starts_with(word)) return false;
        i += word.size();
        skip();
        return true;
    };
    if (!take("raw")) return false;
    const bool strips = i < source_.size() && source_[i] == '-';
    if (strips) ++i;
    if (!take("%}")) return false;
    i = source_.find("%}", at_) + 2;
    advance(i);
    skip_after_tag(strips, true);
    const std::size_t begin = at_;
    for (std::size_t open = source_.find("{%", at_); open != source_.npos;
         open = source_.find("{%", open + 2)) {
        i = open + 2;
        const bool strips_before = i < source_.size() && source_[i] == '-';
        if (strips_before) ++i;
        if (!take("endraw")) continue;
        const bool strips_after = i < source_.size() && source_[i] == '-';
        if (strips_after) ++i;
        if (!std::string_view(source_).substr(i).starts_with("%}")) continue;
        push_text(std::string_view(source_).substr(begin, open - begin), strips_before, true);
        advance(i + 2);
        skip_after_tag(strips_after, true);
        return true;
    }
    fail_here("a raw block is not closed");
}

void Lexer::read_tag(Kind begin, Kind end, std::string_view closing) {
    push(begin, "");
    int depth = 0;  // of brackets: `}}` may close two maps
    for (;;) {
        while (at_ < source_.size() && is_space(source_[at_])) advance(at_ + 1);
        if (at_ >= source_.size()) fail_here("a tag is not closed");
        if (depth == 0 && read_tag_end(end, closing)) return;
        const char c = source_[at_];
        if (c == '(' || c == '[' || c == '{') ++depth;
        if (c == ')' || c == ']' || c == '}') depth = std::max(0, depth - 1);
        read_token();
    }
}

bool Lexer::read_tag_end(Kind end, std::string_view closing) {
    const bool strips = peek(0) == '-' && rest().substr(1).starts_with(closing);
    const bool plus = peek(0) == '+' && rest().substr(1).starts_with(closing);
    if (!strips && !plus && !rest().starts_with(closing)) return false;
    advance(at_ + closing.size() + (strips || plus ? 1 : 0));
    push(end, "");
    skip_after_tag(strips, end == Kind::kBlockEnd && !plus);
    return true;
}

void Lexer::read_token() {
    const char c = peek(0);
    if (c == '"' || c == '\'') return read_string();
    if (is_digit(c)) return read_number();
    if (is_name(c)) {
        std::size_t end = at_;
        while (end < source_.size() && is_name(source_[end])) ++end;
        push(Kind::kName, rest().substr(0, end - at_));
        return advance(end);
    }
    static constexpr std::array<std::string_view, 26> kOperators = {
        "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<",
        ">",  "=",  ".",  ":",  "|",  ",",  "(", ")", "[", "]", "{", "}", ";"};
    for (const std::string_view op : kOperators) {
        if (!rest().starts_with(op)) continue;
        push(Kind::kOperator, op);
        return advance(at_ + op.size());
    }
    fail_here("an unexpected character");
}

void Lexer::read_number() {
    std::size_t end = at_;
    bool is_float = false;
    const auto digits = [&] {
        while (end < source_.size() && (is_digit(source_[end]) || source_[end] == '_')) ++end;
    };
    digits();
    if (end + 1 < source_.size() && source_[end] == '.' && is_digit(source_[end + 1])) {
        is_float = true;
        ++end;
        digits();
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
        std::size_t exponent = end + 1;
        if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) {
            ++exponent;
        }
        if (exponent < source_.size() && is_digit(source_[exponent])) {
            is_float = true;
            end = exponent;
            digits();
        }
    }
    std::string text(rest().substr(0, end - at_));
    std::erase(text, '_');
    push(is_float ? Kind::kFloat : Kind::kInteger, text);
    advance(end);
}

// The character that `digits` hexadecimal digits at `place` stand for.
std::string Lexer::read_escape(std::size_t& place, std::size_t digits) const {
    char32_t value = 0;
    for (std::size_t k = 0; k < digits; ++k, ++place) {
        const char c = place < source_.size() ? source_[place] : '\0';
        const int digit = is_digit(c)            ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) fail_here("an escape in a string is cut short");
        value = value << 4 | static_cast<char32_t>(digit);
    }
    const bool surrogate = value >= 0xD800 && value < 0xE000;
    std::string text;
    append_utf8(text, value > 0x10FFFF || surrogate ? kReplacement : value);
    return text;
}

void Lexer::read_string() {
    const char quote = peek(0);
    std::string text;
    std::size_t i = at_ + 1;
    while (i < source_.size() && source_[i] != quote) {
        const char c = source_[i++];
        if (c != '\\' || i == source_.size()) {
            text += c;
            continue;
        }
        const char escaped = source_[i++];
        switch (escaped) {
            case 'n':
                text += '\n';
                break;
            case 't':
                text += '\t';
                break;
            case 'r':
                text += '\r';
                break;
            case 'a':
                text += '\a';
                break;
            case 'b':
                text += '\b';
                break;
            case 'f':
                text += '\f';
                break;
            case 'v':
                text += '\v';
                break;
            case '0':
                text += '\0';
                break;
            case '\n':
                break;
            case '\\':
            case '\'':
            case '"':
                text += escaped;
                break;
            case 'x':
                text += read_escape(i, 2);
                break;
            case 'u':
                text += read_escape(i, 4);
                break;
            case 'U':
                text += read_escape(i, 8);
                break;
            default:
                text.append({'\\', escaped});
        }
    }
    if (i >= source_.size()) fail_here("a string is not closed");
    push(Kind::kString, text);
    advance(i + 1);
}

}  // namespace

std::vector<TemplateToken> read_template_tokens(std::string_view source) {
    return Lexer(source).run();
}

}  // namespace heddle::text
