#include "markup/content_root.h"

#include <algorithm>
#include <vector>

namespace heddle::markup {

namespace {

// Prose weight of every subtree as prefix sums: characters outside of links, those of short
// blocks discounted.
std::vector<double> prose_before(const PageView& page) {
    const HtmlTree& tree = page.tree();
    std::vector<double> before(page.size() + 1, 0);
    double total = 0;
    NodeIndex removed_until = 0;
    for (NodeIndex i = 0; i < page.size(); ++i) {
        before[i] = total;
        if (i < removed_until) continue;
        if (page.removed(i)) {
            removed_until = tree[i].end;
            continue;
        }
        if (tree[i].kind != NodeKind::kText) continue;
        const TextAmount own = page.amount(i);
        if (own.characters == 0) continue;
        const double free = own.characters - 0.8 * own.linked;
        const double length = own.characters;
        total += free * std::min(1.0, 0.2 + length / 100.0);
    }
    before[page.size()] = total;
    return before;
}

// <main> and its like, where it holds a fair part of the prose; else the body.
template <class Prose>
NodeIndex declared_main(const PageView& page, const Prose& prose) {
    const HtmlTree& tree = page.tree();
    NodeIndex best = page.body();
    double most = 0.4 * prose(best);
    for (NodeIndex i = page.body() + 1; i < tree[page.body()].end;) {
        if (page.removed(i)) {
            i = tree[i].end;
            continue;
        }
        const bool declared =
            tree[i].kind == NodeKind::kElement &&
            (tree[i].tag == Tag::kMain || equals_ascii_case(tree.attribute(i, "role"), "main") ||
             equals_ascii_case(tree.attribute(i, "itemprop"), "articleBody"));
        if (declared && prose(i) >= most) {
            best = i;
            most = std::max(most, prose(i));
        }
        ++i;
    }
    return best;
}

}  // namespace

NodeIndex find_content_root(const PageView& page, PageKind kind) {
    const HtmlTree& tree = page.tree();
    const std::vector<double> before = prose_before(page);
    const auto prose = [&](NodeIndex node) { return before[tree[node].end] - before[node]; };
    NodeIndex root = declared_main(page, prose);
    // One text is found by its weight; where many short ones stand side by side, none may be lost.
    const bool one_text = kind == PageKind::kArticle || kind == PageKind::kDocumentation;
    const double share = one_text ? 0.85 : 0.95;
    const double all = prose(root);
    for (;;) {
        NodeIndex best = root;
        for (NodeIndex child = root + 1; child < tree[root].end; child = tree[child].end) {
            if (tree[child].kind != NodeKind::kElement || page.removed(child)) continue;
            if (best == root || prose(child) > prose(best)) best = child;
        }
        if (best == root || prose(best) < share * all) return root;
        if (tree[best].tag == Tag::kP || tree[best].tag == Tag::kTable) return root;
        root = best;
    }
}

}  // namespace heddle::markup
