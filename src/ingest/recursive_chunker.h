// Passages by halving a text at ever finer places (blocks, rows, sentences, words) until the pieces
// fit, then joining pieces up to the size, each passage beginning with the end of the one before.
#pragma once

#include <vector>

#include "ingest/chunker.h"

namespace heddle::ingest {

// For ChunkerKind::kRecursive. Rising, and overlapping by at most `config.overlap` tokens.
[[nodiscard]] std::vector<Chunk> chunk_recursively(const ParsedDocument& document,
                                                   std::string_view name,
                                                   const ChunkerConfig& config, EmbedderLimit limit,
                                                   const CountTokens& count_tokens);

}  // namespace heddle::ingest
