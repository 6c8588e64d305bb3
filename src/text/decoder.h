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
[[nodiscard]] DecoderPtr make_decoder_sequence(std::vector<DecoderPtr> parts);

}  // namespace heddle::text
