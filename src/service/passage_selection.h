// A long text brought down to a number of tokens by keeping the paragraphs that are about the
// question, in their order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace heddle::service {

// At most `tokens_max` by `count_tokens`; "[…]" marks what was left out. Pure; any thread.
[[nodiscard]] std::string select_passages(
    std::string_view text, std::string_view question, std::uint32_t tokens_max,
    const std::function<std::uint32_t(std::string_view)>& count_tokens);

}  // namespace heddle::service
