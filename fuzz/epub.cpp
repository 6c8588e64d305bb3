// The parts of a book, as they come out of its archive: its package document, and a text.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "ingest/epub/epub_reader.h"
#include "ingest/epub/package_document.h"
#include "ingest/plain/plain_text.h"
#include "markup/charset.h"
#include "markup/main_text.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const std::string& name : ingest::epub::read_package_document(bytes, "a/b.opf").texts)
        HEDDLE_CHECK(!name.starts_with("../") && !name.starts_with('/'), "inside the archive");
    (void)ingest::epub::read_container(bytes);
    const std::string text = markup::decode_text(bytes, {}, true).utf8;
    const std::string html = ingest::epub::with_end_tags(text);
    HEDDLE_CHECK(html.size() <= 4 * text.size() + 8, "end tags are short");
    const auto visible = markup::visible_text(markup::HtmlTree::parse(html));
    for (const auto& block :
         ingest::plain::read_blocks(visible.markdown, ingest::plain::Dialect::kMarkdown))
        HEDDLE_CHECK(!block.text.empty() && text::is_valid_utf8(block.text), "clean blocks");
    return 0;
}
