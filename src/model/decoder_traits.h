// What tells one decoder architecture from another beyond the numbers of its configuration. Each
// architecture's file fills this in; decoder.cpp carries it out.
#pragma once

#include "compute/backend.h"

namespace heddle::model {

// Where the weights come from: names differ, and llama.cpp's converter changes some tensors.
enum class FileFormat { kHuggingFace, kGguf };

struct DecoderTraits {
    compute::RopeStyle rope_style = compute::RopeStyle::kHalves;
    bool qkv_bias = false;          // biases of query, key and value must be there
    bool head_norms = false;        // queries and keys are normed head by head before rotation
    bool sandwich_norms = false;    // a norm after attention and MLP too, before the residual sum
    bool norm_unit_offset = false;  // norms multiply by 1 + w
    bool fused_qkv = false;         // stored as one matrix
    bool fused_gate_up = false;
    float embedding_scale = 1.0F;
};

}  // namespace heddle::model
