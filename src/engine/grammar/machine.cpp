#include "engine/grammar/machine.h"

#include <algorithm>

namespace heddle::engine::grammar {
namespace {

// A text that nests deeper than this matches nothing.
constexpr std::uint32_t kStackDepthMax = 256;
// More ways than this to read one text: the grammar is too ambiguous to be followed.
constexpr std::size_t kStacksMax = 1024;

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    return hash ^ (hash >> 29);
}

}  // namespace

std::size_t Machine::StackHash::operator()(const Stack& stack) const {
    const Frame& frame = stack.frame;
    std::uint64_t hash =
        mix(stack.below, std::uint64_t{frame.node} << 8 | static_cast<std::uint64_t>(frame.phase));
    hash = mix(hash, std::uint64_t{frame.automaton} << 32 | frame.count);
    hash = mix(hash, std::uint64_t{frame.escape} << 32 | frame.seen);
    return mix(hash, frame.pending);
}

template <class Word>
std::size_t Machine::WordsHash<Word>::operator()(const std::vector<Word>& words) const {
    std::uint64_t hash = words.size();
    for (const Word word : words) hash = mix(hash, word);
    return hash;
}

Machine::Machine(std::shared_ptr<const Grammar> grammar, const TokenTrie& trie)
    : grammar_(std::move(grammar)), trie_(trie), automata_(grammar_->automata.size()) {
    // Stack kBottom and stack kHole have no frame of their own.
    stacks_.resize(2);
    states_.emplace_back();
    (void)intern_seen({});
    path_.resize(trie.longest() + 1);
    Stacks first;
    open(grammar_->root, kBottom, first);
    start_ = intern(std::move(first));
}

LazyDfa& Machine::automaton(std::uint32_t index) {
    auto& slot = automata_[index];
    if (!slot) {
        slot = std::make_unique<LazyDfa>(grammar_->automata[index],
                                         grammar_->limits.automaton_states_max);
    }
    return *slot;
}

LazyDfa& Machine::dfa_of(const Node& node) {
    return automaton(node.spec);
}

LazyDfa& Machine::key_dfa(const ObjectSpec& spec) {
    return automaton(spec.keys);
}

Machine::StackId Machine::intern(const Frame& frame, StackId below) {
    Stack stack{frame, below, stacks_[below].depth + 1};
    const auto [at, is_new] = stack_ids_.try_emplace(stack, static_cast<StackId>(stacks_.size()));
    if (is_new) stacks_.push_back(stack);
    return at->second;
}

// Sets that are too large, too deep or too many are dead, and the machine says so.
Machine::State Machine::intern(Stacks stacks) {
    std::ranges::sort(stacks);
    stacks.erase(std::unique(stacks.begin(), stacks.end()), stacks.end());
    std::erase_if(stacks, [this](StackId id) { return stacks_[id].depth > kStackDepthMax; });
    if (stacks.empty()) return kDead;
    if (const auto known = state_ids_.find(stacks); known != state_ids_.end()) {
        return known->second;
    }
    if (stacks.size() > kStacksMax || states_.size() >= grammar_->limits.machine_states_max) {
        exhausted_ = true;
        return kDead;
    }
    const State id = static_cast<State>(states_.size());
    StateEntry& entry = states_.emplace_back();
    entry.accepts = stacks.front() == kBottom;
    entry.stacks = stacks;
    state_ids_.emplace(std::move(stacks), id);
    return id;
}

std::uint32_t Machine::intern_seen(std::vector<std::uint64_t> seen) {
    const auto [at, is_new] = seen_ids_.try_emplace(seen, static_cast<std::uint32_t>(seen_.size()));
    if (is_new) seen_.push_back(std::move(seen));
    return at->second;
}

std::uint32_t Machine::intern_group(std::vector<State> group) {
    const auto [at, is_new] =
        group_ids_.try_emplace(group, static_cast<std::uint32_t>(groups_.size()));
    if (is_new) groups_.push_back(std::move(group));
    return at->second;
}

Machine::State Machine::step(State state, std::uint8_t byte) {
    if (state == kDead) return kDead;
    StateEntry& entry = states_[state];
    if (!entry.next) {
        entry.next = std::make_unique<std::array<State, 256>>();
        entry.next->fill(kUnknown);
    }
    State& next = (*entry.next)[byte];
    if (next == kUnknown) next = compute_step(state, byte);
    return next;
}

Machine::State Machine::compute_step(State state, std::uint8_t byte) {
    Stacks out;
    // A copy: steps of grouped machines add states.
    const Stacks stacks = states_[state].stacks;
    for (const StackId stack : stacks) consume(stack, byte, out);
    return intern(std::move(out));
}

}  // namespace heddle::engine::grammar
