// Text to token ids and back. A Tokenizer is made once from a model's files (tokenizer_json.h,
// tokenizer_vocabulary.h), is immutable from then on, and is used by any number of threads.
//
// Ids are those that the Hugging Face `tokenizers` library gives for the same file, except that
// the truncation and padding which a tokenizer.json may ask for are left to the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/post_template.h"
#include "text/vocabulary.h"
#include "text/working_text.h"

namespace heddle::text {

// The parts of a tokenizer (tokenizer_parts.h); loaders put them together.
struct TokenizerParts;
struct PreTokenized;

struct EncodeOptions {
    // Put the tokenizer's special tokens around the text ([CLS] … [SEP], <s> …).
    bool add_special = true;
    // Read special tokens written in the text as such. Unset it for text of which nobody may
    // believe that it can end a turn, such as documents and web pages.
    bool parse_special = true;
};

// Three rows of equal length.
struct Encoding {
    std::vector<TokenId> ids;
    // The bytes of the text that each id stands for, widened to whole characters; empty for ids
    // that the tokenizer added. Of a pair each range is within its own text.
    std::vector<ByteRange> ranges;
    std::vector<std::uint8_t> type_ids;  // BERT's segment numbers: 0, and 1 for the second text
};

// The ids with a meaning to those who drive a model. Absent where the model has none.
struct SpecialIds {
    std::optional<TokenId> bos;
    std::optional<TokenId> eos;
    std::optional<TokenId> pad;
    std::optional<TokenId> unk;
    std::optional<TokenId> cls;
    std::optional<TokenId> sep;
    std::optional<TokenId> mask;
};

class Tokenizer {
public:
    explicit Tokenizer(std::unique_ptr<const TokenizerParts> parts);
    ~Tokenizer();

    // `text` may be any bytes below 2 GiB; what is not UTF-8 is read as U+FFFD. Time is linear in
    // it but for words without end (a megabyte of one letter), where it is n log n.
    [[nodiscard]] std::vector<TokenId> encode(std::string_view text,
                                              EncodeOptions options = {}) const;
    // The same with the places in `text`; about half as fast.
    [[nodiscard]] Encoding encode_with_ranges(std::string_view text,
                                              EncodeOptions options = {}) const;
    // Two texts as one input, as cross-encoders read them.
    [[nodiscard]] Encoding encode_pair(std::string_view first, std::string_view second,
                                       EncodeOptions options = {}) const;
    // The number of ids that encode() gives.
    [[nodiscard]] std::size_t count(std::string_view text, EncodeOptions options = {}) const;
    // How many special tokens encode() adds around one text, and encode_pair() around two.
    [[nodiscard]] std::size_t added_special_count(bool pair = false) const;

    // The text of `ids`; ids outside the vocabulary are passed over. Always well-formed UTF-8.
    [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool skip_special = true) const;

    // The piece as the vocabulary writes it ("##ing", "Ġthe", "▁the"); empty for an unknown id.
    // Lives as long as the tokenizer.
    [[nodiscard]] std::string_view piece(TokenId id) const;
    // The bytes that the token adds to a text in the middle of it (" the"); they need not be
    // UTF-8. Empty for special tokens.
    [[nodiscard]] std::string token_bytes(TokenId id) const;
    // The same at the beginning of a text, where some tokenizers drop a space.
    [[nodiscard]] std::string first_token_bytes(TokenId id) const;
    // The id of a piece as the vocabulary writes it.
    [[nodiscard]] std::optional<TokenId> find(std::string_view piece) const;

    // All ids are below it.
    [[nodiscard]] std::size_t vocab_size() const;
    [[nodiscard]] const SpecialIds& special() const;
    // Whether decode() leaves the token out.
    [[nodiscard]] bool is_special(TokenId id) const;

private:
    struct Pass;

    [[nodiscard]] std::string_view decoded_piece(TokenId id) const;
    [[nodiscard]] std::optional<unsigned char> fallback_byte(TokenId id) const;
    [[nodiscard]] std::string decode_pieces(std::vector<std::string> pieces) const;
    [[nodiscard]] std::string decode_before_x(std::vector<std::string> pieces) const;
    void run(std::string_view text, EncodeOptions options, Pass& pass) const;
    void run_segment(std::string_view text, std::uint32_t origin, EncodeOptions options,
                     Pass& pass) const;
    void run_words(PreTokenized pretokenized, Pass& pass) const;
    void run_steps(const std::vector<PostTemplate::Step>& steps, std::string_view first,
                   std::string_view second, EncodeOptions options, Encoding& out) const;

    const std::unique_ptr<const TokenizerParts> parts_;
};

}  // namespace heddle::text
