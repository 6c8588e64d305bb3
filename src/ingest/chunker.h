// A document becomes passages that an embedder takes whole: sentences packed up to a number of its
// tokens, along the document's structure. Pure; any thread (it counts tokens of the whole text, so
// not an I/O thread).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/document.h"

namespace heddle::ingest {

// Tokens of a text as the embedder counts them, without special ones.
using CountTokens = std::function<std::size_t(std::string_view)>;

enum class ChunkerKind { kSentences, kRecursive, kCharacters };

struct ChunkerConfig {
    ChunkerKind kind = ChunkerKind::kSentences;
    // Of what is embedded: the passage with the title and headings in front of it.
    std::size_t tokens = 250;
    // A section shorter than this is packed together with the next one.
    std::size_t tokens_min = 80;
    // kRecursive: tokens that a passage repeats of the one before, at most half of `tokens`.
    std::size_t overlap = 50;
    // kCharacters: pieces of so many characters, whatever stands there.
    std::size_t characters = 512;
    // Puts title and headings in front of what is embedded (not with kCharacters).
    bool embed_context = true;
};

// "sentences", "sentences:250", "recursive:250:50" (tokens, overlap) or "chars:512".
[[nodiscard]] Result<ChunkerConfig> parse_chunker(std::string_view text);

// What the embedder reads at most, its special tokens not counted in.
struct EmbedderLimit {
    std::size_t tokens = 254;
};

struct Chunk {
    std::string text;              // what is stored, searched by words and quoted
    std::string embedded;          // what the vector is made of; never longer than the limit
    std::string heading_path;      // "Chapter › Section"; empty without headings
    std::uint32_t page_start = 0;  // from 1; 0 without pages
    std::uint32_t page_end = 0;
    std::uint64_t char_start = 0;  // Unicode characters of document_text()
    std::uint64_t char_end = 0;
    std::vector<Line> lines;  // `start` is a byte of `text`, 0 for one that begins before it
};

// The whole text in reading order: blocks with an empty line between them, rows of a table with a
// line break. Chunks of sentences are pieces of it.
[[nodiscard]] std::string document_text(const ParsedDocument& document);

// `name` stands in for a missing title. Rising; disjoint but for the overlap of kRecursive; all
// text outside of headings is in one.
[[nodiscard]] std::vector<Chunk> chunk_document(const ParsedDocument& document,
                                                std::string_view name, const ChunkerConfig& config,
                                                EmbedderLimit limit,
                                                const CountTokens& count_tokens);

}  // namespace heddle::ingest
