// JinaBERT (Günther et al., 2023, "Jina Embeddings 2"): BERT without position embeddings, with
// symmetric ALiBi in their place and a gated MLP whose two halves are stored as one matrix
// without bias. Both follow from the configuration (PositionKind::kAlibi, gated_mlp).
#include "model/architectures.h"

namespace heddle::model {

EncoderTraits describe_jina_bert(const ModelConfig&) {
    return {.prefix = "bert.", .head = EncoderTraits::Head::kPooler};
}

}  // namespace heddle::model
