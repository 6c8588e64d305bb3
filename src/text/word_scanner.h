// The expressions that language models cut text into words with, as scanners: each call finds the
// match of the whole expression at one place. All of them match at every place.
#pragma once

#include <cstddef>
#include <string_view>

namespace heddle::text {

// Where the match of the expression ends that begins at `position` < text.size() of well-formed
// text; always past `position`.
using WordScanner = std::size_t (*)(std::string_view text, std::size_t position);

[[nodiscard]] std::size_t scan_gpt2_word(std::string_view text, std::size_t position);
[[nodiscard]] std::size_t scan_llama3_word(std::string_view text, std::size_t position);
[[nodiscard]] std::size_t scan_qwen2_word(std::string_view text, std::size_t position);
[[nodiscard]] std::size_t scan_o200k_word(std::string_view text, std::size_t position);

}  // namespace heddle::text
