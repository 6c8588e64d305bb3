// HTML parsed by the WHATWG tree construction rules (lexbor), as one flat array of nodes in
// document order: every algorithm over a page is a loop, and the depth of a hostile page is
// nobody's stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace heddle::markup {

enum class NodeKind : std::uint8_t {
    kElement,
    kText,
    kComment,
    kDoctype,
    kTemplateContent,  // the fragment inside a <template>
};

enum class Namespace : std::uint8_t { kHtml, kSvg, kMath, kOther };

// The elements that anything in Heddle tells apart; all others are kOther.
enum class Tag : std::uint8_t {
    kNone,  // not an element
    kOther,
    kA,
    kAbbr,
    kAddress,
    kArticle,
    kAside,
    kAudio,
    kB,
    kBlockquote,
    kBody,
    kBr,
    kButton,
    kCanvas,
    kCaption,
    kCite,
    kCode,
    kDatalist,
    kDd,
    kDel,
    kDetails,
    kDialog,
    kDiv,
    kDl,
    kDt,
    kEm,
    kEmbed,
    kFieldset,
    kFigcaption,
    kFigure,
    kFooter,
    kForm,
    kFrame,
    kFrameset,
    kH1,
    kH2,
    kH3,
    kH4,
    kH5,
    kH6,
    kHead,
    kHeader,
    kHr,
    kHtml,
    kI,
    kIframe,
    kImg,
    kInput,
    kIns,
    kKbd,
    kLabel,
    kLegend,
    kLi,
    kLink,
    kMain,
    kMath,
    kMenu,
    kMeta,
    kMeter,
    kNav,
    kNoframes,
    kNoscript,
    kObject,
    kOl,
    kOptgroup,
    kOption,
    kOutput,
    kP,
    kPicture,
    kPre,
    kProgress,
    kRp,
    kRt,
    kS,
    kSamp,
    kScript,
    kSearch,
    kSection,
    kSelect,
    kSlot,
    kSmall,
    kSource,
    kSpan,
    kStrong,
    kStyle,
    kSub,
    kSummary,
    kSup,
    kSvg,
    kTable,
    kTbody,
    kTd,
    kTemplate,
    kTextarea,
    kTfoot,
    kTh,
    kThead,
    kTime,
    kTitle,
    kTr,
    kTt,
    kU,
    kUl,
    kVar,
    kVideo,
    kWbr,
};

struct HtmlLimits {
    // Deeper open elements end the parse there; browsers flatten at 512.
    std::size_t depth_max = 1024;
    // Nodes of one page, repeated formatting elements included.
    std::size_t nodes_max = 1'000'000;
};

using NodeIndex = std::uint32_t;

struct HtmlNode {
    NodeKind kind = NodeKind::kElement;
    Tag tag = Tag::kNone;
    Namespace space = Namespace::kHtml;
    std::uint16_t depth = 0;
    NodeIndex parent = 0;  // of a node without one, its own index
    NodeIndex end = 0;     // one past the last node of the subtree
    // Of text and comments what they say, of elements and doctypes their name.
    std::string_view text;
    std::uint32_t attributes_begin = 0;  // in HtmlTree's list of all attributes
    std::uint32_t attributes_end = 0;
};

struct HtmlAttribute {
    std::string_view name;  // lower case; with its prefix in SVG and MathML
    std::string_view value;
};

// Owns the memory that all its views point into. Immutable after parse(); any thread.
class HtmlTree {
public:
    // Any bytes; meant to be UTF-8 (markup/charset.h). Cannot fail: HTML has no errors.
    [[nodiscard]] static HtmlTree parse(std::string_view utf8, HtmlLimits limits = {});
    HtmlTree(HtmlTree&&) noexcept;
    HtmlTree& operator=(HtmlTree&&) noexcept;
    ~HtmlTree();

    [[nodiscard]] std::span<const HtmlNode> nodes() const { return nodes_; }
    [[nodiscard]] const HtmlNode& operator[](NodeIndex index) const { return nodes_[index]; }
    // Empty when absent (has_attribute() tells the two apart).
    [[nodiscard]] std::string_view attribute(NodeIndex element, std::string_view name) const;
    [[nodiscard]] bool has_attribute(NodeIndex element, std::string_view name) const;
    [[nodiscard]] std::span<const HtmlAttribute> attributes(NodeIndex element) const {
        const HtmlNode& node = nodes_[element];
        return std::span(attributes_)
            .subspan(node.attributes_begin, node.attributes_end - node.attributes_begin);
    }
    // Whether a limit cut the page off.
    [[nodiscard]] bool truncated() const { return truncated_; }

private:
    struct Document;
    HtmlTree();
    void flatten(const HtmlLimits& limits);

    std::unique_ptr<Document> document_;
    std::vector<HtmlNode> nodes_;
    std::vector<HtmlAttribute> attributes_;
    bool truncated_ = false;
};

}  // namespace heddle::markup
