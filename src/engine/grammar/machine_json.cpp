// How JSON's strings, objects and arrays read a byte. Values of strings and keys are followed as
// their decoded characters, so that an escape counts as what it stands for.
#include <array>
#include <string>

#include "engine/grammar/machine.h"
#include "text/utf8.h"

namespace heddle::engine::grammar {
namespace {

bool is_space(std::uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

int hex_digit(std::uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

// Frame::escape: what of an escape has been read. Four bits of stage, two of digits read, twelve
// of their value, ten of the high surrogate before.
enum Stage : std::uint32_t { kPlain = 0, kBackslash, kHex, kLowBackslash, kLowLetter, kLowHex };

struct Escape {
    std::uint32_t stage = kPlain;
    std::uint32_t digits = 0;
    std::uint32_t value = 0;
    std::uint32_t high = 0;

    static Escape of(std::uint32_t packed) {
        return {packed >> 28, packed >> 26 & 3, packed >> 10 & 0xFFF, packed & 0x3FF};
    }
    [[nodiscard]] std::uint32_t packed() const {
        return stage << 28 | digits << 26 | value << 10 | high;
    }
};

// The character that a letter behind a backslash stands for; 0 for none.
char short_escape(std::uint8_t letter) {
    switch (letter) {
        case '"':
            return '"';
        case '\\':
            return '\\';
        case '/':
            return '/';
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return 0;
    }
}
constexpr std::array<std::uint8_t, 8> kShortEscapes{'"', '\\', '/', 'b', 'f', 'n', 'r', 't'};

LazyDfa::State feed(LazyDfa& dfa, LazyDfa::State state, char32_t character) {
    std::string bytes;
    text::append_utf8(bytes, character);
    for (const char byte : bytes) state = dfa.next(state, static_cast<std::uint8_t>(byte));
    return state;
}

}  // namespace

Machine::TextStep Machine::add_character(LazyDfa& dfa, Frame& frame, char32_t character) {
    frame.automaton = feed(dfa, frame.automaton, character);
    frame.escape = 0;
    return frame.automaton == LazyDfa::kDead ? TextStep::kDead : TextStep::kCharacter;
}

// Whether some control character whose code begins with these hexadecimal digits may come. Only
// those need \u; where any character may come, any code may too.
bool Machine::control_possible(LazyDfa& dfa, LazyDfa::State state, std::uint32_t prefix,
                               int digits) {
    if (dfa.takes_any_character(state)) return true;
    for (std::uint32_t code = 0; code < 0x20; ++code) {
        if (code >> (4 * (4 - digits)) == prefix && feed(dfa, state, code) != LazyDfa::kDead) {
            return true;
        }
    }
    return false;
}

bool Machine::escape_possible(LazyDfa& dfa, LazyDfa::State state, std::uint8_t letter) {
    if (letter == 'u') return control_possible(dfa, state, 0, 0);
    const char stands_for = short_escape(letter);
    return stands_for != 0 &&
           dfa.next(state, static_cast<std::uint8_t>(stands_for)) != LazyDfa::kDead;
}

Machine::TextStep Machine::step_escape(LazyDfa& dfa, Frame& frame, std::uint8_t byte) {
    Escape escape = Escape::of(frame.escape);
    if (escape.stage == kBackslash) {
        if (!escape_possible(dfa, frame.automaton, byte)) return TextStep::kDead;
        if (byte != 'u') {
            return add_character(dfa, frame, static_cast<char32_t>(short_escape(byte)));
        }
        escape = {.stage = kHex};
    } else if (escape.stage == kLowBackslash) {
        if (byte != '\\') return TextStep::kDead;
        escape.stage = kLowLetter;
    } else if (escape.stage == kLowLetter) {
        if (byte != 'u') return TextStep::kDead;
        escape.stage = kLowHex;
    } else {
        const int digit = hex_digit(byte);
        if (digit < 0) return TextStep::kDead;
        const std::uint32_t value = escape.value << 4 | static_cast<std::uint32_t>(digit);
        const bool low = escape.stage == kLowHex;
        if (escape.digits == 3) {
            if (low) {
                if (value < 0xDC00 || value > 0xDFFF) return TextStep::kDead;
                return add_character(dfa, frame, 0x10000 + (escape.high << 10) + (value - 0xDC00));
            }
            if (value >= 0xDC00 && value <= 0xDFFF) return TextStep::kDead;
            const bool high = value >= 0xD800 && value <= 0xDBFF;
            if (!high) return add_character(dfa, frame, value);
            if (!dfa.takes_any_character(frame.automaton)) return TextStep::kDead;
            escape = {.stage = kLowBackslash, .high = value - 0xD800};
        } else {
            // A low surrogate is DC00 to DFFF; it is known to fail by its second digit.
            if (low && escape.digits == 0 && digit != 0xD) return TextStep::kDead;
            if (low && escape.digits == 1 && digit < 0xC) return TextStep::kDead;
            if (!low && escape.digits == 1 && escape.value == 0xD && digit >= 0xC) {
                return TextStep::kDead;
            }
            escape.value = value;
            ++escape.digits;
            if (!low &&
                !control_possible(dfa, frame.automaton, value, static_cast<int>(escape.digits))) {
                return TextStep::kDead;
            }
        }
    }
    frame.escape = escape.packed();
    return TextStep::kInside;
}

// One byte within the quotes. kCharacter: a character began or an escape ended.
Machine::TextStep Machine::step_text(LazyDfa& dfa, Frame& frame, std::uint8_t byte) {
    if (frame.escape != 0) return step_escape(dfa, frame, byte);
    if (byte == '"') return TextStep::kClosed;
    if (byte < 0x20) return TextStep::kDead;
    if (byte == '\\') {
        bool any = escape_possible(dfa, frame.automaton, 'u');
        for (const std::uint8_t letter : kShortEscapes) {
            any = any || escape_possible(dfa, frame.automaton, letter);
        }
        frame.escape = Escape{.stage = kBackslash}.packed();
        return any ? TextStep::kInside : TextStep::kDead;
    }
    frame.automaton = dfa.next(frame.automaton, byte);
    if (frame.automaton == LazyDfa::kDead) return TextStep::kDead;
    return (byte & 0xC0) == 0x80 ? TextStep::kInside : TextStep::kCharacter;
}

void Machine::consume_string(const Stack& top, std::uint8_t byte, Stacks& out) {
    const Node& node = grammar_->nodes[top.frame.node];
    LazyDfa& dfa = dfa_of(node);
    Frame frame = top.frame;
    if (frame.phase == Phase::kOpen) {
        if (byte != '"' || dfa.missing(frame.automaton) > node.most) return;
        frame.phase = Phase::kBody;
        out.push_back(intern(frame, top.below));
        return;
    }
    // A character more than the text may have must not begin, not even as an escape.
    const bool full = frame.count >= node.most && frame.escape == 0;
    if (full && byte != '"' && (byte & 0xC0) != 0x80) return;
    const TextStep step = step_text(dfa, frame, byte);
    exhausted_ = exhausted_ || dfa.overflowed();
    if (step == TextStep::kDead) return;
    if (step == TextStep::kClosed) {
        if (dfa.ends_all(frame.automaton) && frame.count >= node.least) resume(top.below, out);
        return;
    }
    if (step == TextStep::kCharacter) {
        // Counted only as far as it matters, so that long texts need few states.
        if (node.most != kUnbounded || frame.count < node.least) ++frame.count;
    }
    const bool bounded = node.most != kUnbounded || grammar_->automata[node.spec].labels() > 1;
    if (bounded && !dfa.accepts_anything(frame.automaton)) {
        const std::uint32_t missing = dfa.missing(frame.automaton);
        if (missing == LazyDfa::kNever || missing > node.most - frame.count) return;
    }
    out.push_back(intern(frame, top.below));
}

bool Machine::may_come(const ObjectSpec& spec, std::uint32_t key, std::uint32_t seen) const {
    if (spec.declared[key] == kNoNode || has_seen(seen, key)) return false;
    if (!spec.ordered) return true;
    for (const std::uint32_t required : spec.required) {
        if (required < key && !has_seen(seen, required)) return false;
    }
    return true;
}

// Whether a key that begins as `state` says can still become one that may come.
bool Machine::key_possible(const ObjectSpec& spec, LazyDfa& dfa, LazyDfa::State state,
                           std::uint32_t seen) {
    const auto reach = dfa.reach(state);
    const auto reaches = [&](Nfa::Label label) {
        return label / 64 < reach.size() && (reach[label / 64] >> (label % 64) & 1) != 0;
    };
    if (spec.has_name_rule && !reaches(spec.any_label() + 1)) return false;
    if (spec.additional != kNoNode && reaches(spec.any_label())) return true;
    for (std::uint32_t at = 0; at < spec.patterns.size(); ++at) {
        if (reaches(static_cast<Nfa::Label>(spec.declared.size()) + at)) return true;
    }
    for (std::uint32_t key = 0; key < spec.declared.size(); ++key) {
        if (reaches(key) && may_come(spec, key, seen)) return true;
    }
    return false;
}

bool Machine::may_close(const ObjectSpec& spec, const Frame& frame) const {
    if (frame.count < spec.least) return false;
    for (const std::uint32_t key : spec.required) {
        if (!has_seen(frame.seen, key)) return false;
    }
    for (const auto& [key, others] : spec.dependent) {
        if (!has_seen(frame.seen, key)) continue;
        for (const std::uint32_t other : others) {
            if (!has_seen(frame.seen, other)) return false;
        }
    }
    return true;
}

bool Machine::more_members(const ObjectSpec& spec, const Frame& frame) {
    LazyDfa& dfa = key_dfa(spec);
    return frame.count < spec.most && dfa.start() != LazyDfa::kDead &&
           key_possible(spec, dfa, dfa.start(), frame.seen);
}

void Machine::consume_object(const Stack& top, std::uint8_t byte, Stacks& out) {
    const ObjectSpec& spec = grammar_->objects[grammar_->nodes[top.frame.node].spec];
    Frame frame = top.frame;
    const auto go_on = [&](Phase phase) {
        frame.phase = phase;
        out.push_back(intern(frame, top.below));
    };
    if (frame.phase == Phase::kKey) {
        consume_key(top, byte, out);
        return;
    }
    if (frame.phase == Phase::kOpen) {
        if (byte == '{') go_on(Phase::kFirst);
        return;
    }
    if (is_space(byte)) {
        out.push_back(intern(frame, top.below));
        if (frame.phase == Phase::kValue) push_value(spec, frame, top.below, frame.pending, out);
        return;
    }
    const bool before_key = frame.phase == Phase::kFirst || frame.phase == Phase::kComma;
    const bool behind_member = frame.phase == Phase::kFirst || frame.phase == Phase::kNext;
    if (byte == '"' && before_key && more_members(spec, frame)) {
        frame.automaton = key_dfa(spec).start();
        go_on(Phase::kKey);
    } else if (byte == '}' && behind_member && may_close(spec, frame)) {
        resume(top.below, out);
    } else if (byte == ',' && frame.phase == Phase::kNext && more_members(spec, frame)) {
        go_on(Phase::kComma);
    } else if (byte == ':' && frame.phase == Phase::kColon) {
        go_on(Phase::kValue);
        push_value(spec, frame, top.below, frame.pending, out);
    }
}

// The member's value may begin at once; behind it the object goes on.
void Machine::push_value(const ObjectSpec&, const Frame& frame, StackId below, NodeId value,
                         Stacks& out) {
    Frame behind = frame;
    behind.phase = Phase::kNext;
    behind.pending = 0;
    open(value, intern(behind, below), out);
}

void Machine::consume_key(const Stack& top, std::uint8_t byte, Stacks& out) {
    const ObjectSpec& spec = grammar_->objects[grammar_->nodes[top.frame.node].spec];
    LazyDfa& dfa = key_dfa(spec);
    Frame frame = top.frame;
    const TextStep step = step_text(dfa, frame, byte);
    exhausted_ = exhausted_ || dfa.overflowed();
    if (step == TextStep::kClosed) {
        close_key(top, frame, out);
    } else if (step != TextStep::kDead && key_possible(spec, dfa, frame.automaton, frame.seen)) {
        out.push_back(intern(frame, top.below));
    }
}

void Machine::close_key(const Stack& top, Frame frame, Stacks& out) {
    const ObjectSpec& spec = grammar_->objects[grammar_->nodes[top.frame.node].spec];
    const auto& labels = key_dfa(spec).ends(frame.automaton);
    if (labels.empty()) return;
    if (spec.has_name_rule && labels.back() != spec.any_label() + 1) return;
    const Nfa::Label label = labels.front();
    if (label < spec.declared.size()) {
        if (!may_come(spec, label, frame.seen)) return;
        std::vector<std::uint64_t> seen = seen_[frame.seen];
        seen.resize((spec.declared.size() + 63) / 64, 0);
        const std::uint32_t first = spec.ordered ? 0 : label;
        for (std::uint32_t key = first; key <= label; ++key) {
            seen[key / 64] |= std::uint64_t{1} << (key % 64);
        }
        frame.seen = intern_seen(std::move(seen));
        frame.pending = spec.declared[label];
    } else if (label < spec.any_label()) {
        // The value would have to satisfy each pattern that its key matches.
        if (labels.size() > 1 && labels[1] < spec.any_label()) return;
        frame.pending = spec.patterns[label - spec.declared.size()];
    } else {
        if (label != spec.any_label() || spec.additional == kNoNode) return;
        frame.pending = spec.additional;
    }
    if (spec.most != kUnbounded || frame.count < spec.least) ++frame.count;
    frame.phase = Phase::kColon;
    frame.automaton = 0;
    out.push_back(intern(frame, top.below));
}

void Machine::consume_array(const Stack& top, std::uint8_t byte, Stacks& out) {
    const ArraySpec& spec = grammar_->arrays[grammar_->nodes[top.frame.node].spec];
    Frame frame = top.frame;
    const auto go_on = [&](Phase phase) {
        frame.phase = phase;
        out.push_back(intern(frame, top.below));
    };
    const bool room =
        frame.count < spec.most && (frame.count < spec.prefix.size() || spec.items != kNoNode);
    if (frame.phase == Phase::kOpen) {
        if (byte != '[') return;
        go_on(Phase::kFirst);
        if (room) open_item({frame, top.below}, out);
    } else if (is_space(byte)) {
        out.push_back(intern(frame, top.below));
        if (frame.phase != Phase::kNext && room) open_item(top, out);
    } else if (byte == ']' && frame.phase != Phase::kComma) {
        if (frame.count >= spec.least) resume(top.below, out);
    } else if (byte == ',' && frame.phase == Phase::kNext && room) {
        go_on(Phase::kComma);
        open_item({frame, top.below}, out);
    }
}

void Machine::open_item(const Stack& top, Stacks& out) {
    const ArraySpec& spec = grammar_->arrays[grammar_->nodes[top.frame.node].spec];
    const NodeId item =
        top.frame.count < spec.prefix.size() ? spec.prefix[top.frame.count] : spec.items;
    Frame behind = top.frame;
    behind.phase = Phase::kNext;
    const bool counts =
        spec.most != kUnbounded || behind.count < spec.least || behind.count < spec.prefix.size();
    if (counts) ++behind.count;
    open(item, intern(behind, top.below), out);
}

}  // namespace heddle::engine::grammar
