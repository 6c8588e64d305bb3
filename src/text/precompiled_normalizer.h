// SentencePiece's compiled normalization rules, as tokenizer.json and GGUF carry them: a
// double-array trie (darts-clone) from character sequences to places in a block of NUL-terminated
// replacements.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/normalizer.h"

namespace heddle::text {

// `bytes` are the rules themselves, not base64. kCorrupt where they contradict themselves.
[[nodiscard]] Result<NormalizerPtr> make_precompiled_normalizer(std::string_view bytes);

// Standard alphabet, padding optional.
[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

}  // namespace heddle::text
