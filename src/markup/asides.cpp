// What stands inside the main part of a page without being its text: sections that lead away,
// boxes of links, the names of controls.
#include <algorithm>
#include <array>
#include <string>

#include "markup/boilerplate.h"

namespace heddle::markup {

namespace {

// How sections begin that lead away from the text. Compared in lower case with the whole heading
// or its beginning (those that end with '*').
constexpr std::array kLeadingAway = std::to_array<std::string_view>({
    "related*",
    "you may also*",
    "you might also*",
    "you'll also*",
    "you may like",
    "recommended*",
    "more from*",
    "more in*",
    "more on*",
    "more stories*",
    "more articles",
    "more posts",
    "more like this",
    "read more*",
    "read next*",
    "up next",
    "further reading",
    "see also",
    "also read",
    "keep reading",
    "continue reading",
    "don't miss*",
    "popular*",
    "trending*",
    "most read*",
    "most popular*",
    "latest*",
    "recent*",
    "featured posts",
    "other articles*",
    "similar*",
    "customers also*",
    "people also*",
    "frequently bought*",
    "recently viewed*",
    "complete the look",
    "shop the look",
    "pairs well with*",
    "goes well with*",
    "comments*",
    "leave a reply*",
    "leave a comment*",
    "join the conversation*",
    "join the discussion*",
    "post a comment*",
    "add a comment*",
    "about the author*",
    "about author",
    "written by*",
    "share this*",
    "share*",
    "follow us*",
    "follow*",
    "stay connected*",
    "connect with us*",
    "subscribe*",
    "sign up*",
    "newsletter*",
    "get the latest*",
    "stay up to date*",
    "stay in the loop*",
    "join our newsletter*",
    "join our*",
    "tags",
    "tagged*",
    "categories",
    "filed under*",
    "post navigation",
    "navigation*",
    "table of contents",
    "on this page",
    "in this article",
    "quick links",
    "useful links",
    "sponsored*",
    "advertisement*",
    "from our partners*",
    "partner content",
    "contact us*",
    "get in touch*",
    "ready to get started*",
    "get started*",
    "book a demo*",
    "request a demo*",
    "write a review*",
    "customer reviews*",
    "reviews*",
    "questions?*",
    "need help*",
    "download the app*",
    "as seen*",
    "featured in*",
    "our partners*",
    "trusted by*",
    "ähnliche*",
    "das könnte*",
    "mehr zum thema*",
    "kommentare*",
    "à lire aussi*",
    "articles similaires*",
    "commentaires*",
    "relacionad*",
    "también te*",
    "comentarios*",
    "related topics*",
    "suggested topics*",
    "similar threads*",
    "new & unread topics",
});

std::string lower_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (is_html_space(c)) {
            if (!line.empty() && line.back() != ' ') line += ' ';
        } else {
            line += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        }
    }
    while (line.ends_with(' ') || line.ends_with(':')) line.pop_back();
    return line.starts_with(' ') ? line.substr(1) : line;
}

bool leads_away(std::string_view heading) {
    return std::any_of(kLeadingAway.begin(), kLeadingAway.end(), [&](std::string_view way) {
        if (!way.ends_with('*')) return heading == way;
        way.remove_suffix(1);
        return heading.starts_with(way);
    });
}

// Removes sections by their headings: the part around the heading that holds nothing before it,
// or what follows until the next heading of its rank.
class LeadingAway {
public:
    LeadingAway(PageView& page, NodeIndex root) : page_(page), tree_(page.tree()), root_(root) {}

    void run() {
        const double total = page_.amount(root_).characters;
        for (NodeIndex i = root_ + 1; i < tree_[root_].end;) {
            if (page_.removed(i)) {
                i = tree_[i].end;
                continue;
            }
            if (is_heading(tree_[i].tag) && tree_[i].tag != Tag::kH1 && leads_away(text_of(i))) {
                const NodeIndex section = section_of(i);
                if (section != i && page_.amount(section).characters < 0.3 * total) {
                    page_.remove(section);
                    i = tree_[section].end;
                    continue;
                }
                if (section == i) i = remove_following(i, 0.3 * total);
            }
            ++i;
        }
        page_.count();
    }

private:
    [[nodiscard]] std::string text_of(NodeIndex node) const {
        std::string text;
        for (NodeIndex i = node; i < tree_[node].end && text.size() < 200; ++i) {
            if (tree_[i].kind == NodeKind::kText) text += tree_[i].text;
        }
        return lower_line(text);
    }

    // The largest ancestor that begins with the heading and holds no other of its rank.
    [[nodiscard]] NodeIndex section_of(NodeIndex heading) const {
        NodeIndex section = heading;
        while (tree_[section].parent > root_) {
            const NodeIndex parent = tree_[section].parent;
            const auto before = page_.amount_between(parent, heading);
            if (before > 0 || has_other_heading(parent, heading)) break;
            section = parent;
        }
        return section;
    }

    [[nodiscard]] bool has_other_heading(NodeIndex node, NodeIndex heading) const {
        for (NodeIndex i = tree_[heading].end; i < tree_[node].end; ++i) {
            if (is_heading(tree_[i].tag) && tree_[i].tag <= tree_[heading].tag) return true;
        }
        return false;
    }

    // Siblings after the heading, until another heading of its rank or too much text.
    NodeIndex remove_following(NodeIndex heading, double most) {
        const NodeIndex parent = tree_[heading].parent;
        NodeIndex last = tree_[heading].end;
        double characters = 0;
        for (NodeIndex i = last; i < tree_[parent].end; i = tree_[i].end) {
            if (starts_section(i, tree_[heading].tag)) break;
            characters += page_.amount(i).characters;
            if (characters > most) return heading;
            last = tree_[i].end;
        }
        for (NodeIndex i = heading; i < last; i = tree_[i].end) page_.remove(i);
        return last - 1;
    }

    [[nodiscard]] bool starts_section(NodeIndex node, Tag rank) const {
        for (NodeIndex i = node; i < tree_[node].end; ++i) {
            if (is_heading(tree_[i].tag) && tree_[i].tag <= rank) return true;
        }
        return false;
    }

    PageView& page_;
    const HtmlTree& tree_;
    NodeIndex root_;
};

// Whole blocks that only ask for a click or name a control.
constexpr std::array kControlLines = std::to_array<std::string_view>({
    "advertisement",
    "ad",
    "sponsored",
    "share",
    "share this",
    "share on facebook",
    "tweet",
    "pin it",
    "print",
    "email",
    "save",
    "copy link",
    "link copied",
    "facebook",
    "twitter",
    "linkedin",
    "pinterest",
    "whatsapp",
    "instagram",
    "youtube",
    "reddit",
    "telegram",
    "x",
    "reply",
    "quote",
    "report",
    "report post",
    "like",
    "dislike",
    "upvote",
    "downvote",
    "follow",
    "unfollow",
    "flag",
    "edit",
    "delete",
    "permalink",
    "read more",
    "learn more",
    "see more",
    "show more",
    "show less",
    "view more",
    "view all",
    "see all",
    "load more",
    "find out more",
    "more info",
    "more information",
    "click here",
    "continue reading",
    "shop now",
    "buy now",
    "shop all",
    "add to cart",
    "add to bag",
    "add to basket",
    "add to wishlist",
    "wishlist",
    "quick view",
    "quick shop",
    "quick add",
    "quickview",
    "sold out",
    "notify me",
    "compare",
    "select options",
    "choose options",
    "checkout",
    "log in",
    "login",
    "sign in",
    "sign up",
    "register",
    "subscribe",
    "subscribe now",
    "join now",
    "get started",
    "try for free",
    "start free trial",
    "book a demo",
    "request a demo",
    "contact us",
    "contact sales",
    "apply now",
    "download",
    "download now",
    "next",
    "previous",
    "prev",
    "back",
    "back to top",
    "top",
    "close",
    "menu",
    "open menu",
    "search",
    "skip to content",
    "skip to main content",
    "loading",
    "loading...",
    "copy",
    "copied",
    "copied!",
    "copy code",
    "home",
    "sort by",
    "filter",
    "filters",
    "filter by",
    "clear all",
    "reset",
    "apply",
    "cancel",
    "submit",
    "ok",
    "accept",
    "accept all",
    "reject all",
    "cookie settings",
    "add a comment",
    "add your review",
    "write a review",
    "leave a comment",
    "report inappropriate content",
    "reply with quote",
    "top of page",
    "view cart",
    "edit this page",
    "was this page helpful?",
    "was this helpful?",
    "yes",
    "no",
    "play",
    "pause",
    "mute",
    "expand",
    "collapse",
    "toggle",
    "view details",
    "details",
    "view collection",
    "view product",
});

// Removes blocks without inner blocks whose whole text is the name of a control.
void remove_control_lines(PageView& page, NodeIndex root) {
    constexpr std::uint32_t kCharactersMax = 32;
    const HtmlTree& tree = page.tree();
    for (NodeIndex i = root + 1; i < tree[root].end;) {
        if (page.removed(i)) {
            i = tree[i].end;
            continue;
        }
        const std::uint32_t characters = page.amount(i).characters;
        const bool element = tree[i].kind == NodeKind::kElement;
        const bool whole =
            element &&
            (is_block(tree[i].tag) || tree[i].tag == Tag::kA || tree[i].tag == Tag::kLabel) &&
            tree[i].tag != Tag::kTd && tree[i].tag != Tag::kTh;
        if (whole && characters > 0 && characters <= kCharactersMax) {
            std::string text;
            for (NodeIndex j = i; j < tree[i].end && text.size() < 200; ++j) {
                if (tree[j].kind == NodeKind::kText) text += tree[j].text;
            }
            if (std::find(kControlLines.begin(), kControlLines.end(), lower_line(text)) !=
                kControlLines.end()) {
                page.remove(i);
                i = tree[i].end;
                continue;
            }
        }
        ++i;
    }
    page.count();
}

// Removes lists and boxes that are links and little else.
void remove_link_blocks(PageView& page, NodeIndex root) {
    constexpr double kLinkDensity = 0.8;
    constexpr std::uint32_t kWordsMin = 4;
    const HtmlTree& tree = page.tree();
    const std::uint32_t total = page.amount(root).characters;
    for (NodeIndex i = root + 1; i < tree[root].end;) {
        const Tag tag = tree[i].tag;
        const bool box = tag == Tag::kUl || tag == Tag::kOl || tag == Tag::kDiv ||
                         tag == Tag::kSection || tag == Tag::kTable || tag == Tag::kDl;
        if (box && !page.removed(i)) {
            const TextAmount amount = page.amount(i);
            if (amount.words >= kWordsMin && amount.link_density() > kLinkDensity &&
                amount.characters < total / 3) {
                page.remove(i);
            }
        }
        i = page.removed(i) ? tree[i].end : i + 1;
    }
    page.count();
}

}  // namespace

void remove_asides(PageView& page, NodeIndex root, PageKind kind) {
    LeadingAway(page, root).run();
    remove_control_lines(page, root);
    const bool links_are_content = kind == PageKind::kListing || kind == PageKind::kCollection;
    if (!links_are_content) remove_link_blocks(page, root);
}

}  // namespace heddle::markup
