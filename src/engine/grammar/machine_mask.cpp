// Which tokens may come next: walks of the vocabulary's trie, and what of them is remembered.
#include <algorithm>

#include "engine/grammar/machine.h"

namespace heddle::engine::grammar {
namespace {

constexpr std::size_t kMaskBytesMax = std::size_t{64} << 20;

}  // namespace

const TokenMask& Machine::mask(State state) {
    const auto known = masks_.find(state);
    if (known != masks_.end()) return known->second;
    make_room();
    TokenMask mask = compute_mask(state);
    mask_bytes_ += mask.bytes();
    return masks_.emplace(state, std::move(mask)).first->second;
}

void Machine::make_room() {
    if (mask_bytes_ < kMaskBytesMax) return;
    masks_.clear();
    frame_masks_.clear();
    mask_bytes_ = 0;
}

// Sets the tokens that keep to the grammar from `from` at the nodes [first, end) of the trie,
// which stand `depth` bytes deep. With `completes`, also notes the nodes at which what is above
// the hole is complete.
void Machine::walk(State from, bool odd, std::uint32_t first, std::uint32_t end, std::size_t depth,
                   TokenMask& mask, std::vector<std::uint32_t>* completes) {
    const auto nodes = odd ? trie_.odd_nodes() : trie_.nodes();
    path_[depth] = from;
    std::uint32_t at = first;
    while (at < end) {
        const TokenTrie::Node& node = nodes[at];
        const State next = step(path_[node.depth - 1u], node.byte);
        if (next == kDead) {
            at = node.end;
            continue;
        }
        path_[node.depth] = next;
        trie_.set_tokens(node, odd, mask);
        if (completes != nullptr) {
            const auto& stacks = states_[next].stacks;
            const bool complete = stacks[0] == kHole || (stacks.size() > 1 && stacks[1] == kHole);
            if (complete && node.end > at + 1) completes->push_back(at);
        }
        ++at;
    }
}

TokenMask Machine::compute_mask(State state) {
    TokenMask mask(trie_.vocabulary());
    const Stacks stacks = states_[state].stacks;
    for (const StackId id : stacks) {
        if (id == kBottom) continue;
        const Stack top = stacks_[id];
        const FrameMask& own = frame_mask(canonical(top.frame));
        mask |= own.within;
        if (top.below == kBottom || (own.completes.empty() && own.odd_completes.empty())) {
            continue;
        }
        Stacks after;
        resume(top.below, after);
        const State below = intern(std::move(after));
        if (below == kDead) continue;
        const auto go_on = [&](bool odd, const std::vector<std::uint32_t>& places) {
            const auto nodes = odd ? trie_.odd_nodes() : trie_.nodes();
            for (const std::uint32_t at : places) {
                walk(below, odd, at + 1, nodes[at].end, nodes[at].depth, mask, nullptr);
            }
        };
        go_on(false, own.completes);
        go_on(true, own.odd_completes);
    }
    return mask;
}

// How many characters of any kind a frame takes before its own rules matter; 0 when they do now.
std::size_t Machine::plain_room(const Frame& frame) {
    const Node& node = grammar_->nodes[frame.node];
    if (frame.escape != 0) return 0;
    if (node.kind == NodeKind::kString && frame.phase == Phase::kBody) {
        if (!dfa_of(node).accepts_anything(frame.automaton)) return 0;
        return node.most == kUnbounded ? kUnbounded : node.most - frame.count;
    }
    if (node.kind == NodeKind::kObject && frame.phase == Phase::kKey) {
        const ObjectSpec& spec = grammar_->objects[node.spec];
        // Any key may come: whatever is written becomes one.
        const bool free = spec.additional != kNoNode && !spec.has_name_rule &&
                          key_dfa(spec).takes_any_character(frame.automaton);
        return free ? kUnbounded : 0;
    }
    return 0;
}

// Frames that allow the same tokens are one: a bounded text is like an unbounded one while no
// token can reach its bound.
Machine::Frame Machine::canonical(const Frame& frame) {
    const Node& node = grammar_->nodes[frame.node];
    const bool far = node.kind == NodeKind::kString && node.most != kUnbounded &&
                     frame.count >= node.least && plain_room(frame) > trie_.longest();
    if (!far) return frame;
    Frame same = frame;
    same.count = node.least;
    return node.most - node.least > trie_.longest() ? same : frame;
}

const Machine::FrameMask& Machine::frame_mask(const Frame& frame) {
    const StackId key = intern(frame, kHole);
    const auto known = frame_masks_.find(key);
    if (known != frame_masks_.end()) return known->second;
    const State from = intern(Stacks{key});
    FrameMask made;
    const std::size_t room = plain_room(frame);
    if (room > 0) {
        made.within = trie_.plain(room);
        walk(from, true, 0, static_cast<std::uint32_t>(trie_.odd_nodes().size()), 0, made.within,
             &made.odd_completes);
    } else {
        made.within = TokenMask(trie_.vocabulary());
        walk(from, false, 0, static_cast<std::uint32_t>(trie_.nodes().size()), 0, made.within,
             &made.completes);
    }
    mask_bytes_ += made.within.bytes() + made.completes.size() * 4;
    return frame_masks_.emplace(key, std::move(made)).first->second;
}

}  // namespace heddle::engine::grammar
