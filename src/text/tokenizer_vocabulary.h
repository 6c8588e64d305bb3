// Tokenizers from a plain vocabulary, as GGUF files carry one in their metadata.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace heddle::text {

// The fields of GGUF's `tokenizer.ggml.*`, named after their keys; what a file lacks stays as it
// is here. Filled by whoever reads the file; nothing in it is believed.
struct VocabularyData {
    // The values of token_type.
    enum class PieceType : std::int32_t {
        kNormal = 1,
        kUnknown = 2,
        kControl = 3,
        kUserDefined = 4,
        kUnused = 5,
        kByte = 6,
    };

    std::string model;  // "llama" (SentencePiece BPE), "gpt2" (byte-level BPE), "gemma4" (BPE
                        // with byte fallback), "bert" (WordPiece) or "t5" (Unigram)
    std::string pre;    // how "gpt2" cuts text into words: "llama-bpe", "qwen2", …

    std::vector<std::string> tokens;
    std::vector<float> scores;              // of each token, or none
    std::vector<std::int32_t> token_types;  // of each token, or none
    std::vector<std::string> merges;        // "left right", lowest rank first

    std::optional<TokenId> bos;
    std::optional<TokenId> eos;
    std::optional<TokenId> unknown;
    std::optional<TokenId> separator;
    std::optional<TokenId> padding;
    std::optional<TokenId> cls;
    std::optional<TokenId> mask;

    std::optional<bool> add_bos;
    std::optional<bool> add_eos;
    std::optional<bool> add_space_prefix;
    bool remove_extra_whitespaces = false;
    std::string precompiled_charsmap;
};

// kCorrupt: fields contradict each other or an id is outside of the vocabulary; kUnimplemented: a
// model or a way to cut words that this room does not have.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> tokenizer_from_vocabulary(
    VocabularyData data);

}  // namespace heddle::text
