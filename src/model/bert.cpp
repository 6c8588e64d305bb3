// BERT (Devlin et al., 2018): learnt absolute positions, two token types, GELU. Most
// sentence-transformers, MiniLM among them, have this form.
#include "model/architectures.h"

namespace heddle::model {

EncoderTraits describe_bert(const ModelConfig&) {
    return {.prefix = "bert.", .head = EncoderTraits::Head::kPooler};
}

}  // namespace heddle::model
