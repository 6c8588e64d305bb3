// A page as main-text extraction sees it: which nodes are still in, and how much text and linked
// text each subtree holds. Internal to markup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "markup/html.h"

namespace heddle::markup {

[[nodiscard]] bool is_html_space(char c);
// Equal without regard to ASCII case.
[[nodiscard]] bool equals_ascii_case(std::string_view a, std::string_view b);
[[nodiscard]] bool contains_ascii_case(std::string_view text, std::string_view lower_case_needle);
// Without white space at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// Whether the element starts a new line of text.
[[nodiscard]] bool is_block(Tag tag);
[[nodiscard]] bool is_heading(Tag tag);

struct TextAmount {
    std::uint32_t characters = 0;  // other than white space
    std::uint32_t linked = 0;      // of those, inside <a href>
    std::uint32_t words = 0;
    std::uint32_t prose = 0;  // characters of long stretches outside of links

    [[nodiscard]] double link_density() const {
        return characters == 0 ? 0.0 : static_cast<double>(linked) / characters;
    }
};

class PageView {
public:
    // Drops what no reader sees (scripts, controls, hidden elements) at once.
    explicit PageView(const HtmlTree& tree);

    [[nodiscard]] const HtmlTree& tree() const { return *tree_; }
    [[nodiscard]] NodeIndex size() const { return static_cast<NodeIndex>(tree_->nodes().size()); }
    [[nodiscard]] NodeIndex body() const { return body_; }

    // Removed nodes take their subtrees with them.
    [[nodiscard]] bool removed(NodeIndex node) const { return removed_[node]; }
    void remove(NodeIndex node) { removed_[node] = true; }
    // Counts again after removals; amount() speaks of the last count.
    void count();
    [[nodiscard]] TextAmount amount(NodeIndex node) const;
    // Characters from the beginning of one node to that of a later one.
    [[nodiscard]] std::uint32_t amount_between(NodeIndex from, NodeIndex to) const {
        return before_[to].characters - before_[from].characters;
    }
    // Characters that were dropped because no reader would have seen them.
    [[nodiscard]] std::size_t invisible_characters() const { return invisible_; }

private:
    void drop_machinery();
    void drop_unseen();
    [[nodiscard]] bool hidden(NodeIndex node) const;
    [[nodiscard]] bool revealed_later(NodeIndex node, std::uint32_t page_characters) const;
    [[nodiscard]] bool is_card(NodeIndex anchor) const;

    const HtmlTree* tree_;
    NodeIndex body_ = 0;
    std::vector<bool> removed_;
    std::vector<TextAmount> own_;     // of text nodes alone
    std::vector<TextAmount> before_;  // totals of all nodes before each
    std::size_t invisible_ = 0;
};

}  // namespace heddle::markup
