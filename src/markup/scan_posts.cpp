// twitter-text's conventions (github.com/twitter/twitter-text, Apache-2.0), as a scanner.
#include <algorithm>

#include "markup/prose_scanner.h"
#include "markup/top_level_domains.h"
#include "text/unicode.h"

namespace heddle::markup {

namespace {

constexpr std::size_t kLabelMax = 63;
constexpr std::size_t kHostMax = 253;

bool is_digit(char32_t c) {
    return c >= U'0' && c <= U'9';
}
bool is_alnum(char32_t c) {
    return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}
bool is_latin_accent(char32_t c) {
    return (c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7) || c == 0x253 || c == 0x254 ||
           c == 0x256 || c == 0x257 || c == 0x259 || c == 0x25B || c == 0x263 || c == 0x268 ||
           c == 0x26F || c == 0x272 || c == 0x289 || c == 0x28B || c == 0x2BB ||
           (c >= 0x300 && c <= 0x36F) || (c >= 0x1E00 && c <= 0x1EFF);
}
bool is_cyrillic(char32_t c) {
    return c >= 0x400 && c <= 0x4FF;
}

bool is_any_of(char32_t c, std::string_view ascii) {
    return c != 0 && c < 0x80 && ascii.find(static_cast<char>(c)) != std::string_view::npos;
}

bool is_bidi_control(char32_t c) {
    return (c >= 0x202A && c <= 0x202E) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2066 && c <= 0x2069);
}

// Any letter or sign that is not ASCII punctuation, white space, control or punctuation.
bool is_domain_letter(char32_t c) {
    if (c < 0x80) return is_alnum(c);
    const auto character = text::class_of(c);
    const auto category = character.category();
    return !character.is_punctuation() && !character.is_space() && !is_bidi_control(c) &&
           category != text::Category::kCc && category != text::Category::kZs &&
           !(c >= 0xFF00 && c <= 0xFF0F);
}

bool is_path_letter(char32_t c) {
    return is_alnum(c) || is_cyrillic(c) || is_latin_accent(c) || c == 0x2013 ||
           is_any_of(c, "!*';:=+,.$/%#[]-_~@|&");
}
bool ends_path(char32_t c) {
    return is_alnum(c) || is_cyrillic(c) || is_latin_accent(c) || is_any_of(c, "+-=_#/");
}
bool is_query_letter(char32_t c) {
    return is_alnum(c) || is_any_of(c, "!?*'@();:&=+$/%#[]-_.,~|");
}
bool ends_query(char32_t c) {
    return is_alnum(c) || is_any_of(c, "-_&=#/");
}

class Scanner {
public:
    Scanner(const DecodedProse& text, const FindUrlOptions& options)
        : text_(text), options_(options) {}

    std::vector<Span> scan() {
        std::vector<Span> found;
        for (std::size_t i = 0; i < text_.size();) {
            const std::size_t skip = with_scheme(i, found);
            if (skip > i) {
                i = skip;
                continue;
            }
            const std::size_t end = options_.bare_domains ? bare(i, found) : 0;
            i = std::max(end, i + 1);
        }
        return found;
    }

private:
    [[nodiscard]] bool may_follow(std::size_t i) const {
        if (i == 0) return true;
        const char32_t before = text_.at(i - 1);
        return !is_alnum(before) && before != U'@' && before != 0xFF20 && before != U'$' &&
               before != U'#' && before != 0xFF03;
    }

    // Reads a URL with its scheme; returns where to go on, or `i` when none begins here.
    std::size_t with_scheme(std::size_t i, std::vector<Span>& found) const {
        const std::size_t scheme = text_.starts_with(i, "https://")  ? 8
                                   : text_.starts_with(i, "http://") ? 7
                                                                     : 0;
        if (scheme == 0) return i;
        const std::size_t begin = i + scheme;
        if (!may_follow(i)) return skip_word(begin);
        const std::size_t end = known_host(begin, false);
        if (end == 0) return begin;
        const std::size_t last = rest(begin, end);
        if (last == 0) return skip_word(begin);
        found.push_back({i, last});
        return last;
    }

    [[nodiscard]] std::size_t skip_word(std::size_t i) const {
        while (i < text_.size() && !text::class_of(text_.at(i)).is_space()) ++i;
        return i;
    }

    // Port, path and query after a host; 0 for a short link that cannot be one.
    [[nodiscard]] std::size_t rest(std::size_t host, std::size_t end) const {
        if (lower_utf8(text_.text(host, end)) == "t.co" && text_.at(end) == U'/') {
            return short_link(end);
        }
        std::size_t last = end;
        if (text_.at(last) == U':' && is_digit(text_.at(last + 1))) {
            ++last;
            while (is_digit(text_.at(last))) ++last;
        }
        if (text_.at(last) == U'/') last = path(last);
        if (text_.at(last) == U'?') last = query(last);
        return last;
    }

    // The service's own short links: letters and digits, at most 40.
    [[nodiscard]] std::size_t short_link(std::size_t slash) const {
        constexpr std::size_t kSlugMax = 40;
        std::size_t end = slash + 1;
        while (is_alnum(text_.at(end))) ++end;
        if (end - slash - 1 > kSlugMax) return 0;
        return text_.at(end) == U'?' ? query(end) : end;
    }

    // The furthest place at which a path can end.
    [[nodiscard]] std::size_t path(std::size_t i) const {
        std::size_t last = i + 1;
        for (std::size_t at = i + 1; at < text_.size();) {
            if (text_.at(at) == U'(') {
                const std::size_t close = balanced(at, 0);
                if (close == at) break;
                at = last = close;
                continue;
            }
            if (!is_path_letter(text_.at(at))) break;
            if (ends_path(text_.at(at))) last = at + 1;
            ++at;
        }
        return last;
    }

    // Past the parenthesis that closes the one at `i`, at most one nested inside.
    [[nodiscard]] std::size_t balanced(std::size_t i, int depth) const {
        constexpr std::size_t kInsideMax = 1024;
        for (std::size_t at = i + 1; at < text_.size() && at - i < kInsideMax;) {
            const char32_t c = text_.at(at);
            if (c == U')') return at > i + 1 ? at + 1 : i;
            if (c == U'(') {
                const std::size_t inner = depth == 0 ? balanced(at, 1) : at;
                if (inner == at) return i;
                at = inner;
                continue;
            }
            if (!is_path_letter(c)) return i;
            ++at;
        }
        return i;
    }

    [[nodiscard]] std::size_t query(std::size_t i) const {
        std::size_t last = i;
        for (std::size_t at = i + 1; at < text_.size() && is_query_letter(text_.at(at)); ++at) {
            if (ends_query(text_.at(at))) last = at + 1;
        }
        return last;
    }

    // The longest host from `i` that ends in a known domain; `ascii` admits accents but no other
    // scripts.
    [[nodiscard]] std::size_t known_host(std::size_t i, bool ascii) const {
        std::size_t best = 0;
        std::size_t label = i;
        int labels = 0;
        while (text_.at(label) != U'\0') {
            std::size_t end = label;
            while (is_label_letter(text_.at(end), ascii) && end - i <= kHostMax) {
                ++end;
                if (labels > 0 && is_domain(label, end) && is_domain_name(i, label)) best = end;
            }
            const bool fits = end > label && end - label <= kLabelMax;
            if (!fits || text_.at(end) != U'.' || !is_valid_label(label, end)) break;
            label = end + 1;
            ++labels;
        }
        return best;
    }

    static bool is_label_letter(char32_t c, bool ascii) {
        if (c == U'-' || c == U'_') return !ascii || c == U'-';
        return ascii ? is_alnum(c) || is_latin_accent(c) : is_domain_letter(c);
    }

    [[nodiscard]] bool is_valid_label(std::size_t begin, std::size_t end) const {
        const auto edge = [&](std::size_t at) {
            return text_.at(at) == U'-' || text_.at(at) == U'_';
        };
        if (edge(begin) || edge(end - 1)) return false;
        if (!text_.starts_with(begin, "xn--")) return true;
        return std::all_of(text_.text(begin, end).begin(), text_.text(begin, end).end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    }

    // The label right before the domain has no underscores.
    [[nodiscard]] bool is_domain_name(std::size_t host, std::size_t label) const {
        std::size_t begin = label - 1;
        while (begin > host && text_.at(begin - 1) != U'.') --begin;
        return text_.text(begin, label - 1).find('_') == std::string_view::npos;
    }

    // A known domain that no letter of ASCII follows.
    [[nodiscard]] bool is_domain(std::size_t begin, std::size_t end) const {
        constexpr std::size_t kDomainMax = 24;
        if (end - begin > kDomainMax && !text_.starts_with(begin, "xn--")) return false;
        const char32_t next = text_.at(end);
        if (is_alnum(next) || next == U'@' || next == U'+' || next == U'-' || next == U'_') {
            return false;
        }
        const std::string name = lower_utf8(text_.text(begin, end));
        return is_country_domain(name) || is_generic_domain(name) ||
               (name.starts_with("xn--") && end - begin > 4);
    }

    // A host without a scheme, in letters of ASCII and their accented forms.
    std::size_t bare(std::size_t i, std::vector<Span>& found) const {
        const char32_t c = text_.at(i);
        if (!(is_alnum(c) || is_latin_accent(c)) || !may_follow(i)) return 0;
        if (i > 0) {
            const char32_t before = text_.at(i - 1);
            if (before == U'-' || before == U'_' || before == U'.' || before == U'/' ||
                is_latin_accent(before)) {
                return 0;
            }
        }
        std::size_t end = known_host(i, true);
        if (end == 0) end = known_host_in_other_script(i);
        if (end == 0) return skip_label_run(i);
        if (text_.at(end) == U'@') return skip_word(end);
        const std::size_t last = rest(i, end);
        if (last == 0) return skip_word(end);
        found.push_back({i, last});
        return last;
    }

    // "twitter.みんな": ASCII labels under a domain of another script.
    [[nodiscard]] std::size_t known_host_in_other_script(std::size_t i) const {
        std::size_t end = i;
        while (is_alnum(text_.at(end)) || text_.at(end) == U'-') ++end;
        if (end == i || text_.at(end) != U'.' || text_.at(end + 1) < 0x80) return 0;
        constexpr std::size_t kDomainMax = 24;
        std::size_t best = 0;
        for (std::size_t at = end + 2; at - end < kDomainMax && at <= text_.size(); ++at) {
            const std::string name = lower_utf8(text_.text(end + 1, at));
            if (is_country_domain(name) || is_generic_domain(name)) best = at;
        }
        return best;
    }

    // No domain starts inside a run of host letters that is none itself, or is an address.
    [[nodiscard]] std::size_t skip_label_run(std::size_t i) const {
        while (is_alnum(text_.at(i)) || is_any_of(text_.at(i), "-_.+@") ||
               is_latin_accent(text_.at(i))) {
            ++i;
        }
        return i;
    }

    const DecodedProse& text_;
    const FindUrlOptions& options_;
};

}  // namespace

std::vector<Span> scan_posts(const DecodedProse& text, const FindUrlOptions& options) {
    return Scanner(text, options).scan();
}

}  // namespace heddle::markup
