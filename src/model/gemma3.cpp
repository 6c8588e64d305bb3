// Gemma 3 (Gemma team, 2025): Gemma 2 without softcaps, with norms of queries and keys, five
// sliding layers to each full one and a shorter rotary base in the sliding ones.
#include "model/architectures.h"

namespace heddle::model {

DecoderTraits describe_gemma3(const ModelConfig& config, FileFormat format) {
    DecoderTraits traits = describe_gemma2(config, format);
    traits.head_norms = true;
    return traits;
}

}  // namespace heddle::model
