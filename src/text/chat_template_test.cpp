// Rendered conversations equal those of Python's jinja2 as transformers sets it up: our own
// templates (tests/golden/text/templates), and the published ones of model repositories that
// `./dev setup --for-tests` stages and asks jinja2 about (or HEDDLE_CHAT_TEMPLATES, a folder, with
// HEDDLE_CHAT_TEMPLATE_GOLDENS, what make_template_goldens.py wrote for it). And no template runs,
// writes or nests without end.
#include "text/chat_template.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace heddle::text {
namespace {

namespace fs = std::filesystem;

constexpr auto kNow =
    std::chrono::sys_seconds(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) +
    std::chrono::hours(8) + std::chrono::minutes(5) + std::chrono::seconds(9);

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// What `| safe` marks makes jinja2 escape, as HTML, what is added to it, and this template's JSON
// comes out unreadable to its model. We leave it as it is.
constexpr std::string_view kEscapedByJinja = "meetkai-functionary-medium-v3.1.jinja";

// Returns how many conversations were compared.
std::size_t compare(const fs::path& goldens, const fs::path& folder) {
    std::map<std::string, ChatTemplate> templates;
    std::ifstream file(goldens);
    simdjson::dom::parser parser;
    std::size_t count = 0;
    std::map<std::string, int> differences;  // of each template: three are enough to see
    for (std::string line; std::getline(file, line); ++count) {
        const simdjson::dom::element golden = parser.parse(line);
        const std::string name(golden["template"].get_string().value());
        if (differences[name] == 3 || name == kEscapedByJinja) continue;
        const std::string where = name + " " + std::string(golden["case"].get_string().value());
        if (!templates.contains(name)) {
            auto parsed = ChatTemplate::parse(read_file(folder / name));
            if (!parsed) {
                ADD_FAILURE() << name << ": " << parsed.error().message();
                differences[name] = 3;
                continue;
            }
            templates.emplace(name, *parsed);
        }
        const std::string variables = simdjson::minify(golden["variables"].value());
        const auto text =
            templates.at(name).render(TemplateValue::from_json(variables).value(), kNow);
        std::string_view expected;
        if (golden["text"].get(expected) != simdjson::SUCCESS) {
            EXPECT_FALSE(text) << where << ": " << golden["error"].get_string().value();
            differences[name] += text.has_value();
        } else if (!text) {
            ADD_FAILURE() << where << ": " << text.error().message();
            ++differences[name];
        } else {
            EXPECT_EQ(*text, expected) << where;
            differences[name] += *text != expected;
        }
    }
    return count;
}

TEST(ChatTemplate, EqualsJinja) {
    const fs::path folder = fs::path(HEDDLE_SOURCE_DIR) / "tests/golden/text";
    EXPECT_GE(compare(folder / "templates.jsonl", folder / "templates"), 100u);
}

TEST(ChatTemplate, EqualsJinjaOnPublishedTemplates) {
    const char* named_folder = std::getenv("HEDDLE_CHAT_TEMPLATES");
    const char* named_goldens = std::getenv("HEDDLE_CHAT_TEMPLATE_GOLDENS");
    const fs::path folder =
        named_folder != nullptr ? named_folder : HEDDLE_LLAMA_CPP_MODELS "/templates";
    const fs::path goldens = named_goldens != nullptr ? named_goldens
                                                      : HEDDLE_SOURCE_DIR
                                 "/build/goldens/templates.jsonl";
    if (!fs::is_directory(folder) || !fs::exists(goldens)) {
        GTEST_SKIP() << "./dev setup --for-tests stages templates and makes their goldens";
    }
    const std::size_t count = compare(goldens, folder);
    EXPECT_GT(count, 0u);
    fmt::print("{} conversations compared\n", count);
}

Error error_of(const std::string& source) {
    const auto parsed = ChatTemplate::parse(source);
    if (!parsed) return parsed.error();
    const auto text = parsed->render(TemplateValue::Map{}, kNow);
    return text ? Error(ErrorCode::kInternal, "rendered " + text->substr(0, 100)) : text.error();
}

TEST(ChatTemplate, EndsWhatWouldNotEnd) {
    for (const char* source : {
             "{% for i in range(1000000000) %}x{% endfor %}",
             "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
             "{{ 'x' * 100000000 }}",
             "{% set s = namespace(v='xxxxxxxx') %}{% for i in range(60) %}"
             "{% set s.v = s.v ~ s.v %}{% endfor %}",
             "{% for i in range(999999) %}{{ "
             "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
         }) {
        EXPECT_EQ(error_of(source).code(), ErrorCode::kTooLarge) << error_of(source).message();
    }
}

TEST(ChatTemplate, BoundsNesting) {
    EXPECT_EQ(error_of("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").code(),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of("{{ " + std::string(10'000, '(') + "1").code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error_of("{{ " + std::string(10'000, '[')).code(), ErrorCode::kCorrupt);
    std::string chain = "{{ 1";
    for (int i = 0; i < 10'000; ++i) chain += "+1";
    EXPECT_EQ(error_of(chain + " }}").code(), ErrorCode::kCorrupt);
    std::string ifs;
    for (int i = 0; i < 10'000; ++i) ifs += "{% if 1 %}";
    EXPECT_EQ(error_of(ifs).code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error_of("{% set n = namespace(v=[]) %}{% for i in range(9999) %}"
                       "{% set n.v = [n.v] %}{% endfor %}")
                  .code(),
              ErrorCode::kInvalidArgument);
    // A namespace that holds itself is printed, compared and destroyed.
    EXPECT_EQ(
        error_of("{% set n = namespace() %}{% set n.n = [n] %}{{ n.n }}{{ n == n }}").message(),
        "rendered [<Namespace>]True");
}

TEST(ChatTemplate, SaysWhereItFails) {
    EXPECT_NE(error_of("a\nb\n{% if %}").message().find("line 3"), std::string::npos);
    EXPECT_EQ(error_of("{% include 'x' %}").code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error_of("{{ raise_exception('no') }}").message(), "the chat template: no");
    EXPECT_EQ(error_of("{{ ''.__class__ }}").message(), "rendered ");
    EXPECT_EQ(error_of("{{ ''.__class__.__mro__ }}").code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of("{{ [].append(1) }}").code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of("{% raw %}x").code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error_of("{{ 'x").code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error_of("{{ 9223372036854775807 + 1 }}").code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace heddle::text
