// Mistral (Jiang et al., 2023): Llama with a sliding window in every layer, where the
// configuration names one. As GGUF it calls itself llama.
#include "model/architectures.h"

namespace heddle::model {

DecoderTraits describe_mistral(const ModelConfig& config, FileFormat format) {
    return describe_llama(config, format);
}

}  // namespace heddle::model
