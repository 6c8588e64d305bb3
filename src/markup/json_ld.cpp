#include "markup/json_ld.h"

#include <array>

#include <simdjson.h>

namespace heddle::markup {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kScriptBytesMax = 1 << 20;
constexpr int kDepthMax = 12;
constexpr std::size_t kTypesMax = 64;

std::string text_at(const object& from, std::string_view key) {
    std::string_view text;
    return from[key].get_string().get(text) == simdjson::SUCCESS ? std::string(text)
                                                                 : std::string();
}

void fill(std::string& target, std::string value) {
    if (target.empty()) target = std::move(value);
}

// "Jane Doe", {"name": "Jane Doe"} or a list of either.
std::string name_of(const element& value) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
    object one;
    if (value.get_object().get(one) == simdjson::SUCCESS) return text_at(one, "name");
    simdjson::dom::array many;
    std::string names;
    if (value.get_array().get(many) == simdjson::SUCCESS) {
        for (const element entry : many) {
            std::string name;
            if (entry.get_string().get(text) == simdjson::SUCCESS) name = std::string(text);
            if (entry.get_object().get(one) == simdjson::SUCCESS) name = text_at(one, "name");
            if (name.empty()) continue;
            if (!names.empty()) names += ", ";
            names += name;
        }
    }
    return names;
}

std::string name_at(const object& from, std::string_view key) {
    element value;
    return from[key].get(value) == simdjson::SUCCESS ? name_of(value) : std::string();
}

bool is_written_work(std::string_view type) {
    return type.ends_with("Article") || type.ends_with("Posting") || type == "Report" ||
           type == "Recipe" || type == "HowTo" || type == "Review" || type == "WebPage";
}

class Reader {
public:
    explicit Reader(JsonLd& facts) : facts_(facts) {}

    void visit(const element& value, int depth) {
        if (depth > kDepthMax) return;
        simdjson::dom::array many;
        if (value.get_array().get(many) == simdjson::SUCCESS) {
            for (const element entry : many) visit(entry, depth + 1);
            return;
        }
        object one;
        if (value.get_object().get(one) == simdjson::SUCCESS) visit(one, depth);
    }

private:
    void visit(const object& one, int depth) {
        for (const std::string& type : types_of(one)) {
            if (facts_.types.size() < kTypesMax) facts_.types.push_back(type);
            if (is_written_work(type)) read_work(one);
            if (type == "Product" || type == "ProductGroup") {
                fill(facts_.text, text_at(one, "description"));
            }
        }
        for (const char* key : {"@graph", "mainEntity", "mainEntityOfPage"}) {
            element inner;
            if (one[key].get(inner) == simdjson::SUCCESS) visit(inner, depth + 1);
        }
    }

    static std::vector<std::string> types_of(const object& one) {
        std::vector<std::string> types;
        element value;
        if (one["@type"].get(value) != simdjson::SUCCESS) return types;
        std::string_view text;
        if (value.get_string().get(text) == simdjson::SUCCESS) types.emplace_back(text);
        simdjson::dom::array many;
        if (value.get_array().get(many) == simdjson::SUCCESS) {
            for (const element entry : many) {
                if (entry.get_string().get(text) == simdjson::SUCCESS) types.emplace_back(text);
            }
        }
        return types;
    }

    void read_work(const object& one) {
        fill(facts_.headline, text_at(one, "headline"));
        fill(facts_.author, name_at(one, "author"));
        fill(facts_.published, text_at(one, "datePublished"));
        fill(facts_.publisher, name_at(one, "publisher"));
        fill(facts_.description, text_at(one, "description"));
        fill(facts_.language, text_at(one, "inLanguage"));
        fill(facts_.text, text_at(one, "articleBody"));
    }

    JsonLd& facts_;
};

}  // namespace

void read_json_ld(std::string_view script, JsonLd& facts) {
    if (script.size() > kScriptBytesMax) return;
    // Pages made as XHTML wrap their scripts.
    constexpr std::string_view kOpen = "<![CDATA[";
    if (const auto open = script.find(kOpen); open < 64) script.remove_prefix(open + kOpen.size());
    if (const auto close = script.rfind("]]>"); close != std::string_view::npos) {
        script = script.substr(0, close);
    }
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(script.data(), script.size()).get(root) != simdjson::SUCCESS) return;
    Reader(facts).visit(root, 0);
}

}  // namespace heddle::markup
