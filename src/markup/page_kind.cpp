#include "markup/page_kind.h"

#include <algorithm>
#include <array>
#include <string>

namespace heddle::markup {

namespace {

// What the address suggests. Words are matched as whole segments or their first words.
struct Address {
    std::string host;
    std::string path;  // lower case, '/' at both ends, '-' and '_' kept
    bool has_query = false;

    explicit Address(std::string_view url) {
        const auto scheme = url.find("://");
        if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
        const auto end = url.find_first_of("?#");
        has_query = end != std::string_view::npos && url[end] == '?';
        url = url.substr(0, end);
        const auto slash = url.find('/');
        host = std::string(url.substr(0, slash));
        if (slash != std::string_view::npos) path = std::string(url.substr(slash));
        for (std::string* text : {&host, &path}) {
            for (char& c : *text) {
                if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
            }
        }
        if (!path.ends_with('/')) path += '/';
    }

    [[nodiscard]] bool has(std::initializer_list<std::string_view> segments) const {
        return std::any_of(segments.begin(), segments.end(), [&](std::string_view segment) {
            return path.find("/" + std::string(segment) + "/") != std::string::npos;
        });
    }
    [[nodiscard]] bool contains(std::initializer_list<std::string_view> words) const {
        return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
            return path.find(word) != std::string::npos;
        });
    }
    [[nodiscard]] bool host_has(std::initializer_list<std::string_view> labels) const {
        return std::any_of(labels.begin(), labels.end(), [&](std::string_view label) {
            return host.starts_with(std::string(label) + ".") ||
                   host.find("." + std::string(label) + ".") != std::string::npos;
        });
    }
};

bool is_forum(const PageFacts& facts, const Address& at) {
    for (const std::string_view type : {"DiscussionForumPosting", "QAPage", "Question"}) {
        if (facts.has_type(type)) return type != "Question" || facts.has_type("QAPage");
    }
    for (const std::string_view engine : {"discourse", "phpbb", "vbulletin", "xenforo", "mybb",
                                          "flarum", "vanilla", "invision", "nodebb", "smf"}) {
        if (facts.generator.find(engine) != std::string::npos) return true;
    }
    return at.host_has({"forum", "forums", "community", "discuss", "discussion", "discussions"}) ||
           at.has({"forum", "forums", "threads", "thread", "topic", "t", "questions", "board"}) ||
           at.contains({"viewtopic", "showthread", "showtopic", "/forum", "/comments/"});
}

bool is_article(const PageFacts& facts) {
    if (facts.og_type == "article") return true;
    return std::any_of(facts.schema_types.begin(), facts.schema_types.end(),
                       [](const std::string& type) {
                           return type.ends_with("Article") || type == "BlogPosting" ||
                                  type == "Recipe" || type == "HowTo" || type == "Report";
                       });
}

bool is_product(const PageFacts& facts, const Address& at) {
    if (facts.og_type == "product" || facts.og_type == "og:product") return true;
    return facts.has_type("Product") || facts.has_type("ProductGroup") || at.has({"dp", "itm"});
}

bool is_collection(const PageFacts& facts, const Address& at) {
    if (facts.og_type == "product.group" || facts.og_type == "product:group") return true;
    if (at.has({"product", "products"}) && facts.og_type == "product") return false;
    return at.has({"collection", "collections", "category", "categories", "c", "shop", "store", "b",
                   "catalog"}) ||
           facts.has_type("ItemList");
}

bool is_documentation(const PageFacts& facts, const Address& at) {
    for (const std::string_view engine : {"sphinx", "docusaurus", "mkdocs", "gitbook", "vitepress",
                                          "readthedocs", "doxygen", "starlight", "mediawiki"}) {
        if (facts.generator.find(engine) != std::string::npos) return true;
    }
    return at.host_has(
               {"docs", "doc", "developer", "developers", "wiki", "api", "help", "support"}) ||
           at.has({"docs", "doc", "documentation", "reference", "manual", "api", "wiki"});
}

// Repeated cards: many links that carry headings or pictures, and little prose between them.
bool looks_like_listing(const PageView& page) {
    const HtmlTree& tree = page.tree();
    std::uint32_t paragraphs = 0;  // characters in paragraphs of some length
    std::uint32_t cards = 0;
    std::uint32_t card_characters = 0;
    for (NodeIndex i = page.body(); i < tree[page.body()].end;) {
        if (page.removed(i)) {
            i = tree[i].end;
            continue;
        }
        const TextAmount amount = page.amount(i);
        if (tree[i].tag == Tag::kP && amount.characters > 120 && amount.link_density() < 0.4) {
            paragraphs += amount.characters;
        }
        if (tree[i].tag == Tag::kA && amount.characters > 15) {
            ++cards;
            card_characters += amount.characters;
        }
        ++i;
    }
    return cards >= 15 && paragraphs < card_characters;
}

}  // namespace

PageKind classify_page(const PageView& page, const PageFacts& facts, std::string_view url) {
    const Address at(url);
    if (is_forum(facts, at)) return PageKind::kForum;
    if (is_collection(facts, at) && !is_article(facts)) return PageKind::kCollection;
    if (is_product(facts, at) && !is_article(facts)) return PageKind::kProduct;
    if (is_documentation(facts, at)) return PageKind::kDocumentation;
    const bool listing = looks_like_listing(page);
    if (is_article(facts) && !listing) return PageKind::kArticle;
    if (listing) return PageKind::kListing;
    if (at.has({"product", "products", "p"})) return PageKind::kProduct;
    if (at.has({"services", "service", "solutions"})) return PageKind::kService;
    return PageKind::kArticle;
}

}  // namespace heddle::markup
