// The weights of a decoder in a backend's hands.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "compute/backend.h"
#include "model/config.h"
#include "model/decoder_traits.h"
#include "model/model_files.h"
#include "model/weight_loader.h"

namespace heddle::model {

struct DecoderLayer {
    WeightVector attention_norm;
    WeightVector attention_post_norm;  // sandwich norms only
    Linear query, key, value, attention_output;
    WeightVector query_norm, key_norm;  // head norms only
    WeightVector mlp_norm;
    WeightVector mlp_post_norm;
    Linear gate, up, down;
};

struct DecoderWeights {
    compute::WeightPtr embeddings;
    std::vector<DecoderLayer> layers;
    WeightVector final_norm;
    compute::WeightPtr output;  // logits
    WeightVector inverse_frequencies;
    float rope_attention_factor = 1.0F;
    WeightVector local_inverse_frequencies;  // of sliding layers; empty: as the others

    // Memory of the backend's own, beside the mapped files.
    [[nodiscard]] std::size_t owned_bytes() const;
};

// context: the longest sequence that will be served (rope_frequencies.h).
[[nodiscard]] Result<DecoderWeights> load_decoder_weights(const ModelFiles& files,
                                                          const DecoderTraits& traits,
                                                          compute::Backend& backend,
                                                          compute::Arithmetic arithmetic,
                                                          std::int64_t context);

}  // namespace heddle::model
