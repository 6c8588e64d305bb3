// Runs a grammar over bytes and tells which tokens may come next.
//
// What may follow is a set of stacks of frames (the nodes that are open, innermost first). Frames,
// stacks and sets are numbered on first sight, so that a set is one number, a step one look-up
// in a table, and the mask of a set is computed once. A mask is the union over its stacks; of
// each stack the part that stays within the innermost frame depends on that frame alone and is
// shared by all stacks that have it on top (as in XGrammar, Dong et al. 2024).
//
// A Machine is shared by all sequences with its grammar. One thread (the executor's).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/grammar/grammar.h"
#include "engine/grammar/lazy_dfa.h"
#include "engine/grammar/token_mask.h"
#include "engine/grammar/token_trie.h"

namespace heddle::engine::grammar {

class Machine {
public:
    // A set of stacks. kDead is the empty one.
    using State = std::uint32_t;
    static constexpr State kDead = 0;

    // `trie` outlives the machine.
    Machine(std::shared_ptr<const Grammar> grammar, const TokenTrie& trie);

    [[nodiscard]] State start() const { return start_; }
    [[nodiscard]] State step(State state, std::uint8_t byte);
    // Whether the text so far is whole.
    [[nodiscard]] bool accepts(State state) const { return states_[state].accepts; }
    // The tokens that may come next, without end tokens. Good until the next call.
    [[nodiscard]] const TokenMask& mask(State state);
    // Whether a limit was hit: states from then on may be dead for want of room.
    [[nodiscard]] bool exhausted() const { return exhausted_; }
    [[nodiscard]] const Grammar& grammar() const { return *grammar_; }
    [[nodiscard]] const TokenTrie& trie() const { return trie_; }

private:
    using StackId = std::uint32_t;
    static constexpr StackId kBottom = 0;  // nothing is open: the text is whole
    static constexpr StackId kHole = 1;    // stands for any rest below a frame
    static constexpr State kUnknown = ~State{0};

    enum class Phase : std::uint8_t {
        kOpen,      // before the first byte
        kBody,      // within a string
        kKey,       // within a member's key
        kFirst,     // behind { or [
        kColon,     // behind a key
        kValue,     // behind the colon, before the value
        kNext,      // behind a member or an item
        kComma,     // behind a comma
        kContinue,  // sequence and repeat: a child is open above
    };

    // The meaning of the fields is the node kind's; see machine_frames.cpp.
    struct Frame {
        NodeId node = 0;
        Phase phase = Phase::kOpen;
        std::uint32_t automaton = 0;  // a state of the node's automaton, or a set of machines
        std::uint32_t count = 0;
        std::uint32_t escape = 0;
        std::uint32_t seen = 0;
        NodeId pending = 0;
        bool operator==(const Frame&) const = default;
    };
    struct Stack {
        Frame frame;
        StackId below = kBottom;
        std::uint32_t depth = 0;
        bool operator==(const Stack& other) const {
            return frame == other.frame && below == other.below;
        }
    };
    struct StackHash {
        std::size_t operator()(const Stack& stack) const;
    };
    template <class Word>
    struct WordsHash {
        std::size_t operator()(const std::vector<Word>& words) const;
    };
    struct StateEntry {
        std::vector<StackId> stacks;
        bool accepts = false;
        std::unique_ptr<std::array<State, 256>> next;
    };
    // What a frame allows by itself, and the trie nodes at which it is complete.
    struct FrameMask {
        TokenMask within;
        std::vector<std::uint32_t> completes;      // indexes into the trie's nodes
        std::vector<std::uint32_t> odd_completes;  // ditto, odd_nodes
    };
    using Stacks = std::vector<StackId>;

    // machine.cpp
    [[nodiscard]] StackId intern(const Frame& frame, StackId below);
    [[nodiscard]] State intern(Stacks stacks);
    [[nodiscard]] std::uint32_t intern_seen(std::vector<std::uint64_t> seen);
    [[nodiscard]] std::uint32_t intern_group(std::vector<State> group);
    [[nodiscard]] State compute_step(State state, std::uint8_t byte);

    // machine_mask.cpp
    [[nodiscard]] TokenMask compute_mask(State state);
    [[nodiscard]] const FrameMask& frame_mask(const Frame& frame);
    [[nodiscard]] Frame canonical(const Frame& frame);
    [[nodiscard]] std::size_t plain_room(const Frame& frame);
    void walk(State from, bool odd, std::uint32_t first, std::uint32_t end, std::size_t depth,
              TokenMask& mask, std::vector<std::uint32_t>* completes);
    void make_room();

    // machine_frames.cpp: what is reached without a byte, and by one.
    void open(NodeId node, StackId below, Stacks& out);
    void resume(StackId stack, Stacks& out);
    void consume(StackId stack, std::uint8_t byte, Stacks& out);
    void consume_bytes(const Stack& top, std::uint8_t byte, Stacks& out);
    void consume_string(const Stack& top, std::uint8_t byte, Stacks& out);
    void open_group(NodeId node, StackId below, Stacks& out);
    void consume_group(const Stack& top, std::uint8_t byte, Stacks& out);
    void settle_group(Frame frame, std::vector<State> group, StackId below, Stacks& out);
    void repeat(const Stack& top, Stacks& out);

    // machine_json.cpp
    enum class TextStep : std::uint8_t { kDead, kInside, kCharacter, kClosed };
    [[nodiscard]] TextStep step_text(LazyDfa& dfa, Frame& frame, std::uint8_t byte);
    [[nodiscard]] TextStep step_escape(LazyDfa& dfa, Frame& frame, std::uint8_t byte);
    [[nodiscard]] TextStep add_character(LazyDfa& dfa, Frame& frame, char32_t character);
    [[nodiscard]] bool escape_possible(LazyDfa& dfa, LazyDfa::State state, std::uint8_t letter);
    [[nodiscard]] bool control_possible(LazyDfa& dfa, LazyDfa::State state, std::uint32_t prefix,
                                        int digits);
    void consume_object(const Stack& top, std::uint8_t byte, Stacks& out);
    void consume_key(const Stack& top, std::uint8_t byte, Stacks& out);
    void close_key(const Stack& top, Frame frame, Stacks& out);
    void push_key_text(const Stack& top, Frame frame, Stacks& out);
    void push_value(const ObjectSpec& spec, const Frame& frame, StackId below, NodeId value,
                    Stacks& out);
    [[nodiscard]] bool key_possible(const ObjectSpec& spec, LazyDfa& dfa, LazyDfa::State state,
                                    std::uint32_t seen);
    [[nodiscard]] bool may_come(const ObjectSpec& spec, std::uint32_t key,
                                std::uint32_t seen) const;
    [[nodiscard]] bool may_close(const ObjectSpec& spec, const Frame& frame) const;
    [[nodiscard]] bool more_members(const ObjectSpec& spec, const Frame& frame);
    void consume_array(const Stack& top, std::uint8_t byte, Stacks& out);
    void open_item(const Stack& top, Stacks& out);

    [[nodiscard]] bool has_seen(std::uint32_t seen, std::uint32_t key) const {
        const auto& words = seen_[seen];
        return key / 64 < words.size() && (words[key / 64] >> (key % 64) & 1) != 0;
    }
    [[nodiscard]] LazyDfa& dfa_of(const Node& node);
    [[nodiscard]] LazyDfa& key_dfa(const ObjectSpec& spec);
    [[nodiscard]] LazyDfa& automaton(std::uint32_t index);

    const std::shared_ptr<const Grammar> grammar_;
    const TokenTrie& trie_;
    State start_ = kDead;
    bool exhausted_ = false;
    int nesting_ = 0;                 // of open() and resume(), bounded
    std::vector<StackId> repeating_;  // repetitions being opened: an empty child ends there

    std::vector<std::unique_ptr<LazyDfa>> automata_;
    std::vector<Stack> stacks_;
    std::unordered_map<Stack, StackId, StackHash> stack_ids_;
    std::deque<StateEntry> states_;
    std::unordered_map<Stacks, State, WordsHash<StackId>> state_ids_;
    std::vector<std::vector<std::uint64_t>> seen_;
    std::unordered_map<std::vector<std::uint64_t>, std::uint32_t, WordsHash<std::uint64_t>>
        seen_ids_;
    std::vector<std::vector<State>> groups_;
    std::unordered_map<std::vector<State>, std::uint32_t, WordsHash<State>> group_ids_;

    std::unordered_map<State, TokenMask> masks_;
    std::unordered_map<StackId, FrameMask> frame_masks_;  // by the frame above a hole
    std::size_t mask_bytes_ = 0;
    std::vector<State> path_;  // scratch of walk()
};

}  // namespace heddle::engine::grammar
