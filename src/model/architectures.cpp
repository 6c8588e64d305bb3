#include "model/architectures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace heddle::model {
namespace {

struct EncoderRow {
    std::string_view name;
    EncoderTraits (*describe)(const ModelConfig&);
};
constexpr std::array kEncoders = {
    EncoderRow{"bert", describe_bert},
    EncoderRow{"roberta", describe_roberta},
    EncoderRow{"xlm-roberta", describe_roberta},
    EncoderRow{"jina_bert", describe_jina_bert},
};

struct DecoderRow {
    std::string_view name;
    DecoderTraits (*describe)(const ModelConfig&, FileFormat);
};
constexpr std::array kDecoders = {
    DecoderRow{"llama", describe_llama},   DecoderRow{"mistral", describe_mistral},
    DecoderRow{"qwen2", describe_qwen2},   DecoderRow{"qwen3", describe_qwen3},
    DecoderRow{"gemma2", describe_gemma2}, DecoderRow{"gemma3", describe_gemma3},
    DecoderRow{"phi3", describe_phi3},
};

Error not_built(std::string_view name, std::string_view kind) {
    return {ErrorCode::kUnimplemented, fmt::format("architecture {} is no {}", name, kind)};
}

}  // namespace

Result<EncoderTraits> encoder_traits(const ModelConfig& config) {
    const auto* const row = std::ranges::find(kEncoders, config.architecture, &EncoderRow::name);
    if (row == kEncoders.end()) return fail(not_built(config.architecture, "encoder"));
    return row->describe(config);
}

Result<DecoderTraits> decoder_traits(const ModelConfig& config, FileFormat format) {
    const auto* const row = std::ranges::find(kDecoders, config.architecture, &DecoderRow::name);
    if (row == kDecoders.end()) return fail(not_built(config.architecture, "language model"));
    return row->describe(config, format);
}

}  // namespace heddle::model
