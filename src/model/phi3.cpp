// Phi-3 (Abdin et al., 2024): Llama's layers; query, key and value are stored as one matrix, and
// so are the two inputs of the gated MLP. Long contexts by LongRoPE.
#include "model/architectures.h"

namespace heddle::model {

DecoderTraits describe_phi3(const ModelConfig&, FileFormat) {
    return {.fused_qkv = true, .fused_gate_up = true};
}

}  // namespace heddle::model
