#include "engine/tool_calls.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace heddle::engine {
namespace {

// Everything that comes out of a text, in one line.
class Gathered {
public:
    void add(const ToolCallPiece& piece) {
        text_ += piece.text;
        for (const ToolCallDelta& delta : piece.calls) {
            if (delta.index >= calls_.size()) calls_.resize(delta.index + 1);
            if (delta.name) calls_[delta.index].first += *delta.name;
            calls_[delta.index].second += delta.arguments;
        }
    }
    [[nodiscard]] std::string line() const {
        std::string line = text_;
        for (const auto& [name, arguments] : calls_) line += "|" + name + arguments;
        return line;
    }

private:
    std::string text_;
    std::vector<std::pair<std::string, std::string>> calls_;
};

std::string whole(ToolCallStyle style, std::string_view text) {
    ToolCallParser parser(style);
    Gathered gathered;
    gathered.add(parser.push(text));
    gathered.add(parser.finish());
    return gathered.line();
}

struct Case {
    ToolCallStyle style;
    const char* text;
    const char* expected;
};

const std::vector<Case>& cases() {
    using enum ToolCallStyle;
    static const std::vector<Case> all{
        {kHermes,
         "Let me look.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}\\\"\"}}\n"
         "</tool_call>\n<tool_call>{\"arguments\":{},\"name\":\"g\"}</tool_call> done",
         "Let me look.\n\n done|f{\"a\": \"}\\\"\"}|g{}"},
        {kHermes, "no call <tool_cal and < more", "no call <tool_cal and < more"},
        {kHermes, "<tool_call>not json</tool_call>", "<tool_call>not json</tool_call>"},
        {kHermes, "<tool_call>{\"name\": \"now\"}</tool_call>", "|now{}"},
        {kHermes, "<tool_call>{\"name\": \"cut", "<tool_call>{\"name\": \"cut"},
        {kHermes, "<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": [1,", "|f{\"x\": [1,"},
        {kHermes, "<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}</tool_call>",
         "|f{\"a\":1}"},
        {kLlama3, "{\"name\": \"f\", \"parameters\": {\"q\": \"x\"}}", "|f{\"q\": \"x\"}"},
        {kLlama3,
         "<|python_tag|>{\"type\": \"function\", \"name\": \"f\", \"parameters\": {}}; "
         "{\"name\": \"g\", \"parameters\": {\"n\": 2}}",
         "|f{}|g{\"n\": 2}"},
        {kLlama3, " {\"answer\": 3} is it", " {\"answer\": 3} is it"},
        {kLlama3, "The {answer}.", "The {answer}."},
        {kMistral,
         "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \"x\"}, "
         "{\"name\": \"g\", \"arguments\": {}}]",
         "|f{\"a\": 1}|g{}"},
        {kMistral, "[TOOL_CALLS]f[ARGS]{\"a\": {\"b\": []}}[TOOL_CALLS]g[ARGS]{}",
         "|f{\"a\": {\"b\": []}}|g{}"},
        {kMistral, "a [TOOL] list", "a [TOOL] list"},
        {kJson, "[{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {}}]",
         "|f{}|g{}"},
        {kJson, "{\"name\": \"Ada\", \"age\": 3}", "{\"name\": \"Ada\", \"age\": 3}"},
        {kJson, "[1, 2]", "[1, 2]"},
        {kJson, "plain \xC3\xA9", "plain \xC3\xA9"}};
    return all;
}

TEST(ToolCalls, AreFoundInEachStyle) {
    for (const Case& one : cases()) EXPECT_EQ(whole(one.style, one.text), one.expected);
}

TEST(ToolCalls, DoNotDependOnHowTheTextIsCut) {
    Rng rng(11);
    for (const Case& one : cases()) {
        const std::string_view text = one.text;
        for (int round = 0; round < 300; ++round) {
            ToolCallParser parser(one.style);
            Gathered gathered;
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t length = 1 + rng.below(round % 2 == 0 ? 3 : 20);
                gathered.add(parser.push(text.substr(at, length)));
                at += length;
            }
            gathered.add(parser.finish());
            ASSERT_EQ(gathered.line(), one.expected) << text;
        }
    }
}

// Damaged texts too: whatever comes out, it is the same for every way of cutting.
TEST(ToolCalls, DamagedTextsAreCutAlike) {
    Rng rng(12);
    for (int round = 0; round < 4000; ++round) {
        const Case& one = cases()[rng.below(cases().size())];
        std::string text = one.text;
        for (std::uint64_t i = 0; i <= rng.below(3); ++i) {
            const std::size_t at = rng.below(text.size());
            switch (rng.below(3)) {
                case 0:
                    text.erase(at, 1 + rng.below(4));
                    break;
                case 1:
                    text.insert(at, 1, "{}[]\"\\,:<;"[rng.below(10)]);
                    break;
                default:
                    text.insert(at, text.substr(rng.below(text.size()), 9));
                    break;
            }
            if (text.empty()) text = "x";
        }
        ToolCallParser parser(one.style);
        Gathered gathered;
        for (const char c : text) gathered.add(parser.push(std::string_view(&c, 1)));
        gathered.add(parser.finish());
        ASSERT_EQ(gathered.line(), whole(one.style, text)) << text;
    }
}

TEST(ToolCalls, ArgumentsStreamAsTheyCome) {
    ToolCallParser parser(ToolCallStyle::kHermes);
    (void)parser.push("<tool_call>{\"name\": \"f\", \"arguments\": {\"text\": \"one");
    const ToolCallPiece piece = parser.push(" two");
    ASSERT_EQ(piece.calls.size(), 1u);
    EXPECT_FALSE(piece.calls[0].name.has_value());
    EXPECT_EQ(piece.calls[0].arguments, " two");
}

TEST(ToolCalls, TheTemplateTellsTheStyle) {
    EXPECT_EQ(tool_call_style("{{ '<tool_call>' }}"), ToolCallStyle::kHermes);
    EXPECT_EQ(tool_call_style("[TOOL_CALLS]"), ToolCallStyle::kMistral);
    EXPECT_EQ(tool_call_style("<|python_tag|>"), ToolCallStyle::kLlama3);
    EXPECT_EQ(tool_call_style("{{ messages }}"), ToolCallStyle::kJson);
}

}  // namespace
}  // namespace heddle::engine
