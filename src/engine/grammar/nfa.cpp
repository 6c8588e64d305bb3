#include "engine/grammar/nfa.h"

#include <algorithm>
#include <array>

namespace heddle::engine::grammar {
namespace {

using Bytes = std::array<std::uint8_t, 4>;

Bytes encode(char32_t c, int length) {
    const auto continuation = [](char32_t bits) {
        return static_cast<std::uint8_t>(0x80 | (bits & 0x3F));
    };
    switch (length) {
        case 1:
            return {static_cast<std::uint8_t>(c), 0, 0, 0};
        case 2:
            return {static_cast<std::uint8_t>(0xC0 | c >> 6), continuation(c), 0, 0};
        case 3:
            return {static_cast<std::uint8_t>(0xE0 | c >> 12), continuation(c >> 6),
                    continuation(c), 0};
        default:
            return {static_cast<std::uint8_t>(0xF0 | c >> 18), continuation(c >> 12),
                    continuation(c >> 6), continuation(c)};
    }
}

}  // namespace

void Nfa::add_bytes(State from, std::uint8_t low, std::uint8_t high, State to) {
    nodes_[from].edges.push_back({low, high, to});
}

void Nfa::add_empty(State from, State to, Assertion assertion) {
    nodes_[from].empties.push_back({to, assertion});
}

void Nfa::add_end(State state, Label label) {
    nodes_[state].ends.push_back(label);
    labels_ = std::max(labels_, label + 1);
}

Nfa::State Nfa::add_text(State from, std::string_view text) {
    for (const char c : text) {
        const State next = add_state();
        add_bytes(from, static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(c), next);
        from = next;
    }
    return from;
}

void Nfa::add_characters(State from, char32_t low, char32_t high, State to) {
    struct Part {
        char32_t low;
        char32_t high;
        int length;
    };
    static constexpr std::array<Part, 5> kParts{{{0, 0x7F, 1},
                                                 {0x80, 0x7FF, 2},
                                                 {0x800, 0xD7FF, 3},
                                                 {0xE000, 0xFFFF, 3},
                                                 {0x10000, 0x10FFFF, 4}}};
    for (const Part& part : kParts) {
        const char32_t first = std::max(low, part.low);
        const char32_t last = std::min(high, part.high);
        if (first <= last) add_utf8(from, first, last, part.length, to);
    }
}

// Splits a range of characters of one length until each byte runs through a range by itself.
void Nfa::add_utf8(State from, char32_t low, char32_t high, int length, State to) {
    for (int tail = 1; tail < length; ++tail) {
        const char32_t mask = (char32_t{1} << (6 * tail)) - 1;
        if ((low & ~mask) == (high & ~mask)) break;
        if ((low & mask) != 0) {
            add_utf8(from, low, low | mask, length, to);
            add_utf8(from, (low | mask) + 1, high, length, to);
            return;
        }
        if ((high & mask) != mask) {
            add_utf8(from, low, (high & ~mask) - 1, length, to);
            add_utf8(from, high & ~mask, high, length, to);
            return;
        }
    }
    const Bytes first = encode(low, length);
    const Bytes last = encode(high, length);
    for (int i = 0; i < length; ++i) {
        const State next = i + 1 == length ? to : add_state();
        add_bytes(from, first[static_cast<std::size_t>(i)], last[static_cast<std::size_t>(i)],
                  next);
        from = next;
    }
}

// The labels of `ends` spread backwards along `into`, to every state that leads there.
void Nfa::spread(const std::vector<std::vector<State>>& into, std::vector<std::uint64_t>& sets) {
    std::vector<State> changed;
    for (State state = 0; state < nodes_.size(); ++state) changed.push_back(state);
    while (!changed.empty()) {
        const State state = changed.back();
        changed.pop_back();
        for (const State before : into[state]) {
            bool grew = false;
            for (std::size_t word = 0; word < reach_words_; ++word) {
                std::uint64_t& known = sets[before * reach_words_ + word];
                const std::uint64_t more = known | sets[state * reach_words_ + word];
                grew = grew || more != known;
                known = more;
            }
            if (grew) changed.push_back(before);
        }
    }
}

// Behind the first byte no start assertion holds any more, and behind an end assertion there is
// no byte: what could only be reached that way is not.
void Nfa::finish() {
    reach_words_ = std::max<std::size_t>(1, (labels_ + 63) / 64);
    std::vector<std::uint64_t> at_end(nodes_.size() * reach_words_, 0);
    std::vector<std::vector<State>> into(nodes_.size());
    for (State state = 0; state < nodes_.size(); ++state) {
        for (const Label label : nodes_[state].ends) {
            at_end[state * reach_words_ + label / 64] |= std::uint64_t{1} << (label % 64);
        }
        for (const Empty& empty : nodes_[state].empties) {
            if (empty.assertion != Assertion::kAtStart) into[empty.to].push_back(state);
        }
    }
    // Every set starts from what it reaches without a byte, which end assertions let through.
    spread(into, at_end);
    reach_ = at_end;
    for (auto& states : into) states.clear();
    for (State state = 0; state < nodes_.size(); ++state) {
        for (const Edge& edge : nodes_[state].edges) into[edge.to].push_back(state);
        for (const Empty& empty : nodes_[state].empties) {
            if (empty.assertion == Assertion::kNone) into[empty.to].push_back(state);
        }
    }
    spread(into, reach_);
    for (Node& node : nodes_) {
        std::erase_if(node.edges, [this](const Edge& edge) { return leads_nowhere(edge.to); });
    }
}

bool Nfa::leads_nowhere(State state) const {
    const std::uint64_t* words = reach(state);
    return std::all_of(words, words + reach_words_, [](auto word) { return word == 0; });
}

}  // namespace heddle::engine::grammar
