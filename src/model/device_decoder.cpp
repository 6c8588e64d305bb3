#include "model/device_decoder.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "model/architectures.h"
#include "model/decoder_tensors.h"
#include "model/device_upload.h"
#include "model/rope_frequencies.h"

namespace heddle::model {

using compute::cuda::Module;
using compute::cuda::outcome;

Result<> DeviceDecoder::open(const ModelConfig& config, const DecoderTraits& traits,
                             bool tied_output) {
    if (options_.context_max == 0) options_.context_max = config.context;
    if (options_.context_max < 1 || options_.context_max > config.context) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a context of {} tokens is over the model's {}",
                                options_.context_max, config.context));
    }
    std::vector<std::int32_t> windows;
    for (std::int64_t i = 0; i < config.layers; ++i) {
        windows.push_back(static_cast<std::int32_t>(config.window_of(i)));
    }
    const auto narrow = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
    HeddleCudaModel model{};
    model.layers = narrow(config.layers);
    model.hidden = narrow(config.hidden);
    model.intermediate = narrow(config.intermediate);
    model.heads = narrow(config.heads);
    model.kv_heads = narrow(config.kv_heads);
    model.head_dim = narrow(config.head_dim);
    model.rotary_dim = narrow(config.rotary_dim);
    model.vocabulary = narrow(config.vocabulary);
    model.tokens = narrow(options_.token_count > 0 ? options_.token_count : config.vocabulary);
    model.context_max = narrow(options_.context_max);
    model.activation = static_cast<std::int32_t>(config.activation);
    model.rope_pairs = traits.rope_style == compute::RopeStyle::kPairs ? 1 : 0;
    model.head_norms = traits.head_norms ? 1 : 0;
    model.sandwich_norms = traits.sandwich_norms ? 1 : 0;
    model.tied_output = tied_output ? 1 : 0;
    model.norm_epsilon = static_cast<float>(config.norm_epsilon);
    model.embedding_scale = traits.embedding_scale;
    model.attention_scale = static_cast<float>(
        1.0 / std::sqrt(config.query_scale.value_or(static_cast<double>(config.head_dim))));
    model.attention_softcap = static_cast<float>(config.attention_softcap);
    model.logit_softcap = static_cast<float>(config.logit_softcap);
    model.windows = windows.data();
    HeddleCudaLimits limits{};
    limits.device = options_.device;
    limits.rows_max = narrow(options_.rows_max);
    limits.sequences_max = narrow(options_.sequences_max);
    limits.block_tokens = narrow(options_.block_tokens);
    limits.block_count = options_.block_count;
    limits.memory_fraction = options_.memory_fraction;
    limits.graphs = options_.graphs ? 1 : 0;
    limits.tune = options_.tune ? 1 : 0;
    HeddleCudaError error{};
    return outcome(module_->api().open(&model, &limits, &decoder_, &start_.memory, &error), error);
}

Result<> DeviceDecoder::begin() {
    HeddleCudaError error{};
    return outcome(module_->api().begin(decoder_, &start_.begin, &error), error);
}

Result<std::unique_ptr<DeviceDecoder>> DeviceDecoder::load(std::shared_ptr<const ModelFiles> files,
                                                           std::shared_ptr<const Module> module,
                                                           const DeviceDecoderOptions& options) {
    const ModelConfig& config = files->config();
    HEDDLE_TRY(const DecoderTraits traits, decoder_traits(config, files->format()));
    HEDDLE_TRY(const DecoderTensors tensors, find_decoder_tensors(*files, traits));
    std::unique_ptr<DeviceDecoder> decoder(
        new DeviceDecoder(std::move(module), options, config.vocabulary));
    HEDDLE_TRY_VOID(decoder->open(config, traits, tensors.tied_output));
    const auto start = std::chrono::steady_clock::now();
    const DeviceUpload upload{decoder->module_->api(), decoder->decoder_, traits.norm_unit_offset,
                              options.loader_threads};
    HEDDLE_TRY_VOID(upload.tensors(tensors));
    HEDDLE_TRY_VOID(upload.frequencies(config, decoder->options_.context_max));
    decoder->start_.load_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    HEDDLE_TRY_VOID(decoder->begin());
    files->tensors().drop_resident();
    return decoder;
}

Result<std::unique_ptr<DeviceDecoder>> DeviceDecoder::random(const ModelConfig& config,
                                                             std::shared_ptr<const Module> module,
                                                             const DeviceDecoderOptions& options) {
    HEDDLE_TRY(const DecoderTraits traits, decoder_traits(config, FileFormat::kHuggingFace));
    std::unique_ptr<DeviceDecoder> decoder(
        new DeviceDecoder(std::move(module), options, config.vocabulary));
    HEDDLE_TRY_VOID(decoder->open(config, traits, config.tied_embeddings));
    HeddleCudaError error{};
    HEDDLE_TRY_VOID(
        outcome(decoder->module_->api().fill_random(decoder->decoder_, 1, &error), error));
    HEDDLE_TRY_VOID(decoder->begin());
    return decoder;
}

DeviceDecoder::~DeviceDecoder() {
    if (decoder_ != nullptr) module_->api().close(decoder_);
}

Result<> DeviceDecoder::submit(const HeddleCudaStep& step) {
    HeddleCudaError error{};
    return outcome(module_->api().submit(decoder_, &step, &error), error);
}

Result<HeddleCudaStepResult> DeviceDecoder::wait() {
    HeddleCudaError error{};
    HeddleCudaStepResult result{};
    HEDDLE_TRY_VOID(outcome(module_->api().wait(decoder_, &result, &error), error));
    return result;
}

}  // namespace heddle::model
