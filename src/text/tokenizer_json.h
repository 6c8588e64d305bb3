// Tokenizers from the files of a Hugging Face model folder.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "text/tokenizer.h"

namespace heddle::text {

// Vocabularies have at most 2^21 entries, and the file at most 128 MiB.
inline constexpr std::size_t kTokenizerFileBytesMax = std::size_t{128} << 20;
inline constexpr std::size_t kVocabularySizeMax = std::size_t{1} << 21;

// Reads the bytes of tokenizer.json and, where there is one, of tokenizer_config.json, which names
// the special tokens (bos, eos, …); without it they are known by their usual names. Both are
// hostile input. kCorrupt: the file makes no sense; kUnimplemented: it asks for something that
// this room does not have; kTooLarge.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> tokenizer_from_json(
    std::string_view tokenizer_json, std::string_view tokenizer_config_json = {});

}  // namespace heddle::text
