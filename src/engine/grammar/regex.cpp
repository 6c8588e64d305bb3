#include "engine/grammar/regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/utf8.h"

namespace heddle::engine::grammar {
namespace {

constexpr int kNestingMax = 64;
constexpr unsigned kRepeatMax = 4096;
constexpr char32_t kLastCharacter = 0x10FFFF;

struct Range {
    char32_t low = 0;
    char32_t high = 0;
};
using Set = std::vector<Range>;

const Set kDigits{{'0', '9'}};
const Set kWordCharacters{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Set kSpaces{{'\t', '\r'}, {' ', ' '}};
const Set kLineBreaks{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

Set complement(Set set) {
    std::ranges::sort(set, {}, &Range::low);
    Set rest;
    char32_t next = 0;
    for (const Range& range : set) {
        if (range.low > next) rest.push_back({next, range.low - 1});
        next = std::max<char32_t>(next, range.high + 1);
    }
    if (next <= kLastCharacter) rest.push_back({next, kLastCharacter});
    return rest;
}

// Recursive descent straight into the automaton. A repeated atom is read again for each copy, so
// no tree is kept; nesting and the number of states are bounded.
class Parser {
public:
    Parser(Nfa& nfa, std::string_view pattern, std::size_t states_max)
        : nfa_(nfa), pattern_(pattern), states_max_(states_max) {}

    Result<Nfa::State> parse(Nfa::State from) {
        HEDDLE_TRY(const Nfa::State end, alternatives(from));
        if (at_ < pattern_.size()) return error("unmatched )");
        return end;
    }

private:
    struct Bounds {
        unsigned least = 1;
        std::optional<unsigned> most = 1;
    };

    tl::unexpected<Error> error(std::string_view what) const {
        return fail(ErrorCode::kInvalidArgument, fmt::format("pattern: {} at byte {}", what, at_));
    }
    [[nodiscard]] bool more() const { return at_ < pattern_.size(); }
    [[nodiscard]] char peek() const { return pattern_[at_]; }
    bool take(std::string_view text) {
        if (!pattern_.substr(at_).starts_with(text)) return false;
        at_ += text.size();
        return true;
    }

    Result<Nfa::State> alternatives(Nfa::State from) {
        if (++nesting_ > kNestingMax) return error("nested too deeply");
        const Nfa::State end = nfa_.add_state();
        do {
            HEDDLE_TRY(const Nfa::State last, sequence(from));
            nfa_.add_empty(last, end);
        } while (take("|"));
        --nesting_;
        return end;
    }

    Result<Nfa::State> sequence(Nfa::State from) {
        while (more() && peek() != '|' && peek() != ')') {
            HEDDLE_TRY(from, quantified(from));
        }
        return from;
    }

    Result<Nfa::State> quantified(Nfa::State from) {
        const std::size_t begin = at_;
        // A state of its own, so that a loop back never enters what stands before the atom.
        const Nfa::State first = nfa_.add_state();
        nfa_.add_empty(from, first);
        HEDDLE_TRY(const Nfa::State end, atom(first));
        HEDDLE_TRY(const auto bounds, quantifier());
        if (!bounds) return end;
        const std::size_t after = at_;
        HEDDLE_TRY(const Nfa::State last, repeat(first, end, begin, *bounds));
        at_ = after;
        return last;
    }

    // `first` to `end` is one copy; the others are made by reading the atom at `begin` again.
    Result<Nfa::State> repeat(Nfa::State first, Nfa::State end, std::size_t begin,
                              const Bounds& bounds) {
        const Nfa::State out = nfa_.add_state();
        if (bounds.least == 0) nfa_.add_empty(first, out);
        if (bounds.most == 0u) return out;
        Nfa::State copy_first = first;
        Nfa::State copy_end = end;
        const unsigned copies = std::max(1u, bounds.most.value_or(std::max(1u, bounds.least)));
        for (unsigned copy = 1; copy < copies; ++copy) {
            if (nfa_.size() > states_max_) return error("too large");
            if (copy >= bounds.least) nfa_.add_empty(copy_end, out);
            copy_first = nfa_.add_state();
            nfa_.add_empty(copy_end, copy_first);
            at_ = begin;
            HEDDLE_TRY(copy_end, atom(copy_first));
        }
        nfa_.add_empty(copy_end, out);
        if (!bounds.most) nfa_.add_empty(copy_end, copy_first);
        return out;
    }

    Result<std::optional<Bounds>> quantifier() {
        std::optional<Bounds> bounds;
        if (take("*")) {
            bounds = Bounds{0, std::nullopt};
        } else if (take("+")) {
            bounds = Bounds{1, std::nullopt};
        } else if (take("?")) {
            bounds = Bounds{0, 1};
        } else if (more() && peek() == '{') {
            HEDDLE_TRY(bounds, counted());
        }
        // Greed does not change what is described.
        if (bounds) take("?");
        return bounds;
    }

    // {2}, {2,} or {2,5}; anything else is a brace that stands for itself.
    Result<std::optional<Bounds>> counted() {
        const std::size_t begin = at_;
        ++at_;
        const auto least = number();
        std::optional<unsigned> most = least;
        bool open = false;
        if (least && take(",")) {
            most = number();
            open = !most;
        }
        if (!least || !take("}")) {
            at_ = begin;
            return std::optional<Bounds>();
        }
        if (*least > kRepeatMax || (most && *most > kRepeatMax)) {
            return error("repeated too often");
        }
        if (!open && *most < *least) return error("bounds out of order");
        return std::optional(Bounds{*least, open ? std::nullopt : most});
    }

    std::optional<unsigned> number() {
        unsigned value = 0;
        const char* begin = pattern_.data() + at_;
        const auto [end, ec] = std::from_chars(begin, pattern_.data() + pattern_.size(), value);
        if (end == begin) return std::nullopt;
        at_ += static_cast<std::size_t>(end - begin);
        return ec == std::errc() ? value : kRepeatMax + 1;
    }

    Result<Nfa::State> atom(Nfa::State from) {
        if (nfa_.size() > states_max_) return error("too large");
        const Nfa::State end = nfa_.add_state();
        if (take("^")) {
            nfa_.add_empty(from, end, Assertion::kAtStart);
        } else if (take("$")) {
            nfa_.add_empty(from, end, Assertion::kAtEnd);
        } else if (take("(")) {
            if (take("?") && !take(":")) return error("this kind of group is not supported");
            HEDDLE_TRY(const Nfa::State last, alternatives(from));
            if (!take(")")) return error("missing )");
            nfa_.add_empty(last, end);
        } else {
            HEDDLE_TRY(const Set set, characters());
            for (const Range& range : set) nfa_.add_characters(from, range.low, range.high, end);
        }
        return end;
    }

    Result<Set> characters() {
        if (take(".")) return complement(kLineBreaks);
        if (take("[")) return bracket();
        if (more() && (peek() == '*' || peek() == '+' || peek() == '?')) {
            return error("nothing to repeat");
        }
        return one();
    }

    // A plain or escaped character, or an escaped set.
    Result<Set> one() {
        if (!more()) return error("unexpected end");
        if (peek() == '\\') {
            ++at_;
            return escape();
        }
        const text::Utf8Character c = text::decode_utf8(pattern_, at_);
        if (!c.well_formed) return error("invalid UTF-8");
        at_ += c.length;
        return Set{{c.code_point, c.code_point}};
    }

    Result<Set> escape() {
        if (!more()) return error("unexpected end");
        const char c = pattern_[at_++];
        switch (c) {
            case 'd':
                return kDigits;
            case 'D':
                return complement(kDigits);
            case 'w':
                return kWordCharacters;
            case 'W':
                return complement(kWordCharacters);
            case 's':
                return kSpaces;
            case 'S':
                return complement(kSpaces);
            case 't':
                return Set{{'\t', '\t'}};
            case 'n':
                return Set{{'\n', '\n'}};
            case 'r':
                return Set{{'\r', '\r'}};
            case 'f':
                return Set{{'\f', '\f'}};
            case 'v':
                return Set{{'\v', '\v'}};
            case '0':
                return Set{{0, 0}};
            case 'x':
                return hexadecimal(2);
            case 'u':
                return unicode_escape();
            default:
                break;
        }
        const bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (alphanumeric) return error("this escape is not supported");
        --at_;
        const text::Utf8Character escaped = text::decode_utf8(pattern_, at_);
        if (!escaped.well_formed) return error("invalid UTF-8");
        at_ += escaped.length;
        return Set{{escaped.code_point, escaped.code_point}};
    }

    Result<Set> unicode_escape() {
        if (!take("{")) return hexadecimal(4);
        const std::size_t close = pattern_.find('}', at_);
        if (close == std::string_view::npos || close - at_ > 6) return error("bad \\u{...}");
        HEDDLE_TRY(Set set, hexadecimal(close - at_));
        ++at_;
        return set;
    }

    Result<Set> hexadecimal(std::size_t digits) {
        std::uint32_t value = 0;
        const std::string_view text = pattern_.substr(at_, digits);
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
        if (text.size() != digits || digits == 0 || ec != std::errc() ||
            end != text.data() + text.size() || value > kLastCharacter) {
            return error("bad hexadecimal escape");
        }
        at_ += digits;
        return Set{{value, value}};
    }

    Result<Set> bracket() {
        const bool inverted = take("^");
        Set set;
        while (!take("]")) {
            if (!more()) return error("missing ]");
            HEDDLE_TRY(const Set low, class_item());
            const bool is_range = low.size() == 1 && low[0].low == low[0].high &&
                                  pattern_.substr(at_).size() >= 2 && peek() == '-' &&
                                  pattern_[at_ + 1] != ']';
            if (!is_range) {
                set.insert(set.end(), low.begin(), low.end());
                continue;
            }
            ++at_;
            HEDDLE_TRY(const Set high, class_item());
            if (high.size() == 1 && high[0].low == high[0].high) {
                if (high[0].low < low[0].low) return error("range out of order");
                set.push_back({low[0].low, high[0].low});
            } else {  // [a-\d]: the dash stands for itself
                set.push_back(low[0]);
                set.push_back({'-', '-'});
                set.insert(set.end(), high.begin(), high.end());
            }
        }
        return inverted ? complement(std::move(set)) : set;
    }

    Result<Set> class_item() {
        if (take("\\b")) return Set{{'\b', '\b'}};
        return one();
    }

    Nfa& nfa_;
    const std::string_view pattern_;
    const std::size_t states_max_;
    std::size_t at_ = 0;
    int nesting_ = 0;
};

}  // namespace

Result<void> add_regex(Nfa& nfa, Nfa::State from, std::string_view pattern, Match match,
                       Nfa::Label label, std::size_t states_max) {
    const Nfa::State first = nfa.add_state();
    nfa.add_empty(from, first);
    const Nfa::State inner = nfa.add_state();
    nfa.add_empty(first, inner);
    HEDDLE_TRY(const Nfa::State end, Parser(nfa, pattern, states_max).parse(inner));
    if (match == Match::kSearch) {
        nfa.add_characters(first, 0, kLastCharacter, first);
        // The text behind a match; an end assertion is not passed on the way here.
        const Nfa::State rest = nfa.add_state();
        nfa.add_empty(end, rest);
        nfa.add_characters(rest, 0, kLastCharacter, rest);
        nfa.add_end(rest, label);
    } else {
        nfa.add_end(end, label);
    }
    return {};
}

}  // namespace heddle::engine::grammar
