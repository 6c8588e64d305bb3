// The list of architectures. A new one is a file that fills in the traits (or, should it differ
// in more than the traits can say, a forward pass of its own), a line in architectures.cpp and a
// golden test.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/config.h"
#include "model/decoder_traits.h"
#include "model/encoder_stack.h"

namespace heddle::model {

// kUnimplemented for a name (ModelConfig::architecture) that is not in the list.
[[nodiscard]] Result<EncoderTraits> encoder_traits(const ModelConfig& config);
[[nodiscard]] Result<DecoderTraits> decoder_traits(const ModelConfig& config, FileFormat format);

// One for each file of an architecture.
[[nodiscard]] EncoderTraits describe_bert(const ModelConfig& config);
[[nodiscard]] EncoderTraits describe_roberta(const ModelConfig& config);
[[nodiscard]] EncoderTraits describe_jina_bert(const ModelConfig& config);

[[nodiscard]] DecoderTraits describe_llama(const ModelConfig& config, FileFormat format);
[[nodiscard]] DecoderTraits describe_mistral(const ModelConfig& config, FileFormat format);
[[nodiscard]] DecoderTraits describe_qwen2(const ModelConfig& config, FileFormat format);
[[nodiscard]] DecoderTraits describe_qwen3(const ModelConfig& config, FileFormat format);
[[nodiscard]] DecoderTraits describe_gemma2(const ModelConfig& config, FileFormat format);
[[nodiscard]] DecoderTraits describe_gemma3(const ModelConfig& config, FileFormat format);
[[nodiscard]] DecoderTraits describe_phi3(const ModelConfig& config, FileFormat format);

}  // namespace heddle::model
