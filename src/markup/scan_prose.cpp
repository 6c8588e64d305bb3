// linkify-it's conventions (github.com/markdown-it/linkify-it, MIT), as a scanner: each rule
// reads forward once and never backtracks over more than a label or the user information.
#include <algorithm>

#include "markup/prose_scanner.h"
#include "markup/top_level_domains.h"
#include "text/unicode.h"

namespace heddle::markup {

namespace {

constexpr std::size_t kLabelMax = 63;
constexpr std::size_t kUserMax = 50;  // also bounds rescans
constexpr std::size_t kMailNameMax = 64;

bool is_digit(char32_t c) {
    return c >= U'0' && c <= U'9';
}
bool is_alnum(char32_t c) {
    return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

// What separates a link from the text around it, whatever it is part of.
bool is_separator(char32_t c) {
    return c == U'<' || c == U'>' || c == 0xFF5C;
}

// White space and control characters; the end of the text is one.
bool is_space(char32_t c) {
    const auto category = text::class_of(c).category();
    return category == text::Category::kCc || category == text::Category::kZs ||
           category == text::Category::kZl || category == text::Category::kZp;
}

bool is_boundary(char32_t c) {
    return is_space(c) || text::class_of(c).is_punctuation();
}

bool is_pseudo_letter(char32_t c) {
    return !is_separator(c) && !is_boundary(c);
}

// Scripts written without spaces: a URL may begin right behind a word.
bool is_east_asian(char32_t c) {
    const auto character = text::class_of(c);
    return character.has(text::CharacterFlag::kHan) || character.has(text::CharacterFlag::kKana) ||
           character.has(text::CharacterFlag::kHangul);
}

// The two-letter names and the oldest generic ones: others look like file names too often.
bool is_default_domain(std::string_view name) {
    static constexpr std::string_view kClassic[] = {
        "biz",  "com",  "edu",  "gov",  "net",    "org",  "pro",  "web", "xxx",
        "aero", "asia", "coop", "info", "museum", "name", "shop", "рф"};
    if (std::find(std::begin(kClassic), std::end(kClassic), name) != std::end(kClassic))
        return true;
    return name.starts_with("xn--") || (name.size() == 2 && is_country_domain(name));
}

class Scanner {
public:
    Scanner(const DecodedProse& text, const FindUrlOptions& options)
        : text_(text), options_(options) {}

    std::vector<Span> scan() {
        std::vector<Span> found;
        for (std::size_t i = 0; i < text_.size();) {
            const std::size_t end = longest_at(i);
            if (end > i) {
                found.push_back({i, end});
                i = end;
            } else {
                ++i;
            }
        }
        return found;
    }

private:
    [[nodiscard]] std::size_t longest_at(std::size_t i) const {
        std::size_t end = with_scheme(i);
        if (options_.other_schemes) end = std::max(end, mail(i));
        if (options_.bare_domains) end = std::max(end, bare(i));
        return end;
    }

    // "http://…" after the start, a separator or punctuation other than "_".
    [[nodiscard]] std::size_t with_scheme(std::size_t i) const {
        if (i > 0) {
            const char32_t before = text_.at(i - 1);
            if (before == U'_') return 0;
            if (!is_separator(before) && !is_boundary(before) && !is_east_asian(before)) return 0;
        }
        for (const std::string_view scheme : {"http:", "https:"}) {
            if (text_.starts_with(i, scheme)) return hierarchical(i + scheme.size(), false);
        }
        if (options_.other_schemes) {
            if (text_.starts_with(i, "ftp:")) return hierarchical(i + 4, false);
            if (text_.starts_with(i, "mailto:")) return mail_after_scheme(i + 7);
        }
        const bool slashes = options_.bare_domains && text_.starts_with(i, "//");
        if (!slashes) return 0;
        if (i > 0 && (text_.at(i - 1) == U':' || text_.at(i - 1) == U'/')) return 0;
        return hierarchical(i, true);
    }

    // "//", user information, host, port, path. `dotted`: the host must have a dot.
    [[nodiscard]] std::size_t hierarchical(std::size_t i, bool dotted) const {
        if (!text_.starts_with(i, "//")) return 0;
        i += 2;
        const std::size_t user = user_information(i);
        std::size_t end = user > i ? authority(user, dotted) : 0;
        if (end == 0) end = authority(i, dotted);
        return end == 0 ? 0 : path(end);
    }

    [[nodiscard]] std::size_t user_information(std::size_t i) const {
        for (std::size_t at = i; at < i + kUserMax + 1; ++at) {
            const char32_t c = text_.at(at);
            if (c == U'@') return at > i ? at + 1 : i;
            if (is_space(c) || c == U'/' || c == U'[' || c == U']' || c == U'(' || c == U')') break;
        }
        return i;
    }

    [[nodiscard]] std::size_t authority(std::size_t i, bool dotted) const {
        const std::size_t end = host(i);
        if (end == 0) return 0;
        const std::string_view name = text_.text(i, end);
        if (dotted && name.find('.') == std::string_view::npos && lower_utf8(name) != "localhost") {
            return 0;
        }
        return with_port(end);
    }

    // Labels with dots between them; 0 when there is none.
    [[nodiscard]] std::size_t host(std::size_t i) const {
        std::size_t end = label(i);
        if (end == 0) return 0;
        while (text_.at(end) == U'.') {
            const std::size_t next = label(end + 1);
            if (next == 0) break;
            end = next;
        }
        return end;
    }

    // Letters and inner hyphens; 0 when it begins or ends with one, or is too long.
    [[nodiscard]] std::size_t label(std::size_t i) const {
        std::size_t end = i;
        while (is_pseudo_letter(text_.at(end)) || text_.at(end) == U'-') {
            if (++end - i > kLabelMax) return 0;
        }
        const bool valid = end > i && text_.at(i) != U'-' && text_.at(end - 1) != U'-';
        return valid ? end : 0;
    }

    // The end after an optional port, or 0 when the host cannot end there.
    [[nodiscard]] std::size_t with_port(std::size_t i) const {
        if (text_.at(i) == U':' && is_digit(text_.at(i + 1))) {
            std::size_t end = i + 1;
            unsigned port = 0;
            while (is_digit(text_.at(end)) && end - i <= 5) {
                port = port * 10 + static_cast<unsigned>(text_.at(end++) - U'0');
            }
            return port <= 65535 && ends_host(end) ? end : 0;
        }
        return ends_host(i) ? i : 0;
    }

    [[nodiscard]] bool ends_host(std::size_t i) const {
        const char32_t c = text_.at(i);
        if (i < text_.size() && !is_separator(c) && !is_boundary(c)) return false;
        if (c == U'-' || c == U'_') return false;
        const char32_t next = text_.at(i + 1);
        if (c == U':' && is_digit(next)) return false;
        if (c != U'.') return true;
        return next != U'-' && (i + 1 >= text_.size() || is_boundary(next));
    }

    // As far as a path, a query and a fragment go from `i`; `i` itself when there is none.
    [[nodiscard]] std::size_t path(std::size_t i) const {
        const char32_t first = text_.at(i);
        if (first != U'/' && first != U'?' && first != U'#') return i;
        std::size_t end = i + 1;
        for (;;) {
            const std::size_t next = path_piece(end);
            if (next == end) break;
            end = next;
        }
        // A lone "/" belongs to the URL, a lone "?" or "#" does not.
        return end > i + 1 || first == U'/' ? end : i;
    }

    [[nodiscard]] std::size_t path_piece(std::size_t i) const {
        const char32_t c = text_.at(i);
        const char32_t next = text_.at(i + 1);
        if (is_space(c) || is_separator(c)) return i;
        switch (c) {
            case U'(':
                return bracketed(i, U')', 0);
            case U'[':
                return bracketed(i, U']', 0);
            case U'{':
                return bracketed(i, U'}', 0);
            case U'"':
                return bracketed(i, U'"', 1);
            case U'\'': {
                const std::size_t end = bracketed(i, U'\'', 1);
                if (end > i) return end;
                return is_pseudo_letter(next) || next == U'-' ? i + 1 : i;
            }
            case U')':
            case U']':
            case U'}':
                return i;
            case U'.':
                return dots(i);
            case U'-':
                return i + 1;
            case U',':
            case U';':
                return is_space(next) ? i : i + 1;
            case U'?':
                return is_space(next) || next == U'?' ? i : i + 1;
            case U'!': {
                std::size_t end = i;
                while (text_.at(end) == U'!') ++end;
                return is_space(text_.at(end)) ? i : end;
            }
            default:
                return i + 1;
        }
    }

    // Up to the closing bracket, with no white space inside and at least `least` characters.
    [[nodiscard]] std::size_t bracketed(std::size_t i, char32_t close, std::size_t least) const {
        constexpr std::size_t kInsideMax = 2048;
        for (std::size_t at = i + 1; at < text_.size() && at - i < kInsideMax; ++at) {
            if (text_.at(at) == close) return at - i - 1 >= least ? at + 1 : i;
            if (is_space(text_.at(at))) break;
        }
        return i;
    }

    // One dot inside a path; several where a range, a query or a file name goes on.
    [[nodiscard]] std::size_t dots(std::size_t i) const {
        std::size_t end = i;
        while (text_.at(end) == U'.') ++end;
        const char32_t after = text_.at(end);
        if (end - i == 1) return is_space(after) ? i : end;
        return is_alnum(after) || after == U'%' || after == U'/' || after == U'&' ? end + 1 : i;
    }

    // "example.com/x" and "192.168.1.1" where a word begins.
    [[nodiscard]] std::size_t bare(std::size_t i) const {
        if (i > 0 && !may_precede_bare(text_.at(i - 1))) return 0;
        if (may_begin_text(text_.at(i))) return 0;
        const std::size_t end = known_host(i);
        if (end == 0) return 0;
        const std::size_t port = with_port(end);
        return port == 0 ? 0 : path(port);
    }

    static bool may_begin_text(char32_t c) {
        return c == U'$' || c == U'+' || c == U'<' || c == U'=' || c == U'>' || c == U'^' ||
               c == U'`' || c == U'|' || c == 0xFF5C;
    }
    static bool may_precede_bare(char32_t c) {
        if (c == U'.' || c == U':' || c == U'/' || c == U'\\' || c == U'-' || c == U'_' ||
            c == U'@') {
            return false;
        }
        return may_begin_text(c) || is_boundary(c);
    }

    // A host that ends in a known domain, or an IPv4 address; 0 otherwise.
    [[nodiscard]] std::size_t known_host(std::size_t i) const {
        const std::size_t end = host(i);
        if (end == 0) return 0;
        const std::string name = lower_utf8(text_.text(i, end));
        if (is_ipv4(name)) return end;
        const auto dot = name.rfind('.');
        if (dot == std::string::npos || dot == 0) return 0;
        return is_default_domain(std::string_view(name).substr(dot + 1)) ? end : 0;
    }

    static bool is_ipv4(std::string_view name) {
        int parts = 0;
        while (!name.empty()) {
            const auto dot = name.find('.');
            const std::string_view part = name.substr(0, dot);
            unsigned value = 0;
            for (const char c : part) {
                if (c < '0' || c > '9') return false;
                value = value * 10 + static_cast<unsigned>(c - '0');
            }
            if (part.empty() || part.size() > 3 || value > 255) return false;
            ++parts;
            if (dot == std::string_view::npos) break;
            name.remove_prefix(dot + 1);
        }
        return parts == 4;
    }

    static bool is_mail_name(char32_t c, bool first) {
        return is_alnum(c) || c == U'-' || c == U';' || c == U':' || c == U'&' || c == U'=' ||
               c == U'+' || c == U'$' || c == U',' || c == U'.' || c == U'_' ||
               (c == U'"' && !first);
    }

    // The place after "name@"; 0 when there is none.
    [[nodiscard]] std::size_t mail_name(std::size_t i) const {
        std::size_t end = i;
        while (end - i <= kMailNameMax && is_mail_name(text_.at(end), end == i)) ++end;
        return end > i && text_.at(end) == U'@' ? end + 1 : 0;
    }

    [[nodiscard]] std::size_t mail(std::size_t i) const {
        if (i > 0) {
            const char32_t before = text_.at(i - 1);
            if (!is_separator(before) && before != U'"' && before != U'(' && !is_space(before)) {
                return 0;
            }
        }
        const std::size_t at = mail_name(i);
        if (at == 0) return 0;
        const std::size_t end = known_host(at);
        return end != 0 && ends_host(end) ? end : 0;
    }

    [[nodiscard]] std::size_t mail_after_scheme(std::size_t i) const {
        const std::size_t at = mail_name(i);
        if (at == 0) return 0;
        const std::size_t end = host(at);
        return end != 0 && ends_host(end) ? end : 0;
    }

    const DecodedProse& text_;
    const FindUrlOptions& options_;
};

}  // namespace

std::vector<Span> scan_prose(const DecodedProse& text, const FindUrlOptions& options) {
    return Scanner(text, options).scan();
}

}  // namespace heddle::markup
