// A page from its bytes to its main text: charset, tree, extraction.
#include "markup/html.h"

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "markup/charset.h"
#include "markup/main_text.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const markup::DecodedText decoded = markup::decode_text(bytes, "", true);
    HEDDLE_CHECK(text::is_valid_utf8(decoded.utf8), "decoded text is well formed");
    const markup::HtmlTree tree = markup::HtmlTree::parse(decoded.utf8);
    const auto nodes = tree.nodes();
    for (markup::NodeIndex i = 0; i < nodes.size(); ++i) {
        HEDDLE_CHECK(nodes[i].end > i && nodes[i].end <= nodes.size(), "subtrees are ranges");
        HEDDLE_CHECK(nodes[i].parent <= i && nodes[nodes[i].parent].end >= nodes[i].end,
                     "a subtree lies inside its parent's");
    }
    markup::MainTextOptions options;
    options.url = "https://example.org/forum/topic";
    if (size % 2 == 1) options.site_rules = {{"example.org", {"#a", "p.b", "main"}}};
    const markup::MainText text = markup::extract_main_text(tree, options);
    HEDDLE_CHECK(text::is_valid_utf8(text.markdown), "main text is well formed");
    return 0;
}
