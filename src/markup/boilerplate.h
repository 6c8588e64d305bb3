// What a site puts around its pages: navigation, banners, sidebars, sharing, related links.
// Recognised by what elements say they are (tags, roles, the words in class and id) and by what
// their text is like (short and mostly linked); nothing here knows any one site. Internal.
#pragma once

#include "markup/main_text.h"
#include "markup/page_view.h"

namespace heddle::markup {

// Removes what declares itself to be something other than content, unless it holds so much of
// the page that the declaration cannot be true. Counts again.
struct BoilerplateRules {
    PageKind kind = PageKind::kArticle;
    // A page of questions and answers, where comments are asides.
    bool questions = false;
    // Believes elements and roles only, not the words in class and id.
    bool elements_only = false;
};
void remove_declared_boilerplate(PageView& page, BoilerplateRules rules);

// Inside the chosen root: removes sections whose headings lead away from the text, blocks that
// are mostly links as far as the kind of page allows, and lines that only ask for a click.
// Counts again.
void remove_asides(PageView& page, NodeIndex root, PageKind kind);

}  // namespace heddle::markup
