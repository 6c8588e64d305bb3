// How the frames that are not JSON's own are opened, resumed and fed.
#include <algorithm>

#include "engine/grammar/machine.h"

namespace heddle::engine::grammar {
namespace {

// What is reached without a byte nests only as deep as the grammar; more is a loop.
constexpr int kNestingMax = 400;

}  // namespace

// Adds the stacks that are ready to read the first byte of `node` with `below` behind it.
void Machine::open(NodeId id, StackId below, Stacks& out) {
    if (nesting_ >= kNestingMax) {
        exhausted_ = true;
        return;
    }
    ++nesting_;
    const Node& node = grammar_->nodes[id];
    switch (node.kind) {
        case NodeKind::kNothing:
            break;
        case NodeKind::kAlias:
            open(node.children[0], below, out);
            break;
        case NodeKind::kChoice:
            for (const NodeId child : node.children) open(child, below, out);
            break;
        case NodeKind::kSequence:
            repeat({{.node = id, .phase = Phase::kContinue}, below}, out);
            break;
        case NodeKind::kRepeat:
            repeat({{.node = id, .phase = Phase::kContinue}, below}, out);
            break;
        case NodeKind::kBytes: {
            LazyDfa& dfa = dfa_of(node);
            if (dfa.start() == LazyDfa::kDead) break;
            out.push_back(intern({.node = id, .automaton = dfa.start()}, below));
            if (dfa.ends_all(dfa.start())) resume(below, out);
            break;
        }
        case NodeKind::kString:
            out.push_back(intern({.node = id, .automaton = dfa_of(node).start()}, below));
            break;
        case NodeKind::kObject:
        case NodeKind::kArray:
            out.push_back(intern({.node = id}, below));
            break;
        case NodeKind::kAll:
        case NodeKind::kExactlyOne:
            open_group(id, below, out);
            break;
    }
    --nesting_;
}

// What was open above `stack` is complete.
void Machine::resume(StackId id, Stacks& out) {
    if (id == kBottom || id == kHole) {
        out.push_back(id);
        return;
    }
    const Stack top = stacks_[id];
    const NodeKind kind = grammar_->nodes[top.frame.node].kind;
    if (kind == NodeKind::kSequence || kind == NodeKind::kRepeat) {
        if (nesting_ >= kNestingMax) {
            exhausted_ = true;
            return;
        }
        ++nesting_;
        repeat(top, out);
        --nesting_;
    } else {
        out.push_back(id);  // an object or an array behind a member or an item
    }
}

// The next child of a sequence or a repetition; `count` are complete.
void Machine::repeat(const Stack& top, Stacks& out) {
    const Node& node = grammar_->nodes[top.frame.node];
    Frame frame = top.frame;
    if (node.kind == NodeKind::kSequence) {
        if (frame.count == node.children.size()) {
            resume(top.below, out);
            return;
        }
        const NodeId child = node.children[frame.count++];
        // The last child needs no way back here: recursion at the end costs no depth.
        const bool last = frame.count == node.children.size();
        open(child, last ? top.below : intern(frame, top.below), out);
        return;
    }
    if (frame.count >= node.least) resume(top.below, out);
    if (frame.count >= node.most) return;
    const bool counts = node.most != kUnbounded || frame.count < node.least;
    if (counts) ++frame.count;
    const StackId back = intern(frame, top.below);
    // An empty child would come back here for ever.
    if (std::ranges::find(repeating_, back) != repeating_.end()) return;
    repeating_.push_back(back);
    open(node.children[0], back, out);
    repeating_.pop_back();
}

void Machine::consume(StackId id, std::uint8_t byte, Stacks& out) {
    if (id == kBottom || id == kHole) return;
    const Stack top = stacks_[id];
    switch (grammar_->nodes[top.frame.node].kind) {
        case NodeKind::kBytes:
            consume_bytes(top, byte, out);
            break;
        case NodeKind::kString:
            consume_string(top, byte, out);
            break;
        case NodeKind::kObject:
            consume_object(top, byte, out);
            break;
        case NodeKind::kArray:
            consume_array(top, byte, out);
            break;
        case NodeKind::kAll:
        case NodeKind::kExactlyOne:
            consume_group(top, byte, out);
            break;
        default:
            break;
    }
}

void Machine::consume_bytes(const Stack& top, std::uint8_t byte, Stacks& out) {
    const Node& node = grammar_->nodes[top.frame.node];
    LazyDfa& dfa = dfa_of(node);
    Frame frame = top.frame;
    frame.automaton = dfa.next(frame.automaton, byte);
    if (frame.automaton == LazyDfa::kDead) {
        exhausted_ = exhausted_ || dfa.overflowed();
        return;
    }
    // Several rules at once (a range of numbers) may have no text in common from here on.
    const bool alive = grammar_->automata[node.spec].labels() == 1 ||
                       dfa.missing(frame.automaton) != LazyDfa::kNever;
    if (!alive) return;
    if (dfa.continues(frame.automaton)) out.push_back(intern(frame, top.below));
    if (dfa.ends_all(frame.automaton)) resume(top.below, out);
}

// A group runs its children as machines of their own over the same bytes.
void Machine::open_group(NodeId id, StackId below, Stacks& out) {
    std::vector<State> group;
    for (const NodeId child : grammar_->nodes[id].children) {
        Stacks first;
        open(child, kBottom, first);
        group.push_back(intern(std::move(first)));
    }
    settle_group({.node = id}, std::move(group), below, out);
}

void Machine::consume_group(const Stack& top, std::uint8_t byte, Stacks& out) {
    std::vector<State> group = groups_[top.frame.automaton];
    for (State& state : group) state = step(state, byte);
    settle_group(top.frame, std::move(group), top.below, out);
}

void Machine::settle_group(Frame frame, std::vector<State> group, StackId below, Stacks& out) {
    const Node& node = grammar_->nodes[frame.node];
    const std::size_t wanted = group.size() - node.negated;
    std::size_t accepting = 0;
    std::size_t alive = 0;
    bool refused = false;
    for (std::size_t i = 0; i < group.size(); ++i) {
        const bool whole = accepts(group[i]);
        if (i >= wanted) {
            refused = refused || whole;
        } else {
            accepting += whole ? 1 : 0;
            alive += group[i] != kDead ? 1 : 0;
        }
    }
    const bool all = node.kind == NodeKind::kAll;
    if (all ? alive < wanted : alive == 0) return;
    const bool complete = all ? accepting == wanted && !refused : accepting == 1;
    frame.automaton = intern_group(std::move(group));
    out.push_back(intern(frame, below));
    if (complete) resume(below, out);
}

}  // namespace heddle::engine::grammar
