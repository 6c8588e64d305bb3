#include "ingest/html/html_reader.h"

#include <algorithm>
#include <array>

#include "ingest/block_writer.h"
#include "ingest/plain/plain_text.h"
#include "markup/charset.h"
#include "markup/html.h"
#include "markup/main_text.h"

namespace heddle::ingest::html {
namespace {

// A file that somebody uploads is more often one text than a page of a site: with less than this
// share of what is seen, the rules for sites have taken too much away.
constexpr std::size_t kMainSharePercent = 50;

class HtmlReader final : public FormatReader {
public:
    explicit HtmlReader(ParseLimits limits) : limits_(limits) {}

    ReadOutcome read(std::string_view bytes, sandbox::RecordWriter& out) override {
        const markup::DecodedText text = markup::decode_text(bytes, {}, /*is_html=*/true);
        const markup::HtmlTree tree = markup::HtmlTree::parse(text.utf8);
        if (tree.truncated()) return tl::unexpected(sandbox::Failure::kTooComplex);
        markup::MainText page = markup::extract_main_text(tree);
        std::string whole = markup::visible_text(tree).markdown;
        if (page.markdown.size() * 100 < whole.size() * kMainSharePercent)
            page.markdown = std::move(whole);
        BlockWriter blocks(out, limits_);
        blocks.title(page.title);
        blocks.add(plain::read_blocks(page.markdown, plain::Dialect::kMarkdown));
        if (page.invisible_characters > 0) out.hidden(page.invisible_characters);
        return blocks.finish();
    }

private:
    const ParseLimits limits_;
};

bool recognises(std::string_view head) {
    return head.find('<') != std::string_view::npos && !head.starts_with("%PDF-") &&
           !head.starts_with("PK\x03\x04");
}

std::unique_ptr<FormatReader> open(const ReaderOptions& options) {
    return std::make_unique<HtmlReader>(options.limits);
}

constexpr std::array<std::string_view, 3> kExtensions = {"html", "htm", "xhtml"};
constexpr std::array<std::string_view, 1> kOtherTypes = {"application/xhtml+xml"};

}  // namespace

const Format& html_format() {
    static constexpr Format kFormat{.name = "html",
                                    .content_type = "text/html",
                                    .other_types = kOtherTypes,
                                    .extensions = kExtensions,
                                    .recognises = recognises,
                                    .open = open};
    return kFormat;
}

}  // namespace heddle::ingest::html
