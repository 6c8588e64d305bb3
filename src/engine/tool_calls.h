// Finds the tool calls in a model's answer while it is being written. What comes out, put
// together, does not depend on how the text was cut into pieces.
//
// The request must keep special tokens in the text (GenerationRequest::keep_special): some
// families open a call with one. One parser for each answer; any one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/call_scanner.h"

namespace heddle::engine {

enum class ToolCallStyle : std::uint8_t {
    kHermes,   // <tool_call>{...}</tool_call>: Hermes, Qwen
    kLlama3,   // an answer that is {...}, or <|python_tag|>{...}; several joined by ;
    kMistral,  // [TOOL_CALLS][{...}, ...], or [TOOL_CALLS]name[ARGS]{...}
    kJson,     // an answer that is {...} or [{...}, ...]
};

// The style that a chat template writes calls in; kJson when it shows none of the others.
[[nodiscard]] ToolCallStyle tool_call_style(std::string_view chat_template);

struct ToolCallDelta {
    std::size_t index = 0;            // of the call in this answer
    std::optional<std::string> name;  // with the first delta of a call
    std::string arguments;            // JSON text, to be appended
};

struct ToolCallPiece {
    std::string text;  // what is not part of a call
    std::vector<ToolCallDelta> calls;
};

class ToolCallParser {
public:
    explicit ToolCallParser(ToolCallStyle style) : style_(style) {}

    [[nodiscard]] ToolCallPiece push(std::string_view text);
    // What was held back, at the end of the answer.
    [[nodiscard]] ToolCallPiece finish();
    [[nodiscard]] std::size_t calls() const { return calls_; }

private:
    enum class Place : std::uint8_t {
        kBegin,    // nothing but white space so far
        kText,     // looking for an opening mark
        kOpened,   // behind the mark, before the call
        kName,     // Mistral: a bare name before its arguments
        kCall,     // within a call
        kBetween,  // behind a call
    };

    void push(char c, ToolCallPiece& out);
    void push_text(char c, ToolCallPiece& out);
    void push_opened(char c, ToolCallPiece& out);
    void push_name(char c, ToolCallPiece& out);
    void push_call(char c, ToolCallPiece& out);
    void push_between(char c, ToolCallPiece& out);
    void begin_call(char c, ToolCallPiece& out);
    void report(ToolCallPiece& out);
    void give_up(ToolCallPiece& out);
    [[nodiscard]] std::string_view mark() const;
    [[nodiscard]] bool opens_at_begin() const {
        return style_ == ToolCallStyle::kLlama3 || style_ == ToolCallStyle::kJson;
    }

    const ToolCallStyle style_;
    Place place_ = Place::kBegin;
    std::string held_;  // text that may turn out to be, or to belong to, a mark
    CallScanner scanner_;
    std::string bare_name_;  // Mistral's form without a member "name"
    bool reported_ = false;  // the current call's name is out
    bool in_list_ = false;
    std::size_t calls_ = 0;
};

}  // namespace heddle::engine
