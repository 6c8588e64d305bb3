#include "markup/page_view.h"

#include <algorithm>
#include <cctype>

namespace heddle::markup {

namespace {

// Shorter ones only ask to turn scripts on.
constexpr std::uint32_t kNoscriptCharactersMin = 400;
// A stretch of text without markup inside is prose from this length on.
constexpr std::uint32_t kProseCharactersMin = 80;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Elements whose content is for machines or for typing, never prose.
bool is_machinery(Tag tag) {
    switch (tag) {
        case Tag::kScript:
        case Tag::kStyle:
        case Tag::kNoscript:
        case Tag::kTemplate:
        case Tag::kIframe:
        case Tag::kFrame:
        case Tag::kFrameset:
        case Tag::kNoframes:
        case Tag::kSvg:
        case Tag::kCanvas:
        case Tag::kObject:
        case Tag::kEmbed:
        case Tag::kAudio:
        case Tag::kVideo:
        case Tag::kSelect:
        case Tag::kDatalist:
        case Tag::kTextarea:
        case Tag::kInput:
        case Tag::kButton:
        case Tag::kProgress:
        case Tag::kMeter:
        case Tag::kRp:
        case Tag::kHead:
            return true;
        default:
            return false;
    }
}

// `display:none` and its kin in a style attribute; white space does not matter.
bool style_hides(std::string_view style) {
    std::string compact;
    compact.reserve(style.size());
    for (const char c : style) {
        if (!is_html_space(c)) compact += lower(c);
    }
    if (compact.find("display:none") != std::string::npos ||
        compact.find("visibility:hidden") != std::string::npos ||
        compact.find("font-size:0;") != std::string::npos || compact.ends_with("font-size:0") ||
        compact.find("font-size:0px") != std::string::npos) {
        return true;
    }
    const bool clipped = compact.find("overflow:hidden") != std::string::npos;
    return clipped && (compact.find("height:0;") != std::string::npos ||
                       compact.find("height:0px") != std::string::npos ||
                       compact.find("width:0;") != std::string::npos ||
                       compact.find("width:0px") != std::string::npos);
}

TextAmount measure(std::string_view text) {
    TextAmount amount;
    bool inside = false;
    for (const char c : text) {
        const bool space = is_html_space(c);
        // Continuation bytes do not count: a character is one, whatever its script.
        amount.characters += !space && (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1U : 0U;
        amount.words += !space && !inside ? 1U : 0U;
        inside = !space;
    }
    return amount;
}

}  // namespace

bool is_html_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool equals_ascii_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

bool contains_ascii_case(std::string_view text, std::string_view lower_case_needle) {
    return std::search(text.begin(), text.end(), lower_case_needle.begin(), lower_case_needle.end(),
                       [](char x, char y) { return lower(x) == y; }) != text.end();
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_html_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_html_space(text.back())) text.remove_suffix(1);
    return text;
}

bool is_heading(Tag tag) {
    return tag >= Tag::kH1 && tag <= Tag::kH6;
}

bool is_block(Tag tag) {
    switch (tag) {
        case Tag::kAddress:
        case Tag::kArticle:
        case Tag::kAside:
        case Tag::kBlockquote:
        case Tag::kBody:
        case Tag::kCaption:
        case Tag::kDd:
        case Tag::kDetails:
        case Tag::kDialog:
        case Tag::kDiv:
        case Tag::kDl:
        case Tag::kDt:
        case Tag::kFieldset:
        case Tag::kFigcaption:
        case Tag::kFigure:
        case Tag::kFooter:
        case Tag::kForm:
        case Tag::kHeader:
        case Tag::kHr:
        case Tag::kHtml:
        case Tag::kLegend:
        case Tag::kLi:
        case Tag::kMain:
        case Tag::kMenu:
        case Tag::kNav:
        case Tag::kOl:
        case Tag::kOption:
        case Tag::kP:
        case Tag::kPre:
        case Tag::kSearch:
        case Tag::kSection:
        case Tag::kSummary:
        case Tag::kTable:
        case Tag::kTbody:
        case Tag::kTd:
        case Tag::kTfoot:
        case Tag::kTh:
        case Tag::kThead:
        case Tag::kTr:
        case Tag::kUl:
            return true;
        default:
            return is_heading(tag);
    }
}

PageView::PageView(const HtmlTree& tree)
    : tree_(&tree),
      removed_(tree.nodes().size(), false),
      own_(tree.nodes().size()),
      before_(tree.nodes().size() + 1) {
    const auto nodes = tree.nodes();
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
        const Tag parent = nodes[nodes[i].parent].tag;
        if (nodes[i].kind == NodeKind::kText && parent != Tag::kScript && parent != Tag::kStyle) {
            own_[i] = measure(nodes[i].text);
        }
    }
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
        if (nodes[i].tag == Tag::kBody && nodes[i].depth <= 1) {
            body_ = i;
            break;
        }
    }
    drop_machinery();
    drop_unseen();
    count();
}

void PageView::drop_machinery() {
    const auto nodes = tree_->nodes();
    for (NodeIndex i = 0; i < nodes.size();) {
        removed_[i] = nodes[i].kind == NodeKind::kElement && is_machinery(nodes[i].tag);
        i = removed_[i] ? nodes[i].end : i + 1;
    }
    // Pages drawn by scripts sometimes bring their whole text for readers without.
    count();
    const std::uint32_t shown = amount(body_).characters;
    for (NodeIndex i = body_; i < nodes[body_].end; ++i) {
        if (nodes[i].tag != Tag::kNoscript) continue;
        std::uint32_t characters = 0;
        for (NodeIndex j = i + 1; j < nodes[i].end;) {
            if (is_machinery(nodes[j].tag)) {
                j = nodes[j].end;
                continue;
            }
            if (nodes[j].kind == NodeKind::kText) characters += own_[j].characters;
            ++j;
        }
        if (characters > kNoscriptCharactersMin && characters > shown) removed_[i] = false;
    }
    count();
}

bool PageView::hidden(NodeIndex i) const {
    return tree_->has_attribute(i, "hidden") ||
           equals_ascii_case(tree_->attribute(i, "aria-hidden"), "true") ||
           style_hides(tree_->attribute(i, "style"));
}

// A part that waits for a click or a script is a reader's to see: a panel of tabs or of an
// accordion, or a part that holds the page itself.
bool PageView::revealed_later(NodeIndex i, std::uint32_t page_characters) const {
    if (equals_ascii_case(tree_->attribute(i, "role"), "tabpanel")) return true;
    for (const std::string_view name : {tree_->attribute(i, "class"), tree_->attribute(i, "id")}) {
        for (const std::string_view word :
             {"accordion", "collaps", "expand", "tabpanel", "tab-pane", "tab-content", "tabs",
              "panel", "faq", "answer"}) {
            if (contains_ascii_case(name, word)) return true;
        }
    }
    const auto nodes = tree_->nodes();
    if (nodes[nodes[i].parent].tag == Tag::kDetails) return true;
    std::uint32_t characters = 0;
    for (NodeIndex j = i; j < nodes[i].end;) {
        if (is_machinery(nodes[j].tag)) {
            j = nodes[j].end;
            continue;
        }
        if (nodes[j].tag == Tag::kMain || nodes[j].tag == Tag::kH1) return true;
        if (nodes[j].kind == NodeKind::kText) characters += own_[j].characters;
        ++j;
    }
    return characters > page_characters / 2;
}

void PageView::drop_unseen() {
    const auto nodes = tree_->nodes();
    const std::uint32_t page_characters = amount(body_).characters;
    for (NodeIndex i = 0; i < nodes.size();) {
        if (nodes[i].kind != NodeKind::kElement) {
            ++i;
            continue;
        }
        if (removed_[i]) {
            i = nodes[i].end;
            continue;
        }
        if (nodes[i].tag == Tag::kBody || nodes[i].tag == Tag::kHtml || !hidden(i) ||
            revealed_later(i, page_characters)) {
            ++i;
            continue;
        }
        removed_[i] = true;
        invisible_ += amount(i).characters;
        i = nodes[i].end;
    }
}

void PageView::count() {
    const auto nodes = tree_->nodes();
    TextAmount total;
    NodeIndex removed_until = 0;
    NodeIndex linked_until = 0;
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
        before_[i] = total;
        if (i < removed_until) continue;
        if (removed_[i]) {
            removed_until = nodes[i].end;
            continue;
        }
        if (nodes[i].tag == Tag::kA && !is_card(i)) {
            linked_until = std::max(linked_until, nodes[i].end);
        }
        if (nodes[i].kind != NodeKind::kText) continue;
        const std::uint32_t characters = own_[i].characters;
        total.characters += characters;
        total.words += own_[i].words;
        if (i < linked_until) total.linked += characters;
        if (i >= linked_until && characters >= kProseCharactersMin) total.prose += characters;
    }
    before_[nodes.size()] = total;
}

// A link around a heading or a paragraph is a teaser to read, not a place to go.
bool PageView::is_card(NodeIndex anchor) const {
    const auto nodes = tree_->nodes();
    std::size_t bytes = 0;
    for (NodeIndex i = anchor + 1; i < nodes[anchor].end; ++i) {
        if (is_heading(nodes[i].tag) || nodes[i].tag == Tag::kP) return true;
        if (nodes[i].kind == NodeKind::kText) bytes += nodes[i].text.size();
    }
    return bytes > 150;
}

TextAmount PageView::amount(NodeIndex node) const {
    const TextAmount& from = before_[node];
    const TextAmount& to = before_[(*tree_)[node].end];
    return {to.characters - from.characters, to.linked - from.linked, to.words - from.words,
            to.prose - from.prose};
}

}  // namespace heddle::markup
