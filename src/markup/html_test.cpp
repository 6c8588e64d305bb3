#include "markup/html.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "markup/eval_data_testing.h"

namespace heddle::markup {
namespace {

// The dump of html5lib-tests (tree-construction/README.md).
std::string dump_attribute(const HtmlAttribute& attribute, bool foreign) {
    std::string name(attribute.name);
    if (!foreign) return name + "=\"" + std::string(attribute.value) + "\"\n";
    // The only names that the standard splits into prefix and local name.
    static const std::set<std::string> kSplit = {
        "xlink:actuate", "xlink:arcrole", "xlink:href", "xlink:role", "xlink:show",
        "xlink:title",   "xlink:type",    "xml:lang",   "xml:space",  "xmlns:xlink"};
    if (kSplit.contains(name)) name[name.find(':')] = ' ';
    return name + "=\"" + std::string(attribute.value) + "\"\n";
}

std::string dump(const HtmlTree& tree) {
    std::string out;
    const auto nodes = tree.nodes();
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
        const HtmlNode& node = nodes[i];
        const std::string indent = "| " + std::string(2 * std::size_t{node.depth}, ' ');
        const std::string text(node.text);
        switch (node.kind) {
            case NodeKind::kText:
                out += indent + "\"" + text + "\"\n";
                break;
            case NodeKind::kComment:
                out += indent + "<!-- " + text + " -->\n";
                break;
            case NodeKind::kTemplateContent:
                out += indent + "content\n";
                break;
            case NodeKind::kDoctype:
                out += indent + "<!DOCTYPE " + text + ">\n";
                break;
            case NodeKind::kElement: {
                const char* space = node.space == Namespace::kSvg    ? "svg "
                                    : node.space == Namespace::kMath ? "math "
                                                                     : "";
                out += indent + "<" + space + text + ">\n";
                std::set<std::string> attributes;
                for (const auto& a : tree.attributes(i)) {
                    attributes.insert(dump_attribute(a, node.space != Namespace::kHtml));
                }
                for (const auto& a : attributes) out += indent + "  " + a;
                break;
            }
        }
    }
    return out;
}

struct TreeTest {
    std::string data;
    std::string document;
    bool fragment = false;
    bool scripting = false;
};

std::vector<TreeTest> read_tests(const std::filesystem::path& path) {
    std::vector<TreeTest> tests;
    std::istringstream in(read_file(path));
    std::string line;
    std::string section;
    while (std::getline(in, line)) {
        if (line == "#data") {
            tests.emplace_back();
            section = line;
            continue;
        }
        if (section != "#data" || line == "#errors") {
            if (line == "#document-fragment") tests.back().fragment = true;
            if (line == "#script-on") tests.back().scripting = true;
            if (line.starts_with("#") &&
                std::set<std::string>{"#errors", "#new-errors", "#document-fragment", "#script-on",
                                      "#script-off", "#document"}
                    .contains(line)) {
                section = line;
                continue;
            }
        }
        if (section == "#data") tests.back().data += line + "\n";
        if (section == "#document") tests.back().document += line + "\n";
    }
    for (auto& test : tests) {
        if (!test.data.empty()) test.data.pop_back();
        while (test.document.ends_with("\n\n")) test.document.pop_back();
    }
    return tests;
}

// A doctype's identifiers are not kept in the tree, so both sides are compared without them.
std::string without_identifiers(std::string document) {
    std::string out;
    std::istringstream in(document);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("| <!DOCTYPE")) {
            const auto quote = line.find(" \"");
            if (quote != std::string::npos) line = line.substr(0, quote) + ">";
        }
        out += line + "\n";
    }
    return out;
}

TEST(Html, BuildsTheTreesOfHtml5lib) {
    HEDDLE_NEEDS_EVAL_DATA("html/html5lib");
    int run = 0;
    std::vector<std::string> wrong;
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(eval_data("html/html5lib/tree-construction"))) {
        if (entry.path().extension() == ".dat") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        for (const auto& test : read_tests(file)) {
            if (test.fragment || test.scripting) continue;
            ++run;
            const std::string found = without_identifiers(dump(HtmlTree::parse(test.data)));
            const std::string wanted = without_identifiers(test.document);
            if (found != wanted) {
                wrong.push_back(file.filename().string() + ": " + test.data + "\n" + found +
                                "wanted\n" + wanted);
            }
        }
    }
    EXPECT_EQ(run, 1592);
    RecordProperty("run", run);
    // Processing instructions are not kept in the tree: `<?...>` is a comment in older tests.
    EXPECT_LE(wrong.size(), 4U) << "of " << run;
    if (wrong.size() > 4) {
        for (const auto& one : wrong) std::cout << one << "\n";
    }
}

}  // namespace
}  // namespace heddle::markup
