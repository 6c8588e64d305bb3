// What goes into a collection and what comes out of a search.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::search {

struct CollectionInfo {
    std::string owner;
    std::string name;
    std::string embedder;  // EmbedderInfo::id of every vector in it
    std::uint32_t dimensions = 0;
    std::int64_t documents = 0;
    std::int64_t chunks = 0;
    std::int64_t created_ms = 0;
};

// One passage of a document with its vector. Pages count from 1, 0 without pages; characters are
// Unicode characters of the document's text, [char_start, char_end).
struct NewChunk {
    std::string text;
    std::string heading_path;  // "Chapter › Section"; empty without headings
    std::uint32_t page_start = 0;
    std::uint32_t page_end = 0;
    std::uint64_t char_start = 0;
    std::uint64_t char_end = 0;
    std::string boxes;          // JSON that search carries and does not read
    std::vector<float> vector;  // unit length
};

struct NewDocument {
    std::string owner;
    std::string collection;
    std::string document;  // its id
    std::string title;
    std::string source;           // file name or URL, shown as it is
    std::string metadata = "{}";  // JSON object; what filters look at
    std::vector<NewChunk> chunks;
};

struct StoredChunk {
    std::string id;
    std::string document;
    std::uint32_t ordinal = 0;  // from 0
    std::string text;
    std::string heading_path;
    std::uint32_t page_start = 0;
    std::uint32_t page_end = 0;
    std::uint64_t char_start = 0;
    std::uint64_t char_end = 0;
    std::string boxes;
};

// Each stage can be switched off and measured alone.
struct SearchSettings {
    bool dense = true;
    bool keyword = true;
    // Hits taken from each side.
    std::size_t candidates = 100;
    // Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): Σ weight / (rrf_k + rank).
    double rrf_k = 60;
    double dense_weight = 1;
    double keyword_weight = 1;
    // Maximal marginal relevance (Carbonell, Goldstein 1998): 1 takes the best, less spreads out.
    double mmr_lambda = 0.7;
    std::size_t mmr_pool = 30;
    // Passages before and after each hit whose text comes along.
    std::uint32_t neighbours = 0;
};

struct SearchFilter {
    // Only these documents; empty: all.
    std::vector<std::string> documents;
    // Only documents whose metadata has these members with these texts or numbers.
    std::vector<std::pair<std::string, std::string>> metadata;
};

struct Passage {
    StoredChunk chunk;
    std::string title;
    std::string source;
    std::string metadata;
    // Cosine with the question: what thresholds are about.
    float score = 0;
    // What the order before diversification was made by; says nothing about relevance.
    double fused = 0;
    std::string before;  // text of the neighbours, when asked for
    std::string after;
};

// "DOCUMENT.12": the id of a chunk says whose it is and where.
[[nodiscard]] std::string chunk_id(std::string_view document, std::uint32_t ordinal);
// The number in such an id, where it is one of this document's.
[[nodiscard]] std::optional<std::uint32_t> chunk_ordinal(std::string_view id,
                                                         std::string_view document);

}  // namespace heddle::search
