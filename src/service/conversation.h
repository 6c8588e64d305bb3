// What is said to a model and what it is asked for: messages, tools, how tokens are chosen, and
// what form the answer must have. Names and meanings are those of OpenAI's API, and vLLM's where
// that has none. Ranges are checked where requests are decoded and again by the generator.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heddle::service {

enum class Role { kSystem, kUser, kAssistant, kTool };
[[nodiscard]] std::string_view to_string(Role role);

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  // JSON text, as the model wrote it
};

struct Message {
    Role role = Role::kUser;
    std::string content;
    std::vector<ToolCall> tool_calls;  // an assistant's
    std::string tool_call_id;          // of the call that a tool's message answers
    std::string name;
};

// A function that the model may call. JSON texts are passed on as they came.
struct Tool {
    std::string name;
    std::string definition;  // {"type": "function", "function": {…}}
    std::string parameters;  // the JSON schema of its arguments; empty: an object
};

struct ToolUse {
    enum class Choice {
        kAuto,      // the model decides
        kNone,      // the tools are not shown to it
        kRequired,  // the answer is a call of `only`, or of any where that is empty
    };
    std::vector<Tool> tools;
    Choice choice = Choice::kAuto;
    std::string only;
    bool parallel = true;  // several calls in one answer
    // With kRequired: the JSON schema of an answer that is such a call and nothing else,
    // {"name": …, "arguments": …}.
    std::string call_schema;

    [[nodiscard]] bool offered() const { return !tools.empty() && choice != Choice::kNone; }
};

// What the text of the answer must be. A generator that cannot hold to it refuses the request.
struct Constraint {
    enum class Kind { kNone, kJsonSchema, kJsonObject, kRegex, kGrammar, kChoice };
    Kind kind = Kind::kNone;
    std::string source;                // the schema, the expression, the grammar (GBNF)
    std::vector<std::string> choices;  // kChoice

    [[nodiscard]] bool any() const { return kind != Kind::kNone; }
};

inline constexpr double kDefaultTemperature = 0.7;

struct SamplingOptions {
    // Absent: what the model's files recommend, else kDefaultTemperature and no limits.
    std::optional<double> temperature;
    std::optional<double> top_p;
    std::optional<std::int64_t> top_k;  // 0: all
    std::optional<double> min_p;
    std::optional<double> typical_p;
    std::optional<double> repetition_penalty;
    double presence_penalty = 0.0;
    double frequency_penalty = 0.0;
    std::vector<std::pair<std::int32_t, double>> logit_bias;  // by token id
    std::optional<std::uint32_t> tokens_max;
    std::uint32_t tokens_min = 0;
    bool ignore_end = false;
    std::vector<std::string> stop;
    std::vector<std::int32_t> stop_ids;
    std::optional<std::uint64_t> seed;
    bool logprobs = false;
    int top_logprobs = 0;
    std::uint32_t answers = 1;  // OpenAI's n
};

// A text to be continued as it stands, with no conversation around it.
struct RawPrompt {
    std::string text;
    std::vector<std::int32_t> tokens;  // in place of the text, when not empty
};

}  // namespace heddle::service
