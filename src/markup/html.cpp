#include "markup/html.h"

#include <algorithm>
#include <array>
#include <new>

#include <lexbor/dom/interfaces/attr.h>
#include <lexbor/dom/interfaces/character_data.h>
#include <lexbor/dom/interfaces/document_type.h>
#include <lexbor/dom/interfaces/element.h>
#include <lexbor/html/html.h>
#include <lexbor/html/interfaces/template_element.h>

namespace heddle::markup {

namespace {

// The parser looks at its limits between pieces of this size; what one piece can add is small.
constexpr std::size_t kPieceBytes = 4 << 10;

constexpr auto kTags = [] {
    std::array<Tag, LXB_TAG__LAST_ENTRY> tags{};
    tags.fill(Tag::kOther);
#define HEDDLE_TAG(upper, camel) tags[LXB_TAG_##upper] = Tag::k##camel
    HEDDLE_TAG(A, A);
    HEDDLE_TAG(ABBR, Abbr);
    HEDDLE_TAG(ADDRESS, Address);
    HEDDLE_TAG(ARTICLE, Article);
    HEDDLE_TAG(ASIDE, Aside);
    HEDDLE_TAG(AUDIO, Audio);
    HEDDLE_TAG(B, B);
    HEDDLE_TAG(BLOCKQUOTE, Blockquote);
    HEDDLE_TAG(BODY, Body);
    HEDDLE_TAG(BR, Br);
    HEDDLE_TAG(BUTTON, Button);
    HEDDLE_TAG(CANVAS, Canvas);
    HEDDLE_TAG(CAPTION, Caption);
    HEDDLE_TAG(CITE, Cite);
    HEDDLE_TAG(CODE, Code);
    HEDDLE_TAG(DATALIST, Datalist);
    HEDDLE_TAG(DD, Dd);
    HEDDLE_TAG(DEL, Del);
    HEDDLE_TAG(DETAILS, Details);
    HEDDLE_TAG(DIALOG, Dialog);
    HEDDLE_TAG(DIV, Div);
    HEDDLE_TAG(DL, Dl);
    HEDDLE_TAG(DT, Dt);
    HEDDLE_TAG(EM, Em);
    HEDDLE_TAG(EMBED, Embed);
    HEDDLE_TAG(FIELDSET, Fieldset);
    HEDDLE_TAG(FIGCAPTION, Figcaption);
    HEDDLE_TAG(FIGURE, Figure);
    HEDDLE_TAG(FOOTER, Footer);
    HEDDLE_TAG(FORM, Form);
    HEDDLE_TAG(FRAME, Frame);
    HEDDLE_TAG(FRAMESET, Frameset);
    HEDDLE_TAG(H1, H1);
    HEDDLE_TAG(H2, H2);
    HEDDLE_TAG(H3, H3);
    HEDDLE_TAG(H4, H4);
    HEDDLE_TAG(H5, H5);
    HEDDLE_TAG(H6, H6);
    HEDDLE_TAG(HEAD, Head);
    HEDDLE_TAG(HEADER, Header);
    HEDDLE_TAG(HR, Hr);
    HEDDLE_TAG(HTML, Html);
    HEDDLE_TAG(I, I);
    HEDDLE_TAG(IFRAME, Iframe);
    HEDDLE_TAG(IMG, Img);
    HEDDLE_TAG(INPUT, Input);
    HEDDLE_TAG(INS, Ins);
    HEDDLE_TAG(KBD, Kbd);
    HEDDLE_TAG(LABEL, Label);
    HEDDLE_TAG(LEGEND, Legend);
    HEDDLE_TAG(LI, Li);
    HEDDLE_TAG(LINK, Link);
    HEDDLE_TAG(MAIN, Main);
    HEDDLE_TAG(MATH, Math);
    HEDDLE_TAG(MENU, Menu);
    HEDDLE_TAG(META, Meta);
    HEDDLE_TAG(METER, Meter);
    HEDDLE_TAG(NAV, Nav);
    HEDDLE_TAG(NOFRAMES, Noframes);
    HEDDLE_TAG(NOSCRIPT, Noscript);
    HEDDLE_TAG(OBJECT, Object);
    HEDDLE_TAG(OL, Ol);
    HEDDLE_TAG(OPTGROUP, Optgroup);
    HEDDLE_TAG(OPTION, Option);
    HEDDLE_TAG(OUTPUT, Output);
    HEDDLE_TAG(P, P);
    HEDDLE_TAG(PICTURE, Picture);
    HEDDLE_TAG(PRE, Pre);
    HEDDLE_TAG(PROGRESS, Progress);
    HEDDLE_TAG(RP, Rp);
    HEDDLE_TAG(RT, Rt);
    HEDDLE_TAG(S, S);
    HEDDLE_TAG(SAMP, Samp);
    HEDDLE_TAG(SCRIPT, Script);
    HEDDLE_TAG(SEARCH, Search);
    HEDDLE_TAG(SECTION, Section);
    HEDDLE_TAG(SELECT, Select);
    HEDDLE_TAG(SLOT, Slot);
    HEDDLE_TAG(SMALL, Small);
    HEDDLE_TAG(SOURCE, Source);
    HEDDLE_TAG(SPAN, Span);
    HEDDLE_TAG(STRONG, Strong);
    HEDDLE_TAG(STYLE, Style);
    HEDDLE_TAG(SUB, Sub);
    HEDDLE_TAG(SUMMARY, Summary);
    HEDDLE_TAG(SUP, Sup);
    HEDDLE_TAG(SVG, Svg);
    HEDDLE_TAG(TABLE, Table);
    HEDDLE_TAG(TBODY, Tbody);
    HEDDLE_TAG(TD, Td);
    HEDDLE_TAG(TEMPLATE, Template);
    HEDDLE_TAG(TEXTAREA, Textarea);
    HEDDLE_TAG(TFOOT, Tfoot);
    HEDDLE_TAG(TH, Th);
    HEDDLE_TAG(THEAD, Thead);
    HEDDLE_TAG(TIME, Time);
    HEDDLE_TAG(TITLE, Title);
    HEDDLE_TAG(TR, Tr);
    HEDDLE_TAG(TT, Tt);
    HEDDLE_TAG(U, U);
    HEDDLE_TAG(UL, Ul);
    HEDDLE_TAG(VAR, Var);
    HEDDLE_TAG(VIDEO, Video);
    HEDDLE_TAG(WBR, Wbr);
#undef HEDDLE_TAG
    return tags;
}();

std::string_view view(const lxb_char_t* data, std::size_t size) {
    return data == nullptr ? std::string_view()
                           : std::string_view(reinterpret_cast<const char*>(data), size);
}

const lxb_char_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const lxb_char_t*>(text.data());
}

Namespace namespace_of(const lxb_dom_node_t& node) {
    switch (node.ns) {
        case LXB_NS_HTML:
            return Namespace::kHtml;
        case LXB_NS_SVG:
            return Namespace::kSvg;
        case LXB_NS_MATH:
            return Namespace::kMath;
        default:
            return Namespace::kOther;
    }
}

// Kind, name and text of one node; false for kinds that are left out.
bool describe(lxb_dom_node_t* node, HtmlNode& out) {
    std::size_t size = 0;
    switch (node->type) {
        case LXB_DOM_NODE_TYPE_ELEMENT: {
            const lxb_char_t* name =
                lxb_dom_element_qualified_name(lxb_dom_interface_element(node), &size);
            out.kind = NodeKind::kElement;
            out.text = view(name, size);
            out.space = namespace_of(*node);
            out.tag = node->local_name < kTags.size() ? kTags[node->local_name] : Tag::kOther;
            return true;
        }
        case LXB_DOM_NODE_TYPE_TEXT:
        case LXB_DOM_NODE_TYPE_CDATA_SECTION:
        case LXB_DOM_NODE_TYPE_COMMENT: {
            const auto& data = lxb_dom_interface_character_data(node)->data;
            out.kind =
                node->type == LXB_DOM_NODE_TYPE_COMMENT ? NodeKind::kComment : NodeKind::kText;
            out.text = view(data.data, data.length);
            return true;
        }
        case LXB_DOM_NODE_TYPE_DOCUMENT_TYPE: {
            out.kind = NodeKind::kDoctype;
            const lxb_char_t* name =
                lxb_dom_document_type_name(lxb_dom_interface_document_type(node), &size);
            out.text = view(name, size);
            return true;
        }
        default:
            return false;
    }
}

void read_attributes(lxb_dom_node_t* node, std::vector<HtmlAttribute>& out) {
    if (node->type != LXB_DOM_NODE_TYPE_ELEMENT) return;
    for (auto* attribute = lxb_dom_element_first_attribute(lxb_dom_interface_element(node));
         attribute != nullptr; attribute = lxb_dom_element_next_attribute(attribute)) {
        std::size_t size = 0;
        const lxb_char_t* name = lxb_dom_attr_qualified_name(attribute, &size);
        const std::string_view name_view = view(name, size);
        const lxb_char_t* value = lxb_dom_attr_value(attribute, &size);
        out.push_back({name_view, view(value, size)});
    }
}

lxb_dom_node_t* template_content(lxb_dom_node_t* node) {
    if (node->type != LXB_DOM_NODE_TYPE_ELEMENT || node->local_name != LXB_TAG_TEMPLATE ||
        node->ns != LXB_NS_HTML) {
        return nullptr;
    }
    return lxb_dom_interface_node(lxb_html_interface_template(node)->content);
}

}  // namespace

struct HtmlTree::Document {
    lxb_html_parser_t* parser = lxb_html_parser_create();
    lxb_html_document_t* html = nullptr;

    Document() {
        if (lxb_html_parser_init(parser) != LXB_STATUS_OK) throw std::bad_alloc();
        html = lxb_html_parse_chunk_begin(parser);
        if (html == nullptr) throw std::bad_alloc();
    }
    ~Document() {
        lxb_html_document_destroy(html);
        lxb_html_parser_destroy(parser);
    }
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;

    // False when the page is past its limits.
    [[nodiscard]] bool within(const HtmlLimits& limits) const {
        const lexbor_mem_t& memory = *html->dom_document.mraw->mem;
        return lexbor_array_length(parser->tree->open_elements) <= limits.depth_max &&
               memory.chunk_length * memory.chunk_min_size / sizeof(lxb_dom_element_t) <=
                   limits.nodes_max;
    }
};

HtmlTree::HtmlTree() : document_(std::make_unique<Document>()) {}
HtmlTree::HtmlTree(HtmlTree&&) noexcept = default;
HtmlTree& HtmlTree::operator=(HtmlTree&&) noexcept = default;
HtmlTree::~HtmlTree() = default;

HtmlTree HtmlTree::parse(std::string_view utf8, HtmlLimits limits) {
    HtmlTree tree;
    Document& document = *tree.document_;
    while (!utf8.empty()) {
        if (!document.within(limits)) {
            tree.truncated_ = true;
            break;
        }
        const std::string_view piece = utf8.substr(0, kPieceBytes);
        if (lxb_html_parse_chunk_process(document.parser, bytes_of(piece), piece.size()) !=
            LXB_STATUS_OK) {
            throw std::bad_alloc();
        }
        utf8.remove_prefix(piece.size());
    }
    if (lxb_html_parse_chunk_end(document.parser) != LXB_STATUS_OK) throw std::bad_alloc();
    tree.flatten(limits);
    return tree;
}

void HtmlTree::flatten(const HtmlLimits& limits) {
    struct Open {
        lxb_dom_node_t* next;  // the child to visit next
        NodeIndex index;       // of the parent in nodes_
    };
    std::vector<Open> open;
    open.push_back({lxb_dom_interface_node(document_->html)->first_child, 0});
    while (!open.empty()) {
        lxb_dom_node_t* node = open.back().next;
        if (node == nullptr || nodes_.size() >= limits.nodes_max) {
            if (open.size() > 1)
                nodes_[open.back().index].end = static_cast<NodeIndex>(nodes_.size());
            open.pop_back();
            continue;
        }
        open.back().next = node->next;
        HtmlNode out;
        if (!describe(node, out)) continue;
        const auto index = static_cast<NodeIndex>(nodes_.size());
        out.parent = open.size() > 1 ? open.back().index : index;
        out.depth = static_cast<std::uint16_t>(std::min<std::size_t>(open.size() - 1, 0xffff));
        out.end = index + 1;
        out.attributes_begin = static_cast<std::uint32_t>(attributes_.size());
        read_attributes(node, attributes_);
        out.attributes_end = static_cast<std::uint32_t>(attributes_.size());
        nodes_.push_back(out);
        if (lxb_dom_node_t* content = template_content(node)) {
            HtmlNode fragment;
            fragment.kind = NodeKind::kTemplateContent;
            fragment.parent = index;
            fragment.depth = static_cast<std::uint16_t>(out.depth + 1);
            fragment.end = index + 2;
            nodes_.push_back(fragment);
            open.push_back({node->first_child, index});
            open.push_back({content->first_child, index + 1});
        } else if (node->first_child != nullptr) {
            open.push_back({node->first_child, index});
        }
    }
    truncated_ = truncated_ || nodes_.size() >= limits.nodes_max;
}

std::string_view HtmlTree::attribute(NodeIndex element, std::string_view name) const {
    for (const HtmlAttribute& attribute : attributes(element)) {
        if (attribute.name == name) return attribute.value;
    }
    return {};
}

bool HtmlTree::has_attribute(NodeIndex element, std::string_view name) const {
    const auto all = attributes(element);
    return std::any_of(all.begin(), all.end(),
                       [&](const HtmlAttribute& attribute) { return attribute.name == name; });
}

}  // namespace heddle::markup
