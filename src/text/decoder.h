// Decoders: how the pieces of a vocabulary become text again. Each step is what the part of the
// same name of the Hugging Face `tokenizers` library does. Immutable; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace heddle::text {

// One step of a chain: rewrites the list of pieces, whose concatenation at the end is the text.
class Decoder {
public:
    virtual ~Decoder() = default;
    virtual void apply(std::vector<std::string>& pieces) const = 0;
};

using DecoderPtr = std::unique_ptr<const Decoder>;

[[nodiscard]] DecoderPtr make_wordpiece_decoder(std::string prefix, bool cleanup);
// Pieces of the byte-level alphabet to bytes, which need not be UTF-8 yet.
[[nodiscard]] DecoderPtr make_byte_level_decoder();
// Rows of <0x..> pieces to the characters they spell; a row that spells none to one U+FFFD a byte.
[[nodiscard]] DecoderPtr make_byte_fallback_decoder();
[[nodiscard]] DecoderPtr make_fuse_decoder();
// Takes up to `left` and `right` of `character` from the ends of every piece.
[[nodiscard]] DecoderPtr make_strip_decoder(std::string character, std::size_t left,
                                            std::size_t right);
[[nodiscard]] DecoderPtr make_replace_decoder(std::string pattern, std::string content);
// `replacement` is a space again; in the first piece it is nothing where one was prepended.
[[nodiscard]] DecoderPtr make_metaspace_decoder(std::string replacement, bool prepended);
// The suffix that ends a word is a space, at the end of the text nothing.
[[nodiscard]] DecoderPtr make_bpe_decoder(std::string suffix);
[[nodiscard]] DecoderPtr make_decoder_sequence(std::vector<DecoderPtr> parts);

}  // namespace heddle::text
