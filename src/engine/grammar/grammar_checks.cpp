#include "engine/grammar/grammar_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace heddle::engine::grammar {
namespace {

bool accepts_nothing_written(const Nfa& nfa) {
    std::vector<bool> reached(nfa.size(), false);
    std::vector<Nfa::State> open{0};
    reached[0] = true;
    while (!open.empty()) {
        const Nfa::State state = open.back();
        open.pop_back();
        if (!nfa.nodes()[state].ends.empty()) return true;
        for (const Nfa::Empty& empty : nfa.nodes()[state].empties) {
            if (!reached[empty.to]) open.push_back(empty.to);
            reached[empty.to] = true;
        }
    }
    return false;
}

// Which nodes match the empty text: the least fixed point.
std::vector<bool> empty_nodes(const Grammar& grammar) {
    std::vector<bool> empty(grammar.nodes.size(), false);
    const auto decide = [&](const Node& node) {
        const auto is_empty = [&](NodeId child) { return empty[child]; };
        switch (node.kind) {
            case NodeKind::kBytes:
                return accepts_nothing_written(grammar.automata[node.spec]);
            case NodeKind::kAlias:
            case NodeKind::kChoice:
            case NodeKind::kExactlyOne:
                return std::any_of(node.children.begin(), node.children.end(), is_empty);
            case NodeKind::kSequence:
            case NodeKind::kAll:
                return std::all_of(node.children.begin(), node.children.end(), is_empty);
            case NodeKind::kRepeat:
                return node.least == 0 || empty[node.children[0]];
            default:
                return false;
        }
    };
    for (bool changed = true; changed;) {
        changed = false;
        for (NodeId id = 0; id < grammar.nodes.size(); ++id) {
            if (empty[id] || !decide(grammar.nodes[id])) continue;
            empty[id] = true;
            changed = true;
        }
    }
    return empty;
}

}  // namespace

Error grammar_too_complex(std::string_view what) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("the output constraint is too complex: {}", what))
        .with_reason("grammar_too_complex");
}

Result<void> check_recursion(const Grammar& grammar, const char* reason) {
    const std::vector<bool> empty = empty_nodes(grammar);
    // The children that may be entered before a byte is read.
    const auto leading = [&](const Node& node) {
        std::vector<NodeId> children = node.children;
        if (node.kind == NodeKind::kSequence) {
            std::size_t count = 0;
            while (count < children.size() && empty[children[count]]) ++count;
            children.resize(std::min(count + 1, children.size()));
        }
        return children;
    };
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    struct Visit {
        NodeId node;
        std::vector<NodeId> children;
    };
    std::vector<Mark> marks(grammar.nodes.size(), Mark::kNew);
    for (NodeId root = 0; root < grammar.nodes.size(); ++root) {
        if (marks[root] != Mark::kNew) continue;
        std::vector<Visit> path{{root, leading(grammar.nodes[root])}};
        marks[root] = Mark::kOpen;
        while (!path.empty()) {
            if (path.back().children.empty()) {
                marks[path.back().node] = Mark::kDone;
                path.pop_back();
                continue;
            }
            const NodeId next = path.back().children.back();
            path.back().children.pop_back();
            if (marks[next] == Mark::kOpen) {
                return fail(Error(ErrorCode::kInvalidArgument,
                                  "the output constraint refers to itself without an end")
                                .with_reason(reason));
            }
            if (marks[next] == Mark::kDone) continue;
            marks[next] = Mark::kOpen;
            path.push_back({next, leading(grammar.nodes[next])});
        }
    }
    return {};
}

}  // namespace heddle::engine::grammar
