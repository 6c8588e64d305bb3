// Gemma 2 (Gemma team, 2024): embeddings scaled by sqrt(hidden), norms of 1 + w before and after
// attention and MLP, softcapped scores and logits, a sliding window in every other layer.
// llama.cpp's converter adds the 1 to the norms it writes.
#include <cmath>

#include "model/architectures.h"

namespace heddle::model {

DecoderTraits describe_gemma2(const ModelConfig& config, FileFormat format) {
    DecoderTraits traits;
    traits.sandwich_norms = true;
    traits.norm_unit_offset = format == FileFormat::kHuggingFace;
    traits.embedding_scale = std::sqrt(static_cast<float>(config.hidden));
    return traits;
}

}  // namespace heddle::model
