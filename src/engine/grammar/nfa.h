// A nondeterministic automaton over bytes, with labelled ends: the form into which patterns,
// literals and key sets are compiled. Characters are valid UTF-8, never surrogates.
// Built by one thread, immutable then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace heddle::engine::grammar {

enum class Assertion : std::uint8_t { kNone, kAtStart, kAtEnd };

class Nfa {
public:
    using State = std::uint32_t;
    using Label = std::uint32_t;

    struct Edge {
        std::uint8_t low = 0;
        std::uint8_t high = 0;
        State to = 0;
    };
    struct Empty {
        State to = 0;
        Assertion assertion = Assertion::kNone;
    };
    struct Node {
        std::vector<Edge> edges;
        std::vector<Empty> empties;
        std::vector<Label> ends;  // labels for which a text may end here
    };

    Nfa() : nodes_(1) {}

    // State 0 is where every text starts.
    [[nodiscard]] State add_state() {
        nodes_.emplace_back();
        return static_cast<State>(nodes_.size() - 1);
    }
    void add_bytes(State from, std::uint8_t low, std::uint8_t high, State to);
    void add_empty(State from, State to, Assertion assertion = Assertion::kNone);
    // One character of [low, high], as UTF-8; surrogates are left out.
    void add_characters(State from, char32_t low, char32_t high, State to);
    // The bytes of `text`; returns the state behind them.
    [[nodiscard]] State add_text(State from, std::string_view text);
    void add_end(State state, Label label);

    [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] Label labels() const { return labels_; }

    // Takes away what leads to no end, and notes which labels each state can still reach. To be
    // called once, last.
    void finish();
    // The labels that can be reached from a state behind the first byte, as a bit set.
    [[nodiscard]] const std::uint64_t* reach(State state) const {
        return reach_.data() + state * reach_words_;
    }
    [[nodiscard]] bool leads_nowhere(State state) const;
    [[nodiscard]] std::size_t reach_words() const { return reach_words_; }

private:
    void spread(const std::vector<std::vector<State>>& into, std::vector<std::uint64_t>& sets);
    void add_utf8(State from, char32_t low, char32_t high, int length, State to);

    std::vector<Node> nodes_;
    Label labels_ = 0;
    std::size_t reach_words_ = 0;
    std::vector<std::uint64_t> reach_;
};

}  // namespace heddle::engine::grammar
