// The deterministic form of an Nfa, made state by state as texts ask for it. State 0 is dead.
// One thread.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/grammar/nfa.h"

namespace heddle::engine::grammar {

class LazyDfa {
public:
    using State = std::uint32_t;
    static constexpr State kDead = 0;
    static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

    // `nfa` is finished and outlives the automaton. No state is made beyond `states_max`: what
    // would need one is dead, and overflowed() says so.
    LazyDfa(const Nfa& nfa, std::size_t states_max);

    [[nodiscard]] State start() const { return start_; }
    [[nodiscard]] State next(State state, std::uint8_t byte);
    // The labels for which the text so far is whole, in rising order.
    [[nodiscard]] const std::vector<Nfa::Label>& ends(State state) const {
        return states_[state].ends;
    }
    [[nodiscard]] bool ends_all(State state) const {
        return states_[state].ends.size() == nfa_.labels();
    }
    // Whether any byte may follow.
    [[nodiscard]] bool continues(State state) const { return states_[state].continues; }
    // The labels that some continuation can still end with, as a bit set.
    [[nodiscard]] std::span<const std::uint64_t> reach(State state) const {
        return states_[state].reach;
    }
    // Characters that are missing at least until ends_all(); kNever when that cannot happen.
    [[nodiscard]] std::uint32_t missing(State state);
    // No next character is dead.
    [[nodiscard]] bool takes_any_character(State state);
    // Ends all labels, and so does every continuation: each character leads back here.
    [[nodiscard]] bool accepts_anything(State state);
    [[nodiscard]] bool overflowed() const { return overflowed_; }
    [[nodiscard]] std::size_t size() const { return states_.size(); }

private:
    static constexpr State kUnknown = std::numeric_limits<State>::max();

    struct Entry {
        std::vector<Nfa::State> set;
        std::vector<Nfa::Label> ends;
        std::vector<std::uint64_t> reach;
        std::array<State, 256> next;
        std::uint32_t missing = kNever - 1;  // kNever - 1: not computed
        bool continues = false;
        std::uint8_t any = 0;  // CharacterKind, 0: not computed
    };
    struct SetHash {
        std::size_t operator()(const std::vector<Nfa::State>& set) const;
    };

    enum CharacterKind : std::uint8_t { kUntold = 0, kSome = 1, kAny = 2, kLoops = 3 };
    [[nodiscard]] CharacterKind character_kind(State state);

    void close(std::vector<Nfa::State>& set, bool at_start, bool at_end);
    [[nodiscard]] State intern(std::vector<Nfa::State> set);

    const Nfa& nfa_;
    const std::size_t states_max_;
    std::vector<Entry> states_;
    std::unordered_map<std::vector<Nfa::State>, State, SetHash> by_set_;
    std::vector<std::uint32_t> marks_;  // of Nfa states, for close()
    std::uint32_t mark_ = 0;
    State start_ = kDead;
    bool overflowed_ = false;
};

}  // namespace heddle::engine::grammar
