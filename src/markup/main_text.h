// The main text of a page: what its author wrote for its readers, without navigation, banners,
// forms and the rest of the site around it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "markup/html.h"

namespace heddle::markup {

// What a page is for decides what counts as its text: on a listing the links are the content.
enum class PageKind { kArticle, kForum, kProduct, kCollection, kListing, kDocumentation, kService };
[[nodiscard]] std::string_view to_string(PageKind kind);

// On these hosts (and those below them) the text is what the selectors name.
struct SiteRule {
    std::string host;
    std::vector<std::string> selectors;  // "#id", ".class", "tag" or "tag.class"
};

struct MainTextOptions {
    // The page's address; tells apart kinds of pages and finds its site rule.
    std::string url;
    std::vector<SiteRule> site_rules;
};

struct MainText {
    std::string title;
    std::string byline;
    std::string published;  // as the page states it, an ISO 8601 date where it has one
    std::string language;   // BCP 47, as stated
    std::string site_name;
    std::string excerpt;
    std::string markdown;
    PageKind kind = PageKind::kArticle;
    // Characters hidden from readers, which were dropped.
    std::size_t invisible_characters = 0;
    bool truncated = false;
};

[[nodiscard]] MainText extract_main_text(const HtmlTree& tree, const MainTextOptions& options = {});

// Everything that a reader sees: for files that are one text and no part of a site.
struct VisibleText {
    std::string markdown;
    std::size_t invisible_characters = 0;
};
[[nodiscard]] VisibleText visible_text(const HtmlTree& tree);

}  // namespace heddle::markup
