// Chat templates: how a model wants a conversation written. An interpreter of the part of Jinja
// that model repositories use, equal to Python's jinja2 as the transformers library sets it up
// (trim_blocks, lstrip_blocks, loop controls, an immutable sandbox). There is no way out of it:
// no include or import, no attributes but those of JSON values, and caps on everything.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/template_evaluator.h"
#include "text/template_value.h"

namespace heddle::text {

inline constexpr std::size_t kTemplateBytesMax = std::size_t{1} << 20;

// Immutable; any thread.
class ChatTemplate {
public:
    // From a model's file, never from a client. kCorrupt with the line at fault; kTooLarge.
    [[nodiscard]] static Result<ChatTemplate> parse(std::string_view source);

    // `variables` is a map of what the template reads: messages, tools, add_generation_prompt,
    // bos_token, eos_token, … `now` is what strftime_now tells. kInvalidArgument when the template
    // refuses the conversation (raise_exception) or cannot make sense of it; kTooLarge when a
    // limit is met.
    [[nodiscard]] Result<std::string> render(const TemplateValue& variables,
                                             std::chrono::sys_seconds now,
                                             const TemplateLimits& limits = {}) const;

private:
    explicit ChatTemplate(std::shared_ptr<const TemplateBody> body) : body_(std::move(body)) {}

    std::shared_ptr<const TemplateBody> body_;
};

}  // namespace heddle::text
