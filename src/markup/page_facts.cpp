#include "markup/page_facts.h"

#include <algorithm>
#include <unordered_map>

#include "markup/json_ld.h"
#include "markup/page_view.h"

namespace heddle::markup {

namespace {

using Metas = std::unordered_map<std::string, std::string>;

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return lower;
}

std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (is_html_space(c)) {
            if (!line.empty() && line.back() != ' ') line += ' ';
        } else {
            line += c;
        }
    }
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

std::string text_of(const HtmlTree& tree, NodeIndex node) {
    std::string text;
    for (NodeIndex i = node; i < tree[node].end; ++i) {
        if (tree[i].kind == NodeKind::kText) text += tree[i].text;
    }
    return one_line(text);
}

// The first of these metas that says anything.
std::string first(const Metas& metas, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        const auto found = metas.find(name);
        if (found != metas.end() && !found->second.empty()) return found->second;
    }
    return {};
}

std::string or_else(std::string value, std::string other) {
    return value.empty() ? std::move(other) : std::move(value);
}

// "Title of the page | Site" → "Title of the page", where what is cut is the shorter part.
std::string without_site(std::string title) {
    for (const std::string_view separator : {" | ", " - ", " – ", " — ", " · ", " » ", " :: "}) {
        const auto at = title.rfind(separator);
        if (at == std::string::npos) continue;
        const std::size_t words_before =
            1 + static_cast<std::size_t>(
                    std::count(title.begin(), title.begin() + static_cast<long>(at), ' '));
        if (words_before >= 3) return title.substr(0, at);
    }
    return title;
}

class Reader {
public:
    explicit Reader(const HtmlTree& tree) : tree_(tree) {}

    PageFacts read() {
        for (NodeIndex i = 0; i < tree_.nodes().size(); ++i) {
            if (tree_[i].kind == NodeKind::kElement) visit(i);
        }
        PageFacts facts;
        facts.title = title();
        facts.byline = byline();
        facts.published = or_else(
            ld_.published,
            first(metas_, {"article:published_time", "datepublished", "date", "dc:date",
                           "dcterms:created", "parsely-pub-date", "sailthru:date", "pubdate",
                           "publish-date", "og:published_time", "citation_publication_date"}));
        if (facts.published.empty()) facts.published = time_;
        facts.language =
            or_else(language_, or_else(first(metas_, {"content-language"}),
                                       or_else(first(metas_, {"og:locale"}), ld_.language)));
        facts.site_name =
            or_else(first(metas_, {"og:site_name", "application-name"}), ld_.publisher);
        facts.excerpt = or_else(first(metas_, {"og:description", "description",
                                               "twitter:description", "dc:description"}),
                                one_line(ld_.description));
        facts.og_type = lower_case(first(metas_, {"og:type"}));
        facts.generator = lower_case(first(metas_, {"generator"}));
        facts.schema_types = std::move(ld_.types);
        facts.schema_types.insert(facts.schema_types.end(), item_types_.begin(), item_types_.end());
        facts.schema_text = std::move(ld_.text);
        return facts;
    }

private:
    void visit(NodeIndex i) {
        switch (tree_[i].tag) {
            case Tag::kHtml:
                language_ = std::string(trimmed(tree_.attribute(i, "lang")));
                break;
            case Tag::kTitle:
                if (title_.empty() && tree_[i].space == Namespace::kHtml)
                    title_ = text_of(tree_, i);
                break;
            case Tag::kMeta:
                meta(i);
                break;
            case Tag::kScript:
                if (equals_ascii_case(trimmed(tree_.attribute(i, "type")), "application/ld+json") &&
                    tree_[i].end > i + 1) {
                    read_json_ld(tree_[i + 1].text, ld_);
                }
                break;
            case Tag::kH1:
                ++headings_;
                if (heading_.empty()) heading_ = text_of(tree_, i);
                break;
            case Tag::kTime:
                if (time_.empty()) time_ = std::string(trimmed(tree_.attribute(i, "datetime")));
                break;
            default:
                break;
        }
        attributes(i);
    }

    void meta(NodeIndex i) {
        const std::string content = one_line(tree_.attribute(i, "content"));
        if (content.empty()) return;
        // A property may list several names: property="og:title dc:title".
        for (const char* attribute : {"property", "name", "itemprop", "http-equiv"}) {
            std::string_view names = tree_.attribute(i, attribute);
            for (names = trimmed(names); !names.empty(); names = trimmed(names)) {
                const auto end = std::find_if(names.begin(), names.end(), is_html_space);
                const auto size = static_cast<std::size_t>(end - names.begin());
                std::string name = lower_case(names.substr(0, size));
                std::replace(name.begin(), name.end(), '.', ':');
                metas_.try_emplace(std::move(name), content);
                names.remove_prefix(size);
            }
        }
    }

    void attributes(NodeIndex i) {
        const std::string_view type = tree_.attribute(i, "itemtype");
        if (!type.empty() && item_types_.size() < 32) {
            item_types_.emplace_back(type.substr(type.rfind('/') + 1));
        }
        if (!author_.empty()) return;
        const bool declared = equals_ascii_case(tree_.attribute(i, "rel"), "author") ||
                              contains_ascii_case(tree_.attribute(i, "itemprop"), "author");
        const std::string_view names = tree_.attribute(i, "class");
        if (declared || (names.size() < 100 && (contains_ascii_case(names, "byline") ||
                                                contains_ascii_case(names, "author-name")))) {
            std::string text = text_of(tree_, i);
            if (!text.empty() && text.size() < 100) author_ = std::move(text);
        }
    }

    std::string title() const {
        const std::string stated =
            or_else(ld_.headline, first(metas_, {"dc:title", "dcterms:title", "og:title",
                                                 "twitter:title", "citation_title"}));
        if (!stated.empty()) return one_line(stated);
        if (title_.empty()) return heading_;
        // The only heading is the title without the site's name, where it is the longer part.
        const bool names_page = headings_ == 1 && 2 * heading_.size() >= title_.size() &&
                                title_.find(heading_) != std::string::npos;
        return names_page ? heading_ : without_site(title_);
    }

    std::string byline() const {
        std::string name = or_else(
            ld_.author, first(metas_, {"author", "article:author", "dc:creator", "dcterms:creator",
                                       "parsely-author", "sailthru:author", "citation_author"}));
        // Some sites give the author's page instead of the name.
        if (name.find("://") != std::string::npos) name.clear();
        name = or_else(one_line(name), author_);
        if (name.size() > 3 && equals_ascii_case(name.substr(0, 3), "by ")) name.erase(0, 3);
        return name;
    }

    const HtmlTree& tree_;
    Metas metas_;
    JsonLd ld_;
    std::string title_;
    std::string heading_;
    int headings_ = 0;
    std::string language_;
    std::string author_;
    std::string time_;
    std::vector<std::string> item_types_;
};

}  // namespace

bool PageFacts::has_type(std::string_view type) const {
    return std::find(schema_types.begin(), schema_types.end(), type) != schema_types.end();
}

PageFacts read_page_facts(const HtmlTree& tree) {
    return Reader(tree).read();
}

}  // namespace heddle::markup
