// Qwen 2 and 2.5 (Yang et al., 2024): Llama's layers with biases on query, key and value.
#include "model/architectures.h"

namespace heddle::model {

DecoderTraits describe_qwen2(const ModelConfig&, FileFormat) {
    return {.qkv_bias = true};
}

}  // namespace heddle::model
