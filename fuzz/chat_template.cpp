// A chat template over a conversation with a tool and several turns: an error or a bounded text,
// within the limits of steps, size and depth.
#include "text/chat_template.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

constexpr const char* kVariables = R"({
  "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is it like in Köln?"},
    {"role": "assistant", "content": null, "tool_calls": [
      {"id": "a", "type": "function", "function": {"name": "look", "arguments": {"city": "K"}}}]},
    {"role": "tool", "tool_call_id": "a", "content": "rain"}],
  "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
  "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle::text;
    static const TemplateValue variables = TemplateValue::from_json(kVariables).value();
    const auto parsed =
        ChatTemplate::parse(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!parsed) return 0;
    const TemplateLimits limits{.steps_max = 20'000, .bytes_max = 200'000};
    const auto text = parsed->render(variables, {}, limits);
    if (text && text->size() > limits.bytes_max) std::abort();
    return 0;
}
