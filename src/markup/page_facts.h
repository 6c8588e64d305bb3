// What a page says about itself: <title>, meta elements, JSON-LD (schema.org), its headings and
// time elements. Nothing here is believed further than to be shown, or to choose the rules by
// which the text is read. Internal.
#pragma once

#include <string>
#include <vector>

#include "markup/html.h"

namespace heddle::markup {

struct PageFacts {
    std::string title;
    std::string byline;
    std::string published;
    std::string language;
    std::string site_name;
    std::string excerpt;

    std::string og_type;                    // "article", "product", "website", …
    std::string generator;                  // lower case
    std::vector<std::string> schema_types;  // of JSON-LD and microdata, outermost first
    // What JSON-LD gives as the text of the article, the product or the discussion.
    std::string schema_text;

    [[nodiscard]] bool has_type(std::string_view type) const;
};

[[nodiscard]] PageFacts read_page_facts(const HtmlTree& tree);

}  // namespace heddle::markup
