// GBNF, llama.cpp's grammar notation: `name ::= alternatives`, with literals, character classes,
// `.`, groups, references and the repetitions * + ? {m,n}. Comments begin with #.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "engine/grammar/grammar.h"
#include "engine/grammar/grammar_checks.h"
#include "text/utf8.h"

namespace heddle::engine::grammar {
namespace {

constexpr std::uint32_t kRepeatMax = 4096;
constexpr char32_t kLastCharacter = 0x10FFFF;

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

class GbnfParser {
public:
    GbnfParser(std::string_view text, const GrammarLimits& limits) : text_(text), limits_(limits) {
        grammar_.limits = limits;
    }

    Result<Grammar> parse() {
        skip(true);
        while (at_ < text_.size()) {
            HEDDLE_TRY_VOID(rule());
            skip(true);
        }
        const auto root = rules_.find("root");
        if (root == rules_.end()) return error("there is no rule named root");
        for (const auto& [name, id] : rules_) {
            if (grammar_.nodes[id].children.empty()) {
                return error(fmt::format("the rule {} is not defined", name));
            }
        }
        grammar_.root = root->second;
        HEDDLE_TRY_VOID(check_recursion(grammar_, "invalid_grammar"));
        return std::move(grammar_);
    }

private:
    tl::unexpected<Error> error(std::string_view what) const {
        return fail(
            Error(ErrorCode::kInvalidArgument, fmt::format("grammar: {} (byte {})", what, at_))
                .with_reason("invalid_grammar"));
    }
    [[nodiscard]] bool more() const { return at_ < text_.size(); }
    bool take(std::string_view token) {
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    // Blanks and comments; line breaks only where they do not end a rule.
    void skip(bool lines) {
        while (more()) {
            const char c = text_[at_];
            if (c == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
                ++at_;
            } else {
                return;
            }
        }
    }
    std::string_view name() {
        const std::size_t begin = at_;
        while (more() && is_name(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    NodeId add(Node node) {
        grammar_.nodes.push_back(std::move(node));
        return static_cast<NodeId>(grammar_.nodes.size() - 1);
    }
    NodeId rule_of(std::string_view name) {
        const auto [at, is_new] = rules_.try_emplace(std::string(name), 0);
        if (is_new) at->second = add({.kind = NodeKind::kAlias});
        return at->second;
    }
    NodeId add_automaton(Nfa nfa) {
        nfa.finish();
        states_ += nfa.size();
        grammar_.automata.push_back(std::move(nfa));
        return add({.kind = NodeKind::kBytes,
                    .spec = static_cast<std::uint32_t>(grammar_.automata.size() - 1)});
    }

    Result<void> rule() {
        const std::string_view defined = name();
        skip(false);
        if (defined.empty() || !take("::=")) return error("expected a rule");
        const NodeId id = rule_of(defined);
        if (!grammar_.nodes[id].children.empty()) return error("a rule is defined twice");
        skip(true);
        HEDDLE_TRY(const NodeId body, alternatives(0));
        grammar_.nodes[id].children = {body};
        if (more() && text_[at_] != '\n' && text_[at_] != '\r') return error("unexpected text");
        return {};
    }

    Result<NodeId> alternatives(int depth) {
        if (depth > limits_.depth_max * 4) return fail(grammar_too_complex("nesting"));
        std::vector<NodeId> children;
        do {
            skip(true);
            HEDDLE_TRY(const NodeId child, sequence(depth));
            children.push_back(child);
        } while (take("|"));
        if (children.size() == 1) return children[0];
        return add({.kind = NodeKind::kChoice, .children = std::move(children)});
    }

    Result<NodeId> sequence(int depth) {
        std::vector<NodeId> children;
        while (true) {
            skip(depth > 0);
            if (!more() || text_[at_] == '|' || text_[at_] == ')' || text_[at_] == '\n' ||
                text_[at_] == '\r') {
                break;
            }
            HEDDLE_TRY(const NodeId item, element(depth));
            HEDDLE_TRY(const NodeId repeated, repetition(item));
            children.push_back(repeated);
            if (grammar_.nodes.size() > limits_.nodes_max ||
                states_ > limits_.automaton_states_max) {
                return fail(grammar_too_complex("size"));
            }
        }
        if (children.size() == 1) return children[0];
        return add({.kind = NodeKind::kSequence, .children = std::move(children)});
    }

    Result<NodeId> element(int depth) {
        if (take("\"")) return literal();
        if (take("[")) return character_class();
        if (take(".")) {
            Nfa nfa;
            const Nfa::State end = nfa.add_state();
            nfa.add_characters(0, 0, kLastCharacter, end);
            nfa.add_end(end, 0);
            return add_automaton(std::move(nfa));
        }
        if (take("(")) {
            HEDDLE_TRY(const NodeId inner, alternatives(depth + 1));
            if (!take(")")) return error("missing )");
            return inner;
        }
        const std::string_view referred = name();
        if (referred.empty()) return error("unexpected character");
        return rule_of(referred);
    }

    Result<NodeId> repetition(NodeId item) {
        std::uint32_t least = 1;
        std::uint32_t most = 1;
        if (take("*")) {
            least = 0;
            most = kUnbounded;
        } else if (take("+")) {
            most = kUnbounded;
        } else if (take("?")) {
            least = 0;
        } else if (take("{")) {
            HEDDLE_TRY(least, number());
            most = least;
            skip(true);
            if (take(",")) {
                skip(true);
                most = kUnbounded;
                if (more() && text_[at_] != '}') {
                    HEDDLE_TRY(most, number());
                    skip(true);
                }
            }
            if (!take("}")) return error("missing }");
            if (most < least) return error("bounds out of order");
        } else {
            return item;
        }
        return add({.kind = NodeKind::kRepeat, .least = least, .most = most, .children = {item}});
    }

    Result<std::uint32_t> number() {
        skip(true);
        std::uint32_t value = 0;
        const char* end = text_.data() + text_.size();
        const auto [last, ec] = std::from_chars(text_.data() + at_, end, value);
        if (ec != std::errc() || value > kRepeatMax) return error("bad number of repetitions");
        at_ = static_cast<std::size_t>(last - text_.data());
        return value;
    }

    Result<NodeId> literal() {
        Nfa nfa;
        Nfa::State state = 0;
        while (!take("\"")) {
            HEDDLE_TRY(const char32_t character, character_or_escape());
            std::string bytes;
            text::append_utf8(bytes, character);
            state = nfa.add_text(state, bytes);
        }
        nfa.add_end(state, 0);
        return add_automaton(std::move(nfa));
    }

    Result<NodeId> character_class() {
        const bool inverted = take("^");
        std::vector<std::pair<char32_t, char32_t>> ranges;
        while (!take("]")) {
            HEDDLE_TRY(const char32_t low, character_or_escape());
            char32_t high = low;
            if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
                ++at_;
                HEDDLE_TRY(high, character_or_escape());
            }
            if (high < low) return error("range out of order");
            ranges.emplace_back(low, high);
        }
        std::ranges::sort(ranges);
        Nfa nfa;
        const Nfa::State end = nfa.add_state();
        char32_t next = 0;
        for (const auto& [low, high] : ranges) {
            if (!inverted) nfa.add_characters(0, low, high, end);
            if (inverted && low > next) nfa.add_characters(0, next, low - 1, end);
            next = std::max<char32_t>(next, high + 1);
        }
        if (inverted && next <= kLastCharacter) nfa.add_characters(0, next, kLastCharacter, end);
        nfa.add_end(end, 0);
        return add_automaton(std::move(nfa));
    }

    Result<char32_t> character_or_escape() {
        if (!more() || text_[at_] == '\n') return error("unexpected end of line");
        if (!take("\\")) {
            const text::Utf8Character c = text::decode_utf8(text_, at_);
            if (!c.well_formed) return error("invalid UTF-8");
            at_ += c.length;
            return c.code_point;
        }
        if (!more()) return error("unexpected end");
        const char c = text_[at_++];
        switch (c) {
            case 'n':
                return U'\n';
            case 'r':
                return U'\r';
            case 't':
                return U'\t';
            case 'x':
                return hexadecimal(2);
            case 'u':
                return hexadecimal(4);
            case 'U':
                return hexadecimal(8);
            case '\\':
            case '"':
            case '[':
            case ']':
            case '-':
            case '^':
                return static_cast<char32_t>(c);
            default:
                return error("unknown escape");
        }
    }

    Result<char32_t> hexadecimal(std::size_t digits) {
        const std::string_view part = text_.substr(at_, digits);
        std::uint32_t value = 0;
        const auto [end, ec] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
        const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
        if (part.size() != digits || ec != std::errc() || end != part.data() + part.size() ||
            value > kLastCharacter || surrogate) {
            return error("bad hexadecimal escape");
        }
        at_ += digits;
        return static_cast<char32_t>(value);
    }

    const std::string_view text_;
    const GrammarLimits limits_;
    std::size_t at_ = 0;
    std::size_t states_ = 0;
    Grammar grammar_;
    std::map<std::string, NodeId, std::less<>> rules_;
};

}  // namespace

Result<Grammar> compile_gbnf(std::string_view grammar, const GrammarLimits& limits) {
    if (grammar.size() > limits.source_bytes_max) return fail(grammar_too_complex("length"));
    return GbnfParser(grammar, limits).parse();
}

}  // namespace heddle::engine::grammar
