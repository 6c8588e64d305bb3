// From a conversation to the tokens that one model wants to read: its own chat template, its own
// tokenizer. A special token that stands in somebody's words stays words: nobody can end a turn,
// or begin one in another's name, by writing "<|im_end|>" into a message or a document.
// Immutable; any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/tool_calls.h"
#include "model/model_text.h"
#include "service/conversation.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace heddle::service {

class ChatPrompt {
public:
    // Without a template of its own the model reads plain lines of "role: text". kCorrupt for a
    // template that is none.
    [[nodiscard]] static Result<ChatPrompt> make(std::shared_ptr<const text::Tokenizer> tokenizer,
                                                 const model::ChatTemplateText& templates);

    // The prompt up to where the assistant speaks. `arguments`: a JSON object of further variables
    // of the template, or empty. kInvalidArgument naming `messages` where the template refuses
    // the conversation.
    [[nodiscard]] Result<std::vector<text::TokenId>> encode(const std::vector<Message>& messages,
                                                            const ToolUse& tools,
                                                            std::string_view arguments,
                                                            std::chrono::sys_seconds now) const;

    // The form in which the model writes tool calls.
    [[nodiscard]] engine::ToolCallStyle tool_style() const { return tool_style_; }
    [[nodiscard]] bool has_template() const { return has_template_; }

private:
    ChatPrompt(std::shared_ptr<const text::Tokenizer> tokenizer, text::ChatTemplate plain)
        : tokenizer_(std::move(tokenizer)), plain_(std::move(plain)) {}

    [[nodiscard]] std::string protect(std::string_view words,
                                      std::vector<std::string>& hidden) const;
    [[nodiscard]] text::TemplateValue protect_within(const text::TemplateValue& value,
                                                     std::vector<std::string>& hidden) const;
    [[nodiscard]] text::TemplateValue call_value(const ToolCall& call,
                                                 std::vector<std::string>& hidden) const;
    [[nodiscard]] text::TemplateValue message_value(const Message& message,
                                                    const std::vector<Message>& all,
                                                    std::vector<std::string>& hidden) const;
    [[nodiscard]] Result<text::TemplateValue::Map> variables(
        const std::vector<Message>& messages, const ToolUse& tools, std::string_view arguments,
        std::vector<std::string>& hidden) const;
    [[nodiscard]] std::vector<text::TokenId> tokens_of(
        std::string_view rendered, const std::vector<std::string>& hidden) const;

    std::shared_ptr<const text::Tokenizer> tokenizer_;
    text::ChatTemplate plain_;
    std::optional<text::ChatTemplate> with_tools_;
    std::vector<std::string> special_;  // the special tokens as they are written
    std::string special_first_;         // their first bytes
    engine::ToolCallStyle tool_style_ = engine::ToolCallStyle::kJson;
    bool has_template_ = false;
};

}  // namespace heddle::service
