// RoBERTa (Liu et al., 2019) and XLM-RoBERTa (Conneau et al., 2019): BERT's layers; positions
// start behind the padding id (ModelConfig::position_offset), and the classification head has
// its own dense layer in place of a pooler.
#include "model/architectures.h"

namespace heddle::model {

EncoderTraits describe_roberta(const ModelConfig&) {
    return {.prefix = "roberta.", .head = EncoderTraits::Head::kDense};
}

}  // namespace heddle::model
