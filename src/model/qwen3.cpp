// Qwen 3 (Yang et al., 2025): no biases; queries and keys are normed head by head before they
// are rotated, and heads need not add up to the hidden size.
#include "model/architectures.h"

namespace heddle::model {

DecoderTraits describe_qwen3(const ModelConfig&, FileFormat) {
    return {.head_norms = true};
}

}  // namespace heddle::model
