#include "model/decoder_weights.h"

#include <utility>

#include "model/decoder_tensors.h"
#include "model/rope_frequencies.h"

namespace heddle::model {
namespace {

// Hands over what the files hold, tensor by tensor.
class DecoderLoader {
public:
    explicit DecoderLoader(const WeightLoader& loader) : loader_(loader) {}

    Result<DecoderLayer> layer(const DecoderLayerTensors& from) const {
        DecoderLayer to;
        HEDDLE_TRY(to.query, linear(from.query));
        HEDDLE_TRY(to.key, linear(from.key));
        HEDDLE_TRY(to.value, linear(from.value));
        HEDDLE_TRY(to.attention_output, linear(from.attention_output));
        HEDDLE_TRY(to.gate, linear(from.gate));
        HEDDLE_TRY(to.up, linear(from.up));
        HEDDLE_TRY(to.down, linear(from.down));
        HEDDLE_TRY(to.attention_norm, vector(from.attention_norm));
        HEDDLE_TRY(to.attention_post_norm, vector(from.attention_post_norm));
        HEDDLE_TRY(to.mlp_norm, vector(from.mlp_norm));
        HEDDLE_TRY(to.mlp_post_norm, vector(from.mlp_post_norm));
        HEDDLE_TRY(to.query_norm, vector(from.query_norm));
        HEDDLE_TRY(to.key_norm, vector(from.key_norm));
        return to;
    }

    Result<WeightVector> vector(const std::vector<float>& values) const {
        if (values.empty()) return WeightVector();
        return loader_.upload(values);
    }

private:
    Result<Linear> linear(const LinearTensor& from) const {
        Linear to;
        HEDDLE_TRY(to.weight, loader_.prepare(from.weight, from.name));
        HEDDLE_TRY(to.bias, vector(from.bias));
        return to;
    }

    const WeightLoader& loader_;
};

Result<> load_frequencies(const ModelConfig& config, std::int64_t context,
                          const WeightLoader& loader, DecoderWeights& weights) {
    const RopeFrequencies rope = rope_frequencies(config, context);
    HEDDLE_TRY(weights.inverse_frequencies, loader.upload(rope.inverse));
    weights.rope_attention_factor = rope.attention_factor;
    if (config.local_rope_base) {
        const RopeFrequencies local =
            unscaled_rope_frequencies(config.rotary_dim, *config.local_rope_base);
        HEDDLE_TRY(weights.local_inverse_frequencies, loader.upload(local.inverse));
    }
    return {};
}

}  // namespace

std::size_t DecoderWeights::owned_bytes() const {
    std::size_t bytes = embeddings->owned_bytes() + output->owned_bytes();
    for (const DecoderLayer& layer : layers) {
        for (const Linear* linear :
             {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.gate,
              &layer.up, &layer.down}) {
            bytes += linear->weight->owned_bytes();
        }
    }
    return bytes;
}

Result<DecoderWeights> load_decoder_weights(const ModelFiles& files, const DecoderTraits& traits,
                                            compute::Backend& backend,
                                            compute::Arithmetic arithmetic, std::int64_t context) {
    HEDDLE_TRY(const DecoderTensors tensors, find_decoder_tensors(files, traits));
    const ModelConfig& config = files.config();
    const WeightLoader loader(files.tensors(), backend, arithmetic);
    const DecoderLoader layers(loader);
    DecoderWeights weights;
    HEDDLE_TRY(weights.embeddings,
               loader.table(tensors.embeddings.name, config.vocabulary, config.hidden));
    for (const DecoderLayerTensors& from : tensors.layers) {
        HEDDLE_TRY(DecoderLayer layer, layers.layer(from));
        weights.layers.push_back(std::move(layer));
    }
    HEDDLE_TRY(weights.final_norm, layers.vector(tensors.final_norm));
    HEDDLE_TRY(weights.output, loader.prepare(tensors.output.weight, tensors.output.name));
    HEDDLE_TRY_VOID(load_frequencies(config, context, loader, weights));
    return weights;
}

}  // namespace heddle::model
