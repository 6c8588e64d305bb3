// JSON-LD scripts of a page, read for the few schema.org properties that describe it. Internal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heddle::markup {

struct JsonLd {
    std::vector<std::string> types;
    std::string headline;
    std::string author;
    std::string published;
    std::string publisher;
    std::string description;
    std::string text;  // articleBody, or a product's description
    std::string language;
};

// Adds what one script says to `facts`; what is there already stays. Broken JSON is skipped.
void read_json_ld(std::string_view script, JsonLd& facts);

}  // namespace heddle::markup
