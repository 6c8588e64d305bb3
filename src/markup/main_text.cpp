#include "markup/main_text.h"

#include <algorithm>
#include <utility>

#include "markup/boilerplate.h"
#include "markup/content_root.h"
#include "markup/markdown_writer.h"
#include "markup/page_facts.h"
#include "markup/page_kind.h"
#include "markup/page_view.h"
#include "markup/url.h"

namespace heddle::markup {

namespace {

// Less than this, and what was removed by its name may have been the page.
constexpr std::uint32_t kThinCharacters = 300;

NodeIndex prune(PageView& page, const BoilerplateRules& rules) {
    remove_declared_boilerplate(page, rules);
    const NodeIndex root = find_content_root(page, rules.kind);
    remove_asides(page, root, rules.kind);
    return root;
}

std::string read_by_rules(const PageView& page, const BoilerplateRules& rules) {
    PageView strict = page;
    const NodeIndex root = prune(strict, rules);
    const std::uint32_t characters = strict.amount(root).characters;
    if (characters < kThinCharacters) {
        PageView lenient = page;
        BoilerplateRules by_elements = rules;
        by_elements.elements_only = true;
        const NodeIndex other = prune(lenient, by_elements);
        if (lenient.amount(other).characters > 2 * characters) {
            return write_markdown(lenient, other);
        }
    }
    return write_markdown(strict, root);
}

// "#id", ".class", "tag", "tag.class" or "tag#id".
class Selector {
public:
    explicit Selector(std::string_view text) {
        const auto at = text.find_first_of("#.");
        tag_ = text.substr(0, at);
        if (at == std::string_view::npos) return;
        (text[at] == '#' ? id_ : class_) = text.substr(at + 1);
    }

    [[nodiscard]] bool matches(const HtmlTree& tree, NodeIndex node) const {
        if (tree[node].kind != NodeKind::kElement) return false;
        if (!tag_.empty() && !equals_ascii_case(tag_, tree[node].text)) return false;
        if (!id_.empty() && tree.attribute(node, "id") != id_) return false;
        return class_.empty() || has_class(tree.attribute(node, "class"));
    }

private:
    [[nodiscard]] bool has_class(std::string_view names) const {
        while (!names.empty()) {
            const auto end = std::find_if(names.begin(), names.end(), is_html_space);
            const auto size = static_cast<std::size_t>(end - names.begin());
            if (names.substr(0, size) == class_) return true;
            names.remove_prefix(std::min(size + 1, names.size()));
        }
        return false;
    }

    std::string_view tag_;
    std::string_view id_;
    std::string_view class_;
};

std::string host_of(const std::string& url) {
    const auto parsed = Url::parse(url);
    return parsed ? parsed->host() : std::string();
}

bool is_host_or_below(std::string_view host, std::string_view rule) {
    return host == rule || (host.size() > rule.size() && host.ends_with(rule) &&
                            host[host.size() - rule.size() - 1] == '.');
}

// What the first rule for this host selects; empty when there is no rule or nothing matches.
std::string read_by_site_rule(const PageView& page, const MainTextOptions& options) {
    if (options.site_rules.empty()) return {};
    const std::string host = host_of(options.url);
    const auto rule = std::find_if(
        options.site_rules.begin(), options.site_rules.end(),
        [&](const SiteRule& candidate) { return is_host_or_below(host, candidate.host); });
    if (rule == options.site_rules.end()) return {};
    std::string text;
    for (const std::string& written : rule->selectors) {
        const Selector selector(written);
        for (NodeIndex i = 0; i < page.size();) {
            if (!selector.matches(page.tree(), i)) {
                ++i;
                continue;
            }
            const std::string part = write_markdown(page, i);
            if (!text.empty() && !part.empty()) text += "\n\n";
            text += part;
            i = page.tree()[i].end;
        }
    }
    return text;
}

}  // namespace

std::string_view to_string(PageKind kind) {
    switch (kind) {
        case PageKind::kArticle:
            return "article";
        case PageKind::kForum:
            return "forum";
        case PageKind::kProduct:
            return "product";
        case PageKind::kCollection:
            return "collection";
        case PageKind::kListing:
            return "listing";
        case PageKind::kDocumentation:
            return "documentation";
        case PageKind::kService:
            return "service";
    }
    return "article";
}

MainText extract_main_text(const HtmlTree& tree, const MainTextOptions& options) {
    const PageView page(tree);
    PageFacts facts = read_page_facts(tree);
    MainText out;
    out.kind = classify_page(page, facts, options.url);
    out.markdown = read_by_site_rule(page, options);
    if (out.markdown.empty()) {
        out.markdown = read_by_rules(page, {out.kind, facts.has_type("QAPage"), false});
    }
    // Pages drawn by scripts often state their text only for search engines.
    if (out.markdown.size() < kThinCharacters &&
        facts.schema_text.size() > 2 * out.markdown.size()) {
        out.markdown = std::move(facts.schema_text);
    }
    out.title = std::move(facts.title);
    out.byline = std::move(facts.byline);
    out.published = std::move(facts.published);
    out.language = std::move(facts.language);
    out.site_name = std::move(facts.site_name);
    out.excerpt = std::move(facts.excerpt);
    out.invisible_characters = page.invisible_characters();
    out.truncated = tree.truncated();
    return out;
}

VisibleText visible_text(const HtmlTree& tree) {
    const PageView page(tree);
    return {write_markdown(page, page.body()), page.invisible_characters()};
}

}  // namespace heddle::markup
