// Byte-pair encoding (Sennrich et al., 2016): a word begins as its characters, or its bytes, and
// the two neighbours whose merge has the lowest rank become one until none can.
//
// Most words of a text are single tokens. Whether a piece of the vocabulary is what merging its
// own characters ends in is worked out when it is first met and remembered. Other words are merged,
// short ones by scanning, long ones with a heap, and what became of short ones is remembered too.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_model.h"
#include "text/vocabulary.h"
#include "text/word_cache.h"

namespace heddle::text {

// `left` and `right` side by side become `merged`. Lower ranks merge first; among equal ranks the
// leftmost.
struct BpeMerge {
    TokenId left = 0;
    TokenId right = 0;
    std::uint32_t rank = 0;
    TokenId merged = 0;
};

struct BpeOptions {
    bool byte_level = false;         // pieces are raw bytes, a word begins as its bytes
    bool ignore_merges = false;      // a word that is a piece is that piece, whatever merges say
    bool byte_fallback = false;      // an unknown character becomes <0x..> pieces of its bytes
    bool fuse_unknown = false;       // unknown characters in a row are one unknown token
    std::optional<TokenId> unknown;  // without it unknown characters are dropped
    std::string continuing_prefix;   // of characters inside a word
    std::string end_suffix;          // of the last character of a word
};

class Bpe final : public TokenizerModel {
public:
    // `pieces` is built: raw bytes where byte_level, else as the file writes them. Of merges of
    // one pair the last stands. All ids are within `pieces`.
    Bpe(Vocabulary pieces, const std::vector<BpeMerge>& merges, BpeOptions options);

    void tokenize(std::string_view word, std::uint32_t offset,
                  std::vector<Token>& out) const override;

private:
    struct Symbol;
    struct Merge {
        std::uint64_t pair = kNoPair;
        std::uint32_t rank = 0;
        TokenId merged = 0;
    };
    enum class Whole : std::uint8_t { kUnknown, kYes, kNo };
    static constexpr std::uint64_t kNoPair = ~std::uint64_t{0};

    void add_merges(const std::vector<BpeMerge>& merges);
    void find_break();
    [[nodiscard]] const Merge* find_merge(TokenId left, TokenId right) const;
    [[nodiscard]] bool is_whole(TokenId id, std::string_view word) const;
    void tokenize_chunk(std::string_view word, std::uint32_t offset, std::vector<Token>& out) const;
    void remember(std::string_view word, std::uint32_t offset, std::span<const Token> tokens) const;
    void merge_word(std::string_view word, std::uint32_t offset, std::vector<Token>& out) const;
    void split_symbols(std::string_view word, std::vector<Symbol>& symbols) const;
    void split_character(std::string_view word, std::size_t begin, std::size_t end,
                         std::vector<Symbol>& symbols) const;
    void merge_by_scan(std::vector<Symbol>& symbols) const;
    void merge_by_heap(std::vector<Symbol>& symbols) const;

    const Vocabulary pieces_;
    const BpeOptions options_;
    std::vector<Merge> merges_;            // open addressing by pair
    std::array<TokenId, 256> of_byte_{};   // of a byte, or of an ASCII character
    std::array<TokenId, 256> fallback_{};  // <0x..>
    bool breaks_at_metaspace_ = false;
    // What is_whole() has found out of each piece. Threads may find out the same thing twice.
    mutable std::vector<std::atomic<Whole>> whole_;
    const WordCache words_;
};

}  // namespace heddle::text
