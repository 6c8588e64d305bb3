#include "model/device_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "compute/cuda/module.h"
#include "compute/dequantize.h"
#include "compute/half.h"
#include "model/rope_frequencies.h"

namespace heddle::model {

using compute::cuda::outcome;

// One stored matrix and where it goes.
struct DeviceUpload::Matrix {
    HeddleCudaMatrix which;
    std::int32_t layer;
    std::int32_t first_row;
    const LinearTensor* tensor;
};

namespace {

constexpr std::int64_t kRowsAtOnce = 256;  // converted before they are handed over

}  // namespace

Result<> DeviceUpload::matrix(const Matrix& matrix) const {
    const compute::WeightSource& source = matrix.tensor->weight;
    const auto rows = static_cast<std::int32_t>(source.rows);
    HeddleCudaError error{};
    const auto put = [&](std::int64_t first, std::int64_t count, const std::uint16_t* from) {
        return outcome(api.put_rows(decoder, matrix.which, matrix.layer,
                                    matrix.first_row + static_cast<std::int32_t>(first),
                                    static_cast<std::int32_t>(count), from, &error),
                       error);
    };
    const auto at = reinterpret_cast<std::uintptr_t>(source.data.data());
    if (source.dtype == compute::DType::kBF16 && at % alignof(std::uint16_t) == 0) {
        return put(0, rows, reinterpret_cast<const std::uint16_t*>(source.data.data()));
    }
    const std::int64_t row_bytes = compute::row_bytes(source.dtype, source.cols);
    std::vector<float> row(static_cast<std::size_t>(source.cols));
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(source.cols * kRowsAtOnce));
    for (std::int64_t first = 0; first < rows; first += kRowsAtOnce) {
        const std::int64_t count = std::min(kRowsAtOnce, rows - first);
        for (std::int64_t i = 0; i < count; ++i) {
            compute::dequantize_row(source.dtype, source.data.data() + (first + i) * row_bytes,
                                    source.cols, row.data());
            std::ranges::transform(row, halves.begin() + i * source.cols, compute::f32_to_bf16);
        }
        HEDDLE_TRY_VOID(put(first, count, halves.data()));
    }
    return {};
}

Result<> DeviceUpload::vector(HeddleCudaVector which, std::int32_t layer,
                              const std::vector<float>& values) const {
    if (values.empty()) return {};
    HeddleCudaError error{};
    return outcome(api.put_vector(decoder, which, layer, static_cast<std::int32_t>(values.size()),
                                  values.data(), &error),
                   error);
}

Result<> DeviceUpload::norm(HeddleCudaVector which, std::int32_t layer,
                            std::vector<float> values) const {
    if (norm_unit_offset) {
        for (float& value : values) value += 1;
    }
    return vector(which, layer, values);
}

Result<> DeviceUpload::vectors(const DecoderLayerTensors& layer, std::int32_t index) const {
    for (const LinearTensor* plain :
         {&layer.attention_output, &layer.gate, &layer.up, &layer.down}) {
        if (plain->bias.empty()) continue;
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("the bias beside {} is not built for this device", plain->name));
    }
    HEDDLE_TRY_VOID(norm(kHeddleCudaAttentionNorm, index, layer.attention_norm));
    HEDDLE_TRY_VOID(norm(kHeddleCudaAttentionPostNorm, index, layer.attention_post_norm));
    HEDDLE_TRY_VOID(norm(kHeddleCudaMlpNorm, index, layer.mlp_norm));
    HEDDLE_TRY_VOID(norm(kHeddleCudaMlpPostNorm, index, layer.mlp_post_norm));
    HEDDLE_TRY_VOID(norm(kHeddleCudaQueryNorm, index, layer.query_norm));
    HEDDLE_TRY_VOID(norm(kHeddleCudaKeyNorm, index, layer.key_norm));
    std::vector<float> bias;
    bool biased = false;
    for (const LinearTensor* part : {&layer.query, &layer.key, &layer.value}) {
        biased = biased || !part->bias.empty();
        const auto rows = static_cast<std::size_t>(part->weight.rows);
        bias.insert(bias.end(), part->bias.begin(), part->bias.end());
        if (part->bias.empty()) bias.resize(bias.size() + rows);
    }
    return biased ? vector(kHeddleCudaQkvBias, index, bias) : Result<>();
}

Result<> DeviceUpload::tensors(const DecoderTensors& tensors) const {
    HEDDLE_TRY_VOID(norm(kHeddleCudaFinalNorm, 0, tensors.final_norm));
    std::vector<Matrix> matrices = {{kHeddleCudaEmbeddings, 0, 0, &tensors.embeddings}};
    if (!tensors.tied_output) matrices.push_back({kHeddleCudaOutput, 0, 0, &tensors.output});
    std::int32_t index = 0;
    for (const DecoderLayerTensors& layer : tensors.layers) {
        HEDDLE_TRY_VOID(vectors(layer, index));
        const auto queries = static_cast<std::int32_t>(layer.query.weight.rows);
        const auto keys = static_cast<std::int32_t>(layer.key.weight.rows);
        matrices.push_back({kHeddleCudaQkv, index, 0, &layer.query});
        matrices.push_back({kHeddleCudaQkv, index, queries, &layer.key});
        matrices.push_back({kHeddleCudaQkv, index, queries + keys, &layer.value});
        matrices.push_back({kHeddleCudaAttentionOutput, index, 0, &layer.attention_output});
        matrices.push_back({kHeddleCudaGate, index, 0, &layer.gate});
        matrices.push_back({kHeddleCudaUp, index, 0, &layer.up});
        matrices.push_back({kHeddleCudaDown, index, 0, &layer.down});
        ++index;
    }
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::optional<Error> failed;  // guarded by mutex
    const auto work = [&] {
        for (std::size_t i = next++; i < matrices.size(); i = next++) {
            if (Result<> done = matrix(matrices[i]); !done) {
                next = matrices.size();
                const std::lock_guard lock(mutex);
                failed = std::move(done).error();
            }
        }
    };
    {
        std::vector<std::jthread> others;
        for (int i = 1; i < threads; ++i) others.emplace_back(work);
        work();
    }
    if (failed) return fail(std::move(*failed));
    return {};
}

Result<> DeviceUpload::frequencies(const ModelConfig& config, std::int64_t context) const {
    const RopeFrequencies rope = rope_frequencies(config, context);
    HEDDLE_TRY_VOID(vector(kHeddleCudaFrequencies, 0, rope.inverse));
    HEDDLE_TRY_VOID(vector(kHeddleCudaAttentionFactor, 0, {rope.attention_factor}));
    if (!config.local_rope_base) return {};
    return vector(kHeddleCudaLocalFrequencies, 0,
                  unscaled_rope_frequencies(config.rotary_dim, *config.local_rope_base).inverse);
}

}  // namespace heddle::model
