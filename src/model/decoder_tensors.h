// Where the weights of a decoder stand in its files: every tensor of an architecture found by its
// name, its shape checked. Backends are filled from this (decoder_weights.h), and so are devices
// that take a model as a whole (device_decoder.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compute/weight.h"
#include "model/config.h"
#include "model/decoder_traits.h"
#include "model/model_files.h"

namespace heddle::model {

// A matrix as it is stored, with the bias beside it, empty where there is none.
struct LinearTensor {
    std::string name;
    compute::WeightSource weight;
    std::vector<float> bias;
};

struct DecoderLayerTensors {
    std::vector<float> attention_norm;
    std::vector<float> attention_post_norm;  // sandwich norms only
    LinearTensor query, key, value, attention_output;
    std::vector<float> query_norm, key_norm;  // head norms only
    std::vector<float> mlp_norm;
    std::vector<float> mlp_post_norm;
    LinearTensor gate, up, down;
};

// Points into the files.
struct DecoderTensors {
    LinearTensor embeddings;
    std::vector<DecoderLayerTensors> layers;
    std::vector<float> final_norm;
    LinearTensor output;       // logits
    bool tied_output = false;  // the output is the embeddings
};

[[nodiscard]] Result<DecoderTensors> find_decoder_tensors(const ModelFiles& files,
                                                          const DecoderTraits& traits);

}  // namespace heddle::model
