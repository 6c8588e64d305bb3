// Llama 2 and 3 (Touvron et al., 2023; Llama team, 2024): pre-norm layers, SwiGLU, grouped
// queries. llama.cpp's converter reorders the rows of query and key so that the elements which
// turn together lie side by side.
#include "model/architectures.h"

namespace heddle::model {

DecoderTraits describe_llama(const ModelConfig&, FileFormat format) {
    DecoderTraits traits;
    if (format == FileFormat::kGguf) traits.rope_style = compute::RopeStyle::kPairs;
    return traits;
}

}  // namespace heddle::model
