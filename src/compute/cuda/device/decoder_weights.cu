#include <algorithm>
#include <cstring>

#include "compute/cuda/device/decoder_weights.h"

namespace heddle::compute::cuda {
namespace {

constexpr int kStagings = 8;
constexpr std::size_t kStagingBytes = std::size_t{16} << 20;
constexpr int kTurn = 8;  // rows of gate, then rows of up

int query_width(const HeddleCudaModel& m) {
    return m.heads * m.head_dim;
}
int qkv_width(const HeddleCudaModel& m) {
    return (m.heads + 2 * m.kv_heads) * m.head_dim;
}

void require(bool holds, const char* rule) {
    if (!holds) throw DeviceFailure(kHeddleCudaInvalid, rule);
}

}  // namespace

std::uint64_t DecoderWeights::bytes(const HeddleCudaModel& m) {
    const auto hidden = static_cast<std::uint64_t>(m.hidden);
    const std::uint64_t layer =
        hidden * static_cast<std::uint64_t>(qkv_width(m) + query_width(m) + 3 * m.intermediate);
    const std::uint64_t table = hidden * static_cast<std::uint64_t>(m.vocabulary);
    const std::uint64_t turns = static_cast<std::uint64_t>(m.context_max) *
                                static_cast<std::uint64_t>(m.rotary_dim / 2) * sizeof(float2);
    const std::uint64_t elements =
        layer * static_cast<std::uint64_t>(m.layers) + table * (m.tied_output != 0 ? 1 : 2);
    return elements * sizeof(bf16) + 2 * turns;
}

DecoderWeights::DecoderWeights(const HeddleCudaModel& model, DeviceMemory& memory)
    : model_(model), memory_(memory) {
    const std::int64_t hidden = model.hidden;
    embeddings = memory.take<bf16>(model.vocabulary * hidden);
    output = model.tied_output != 0 ? embeddings : memory.take<bf16>(model.vocabulary * hidden);
    final_norm = memory.take<float>(hidden);
    for (int i = 0; i < model.layers; ++i) {
        DeviceLayer layer;
        layer.qkv = memory.take<bf16>(qkv_width(model) * hidden);
        layer.attention_output = memory.take<bf16>(hidden * query_width(model));
        layer.gate_up = memory.take<bf16>(2 * model.intermediate * hidden);
        layer.down = memory.take<bf16>(hidden * model.intermediate);
        layer.attention_norm = memory.take<float>(hidden);
        layer.mlp_norm = memory.take<float>(hidden);
        if (model.sandwich_norms != 0) {
            layer.attention_post_norm = memory.take<float>(hidden);
            layer.mlp_post_norm = memory.take<float>(hidden);
        }
        if (model.head_norms != 0) {
            layer.query_norm = memory.take<float>(model.head_dim);
            layer.key_norm = memory.take<float>(model.head_dim);
        }
        layers.push_back(layer);
    }
    frequencies_ = memory.take<float>(model.rotary_dim / 2);
    turns =
        memory.take<float2>(static_cast<std::int64_t>(model.context_max) * (model.rotary_dim / 2));
    stagings_.resize(kStagings);
    for (Staging& staging : stagings_) {
        staging.memory = PinnedMemory(kStagingBytes);
        check(cudaStreamCreateWithFlags(&staging.stream, cudaStreamNonBlocking), "stream");
    }
}

DecoderWeights::~DecoderWeights() {
    for (Staging& staging : stagings_) {
        if (staging.stream != nullptr) cudaStreamDestroy(staging.stream);
    }
}

DecoderWeights::Target DecoderWeights::target(HeddleCudaMatrix matrix, int index) const {
    const HeddleCudaModel& m = model_;
    if (matrix == kHeddleCudaEmbeddings) return {embeddings, m.vocabulary, m.hidden};
    if (matrix == kHeddleCudaOutput) {
        require(m.tied_output == 0, "the output matrix is the embeddings");
        return {output, m.vocabulary, m.hidden};
    }
    require(index >= 0 && index < m.layers, "no such layer");
    const DeviceLayer& layer = layers[static_cast<std::size_t>(index)];
    switch (matrix) {
        case kHeddleCudaQkv:
            return {layer.qkv, qkv_width(m), m.hidden};
        case kHeddleCudaAttentionOutput:
            return {layer.attention_output, m.hidden, query_width(m)};
        case kHeddleCudaGate:
            return {layer.gate_up, m.intermediate, m.hidden, true, false};
        case kHeddleCudaUp:
            return {layer.gate_up, m.intermediate, m.hidden, true, true};
        case kHeddleCudaDown:
            return {layer.down, m.hidden, m.intermediate};
        default:
            throw DeviceFailure(kHeddleCudaInvalid, "no such matrix");
    }
}

DecoderWeights::Staging& DecoderWeights::acquire() {
    std::unique_lock lock(mutex_);
    require(!stagings_.empty(), "the weights are complete");
    Staging* free = nullptr;
    released_.wait(lock, [&] {
        const auto at = std::find_if(stagings_.begin(), stagings_.end(),
                                     [](const Staging& s) { return !s.taken; });
        free = at == stagings_.end() ? nullptr : &*at;
        return free != nullptr;
    });
    free->taken = true;
    lock.unlock();
    check(cudaStreamSynchronize(free->stream), "copying weights");
    return *free;
}

void DecoderWeights::release(Staging& staging) {
    {
        const std::lock_guard lock(mutex_);
        staging.taken = false;
    }
    released_.notify_one();
}

void DecoderWeights::put_rows(HeddleCudaMatrix matrix, int layer, int first, int count,
                              const std::uint16_t* rows) {
    const Target to = target(matrix, layer);
    require(first >= 0 && count >= 0 && count <= to.rows && first <= to.rows - count,
            "rows beyond the matrix");
    require(!to.interleaved || (first % kTurn == 0 && count % kTurn == 0),
            "gate and up come in turns of eight rows");
    const auto row_bytes = static_cast<std::size_t>(to.columns) * sizeof(bf16);
    const int most = std::max(kTurn, static_cast<int>(kStagingBytes / row_bytes) / kTurn * kTurn);
    require(most * row_bytes <= kStagingBytes, "a row is too long");
    for (int done = 0; done < count;) {
        const int now = std::min(most, count - done);
        const std::size_t bytes = static_cast<std::size_t>(now) * row_bytes;
        Staging& staging = acquire();
        std::memcpy(staging.memory.as<void>(),
                    rows + static_cast<std::size_t>(done) * static_cast<std::size_t>(to.columns),
                    bytes);
        const std::int64_t row = first + done;
        cudaError_t code = cudaSuccess;
        if (to.interleaved) {
            bf16* at = to.base + (row / kTurn * 2 + (to.second ? 1 : 0)) * kTurn * to.columns;
            code = cudaMemcpy2DAsync(at, 2 * kTurn * row_bytes, staging.memory.as<void>(),
                                     kTurn * row_bytes, kTurn * row_bytes,
                                     static_cast<std::size_t>(now / kTurn), cudaMemcpyHostToDevice,
                                     staging.stream);
        } else {
            code = cudaMemcpyAsync(to.base + row * to.columns, staging.memory.as<void>(), bytes,
                                   cudaMemcpyHostToDevice, staging.stream);
        }
        release(staging);
        check(code, "copying weights");
        done += now;
    }
}

float* DecoderWeights::vector_place(HeddleCudaVector vector, int index, int count) {
    const HeddleCudaModel& m = model_;
    if (vector == kHeddleCudaFinalNorm) return count == m.hidden ? final_norm : nullptr;
    if (vector == kHeddleCudaFrequencies) return count == m.rotary_dim / 2 ? frequencies_ : nullptr;
    if (vector == kHeddleCudaLocalFrequencies) {
        if (count != m.rotary_dim / 2) return nullptr;
        if (local_frequencies_ == nullptr) {
            local_frequencies_ = memory_.take<float>(count);
            local_turns = memory_.take<float2>(static_cast<std::int64_t>(m.context_max) * count);
        }
        return local_frequencies_;
    }
    require(index >= 0 && index < m.layers, "no such layer");
    DeviceLayer& layer = layers[static_cast<std::size_t>(index)];
    switch (vector) {
        case kHeddleCudaAttentionNorm:
            return count == m.hidden ? layer.attention_norm : nullptr;
        case kHeddleCudaAttentionPostNorm:
            return count == m.hidden ? layer.attention_post_norm : nullptr;
        case kHeddleCudaMlpNorm:
            return count == m.hidden ? layer.mlp_norm : nullptr;
        case kHeddleCudaMlpPostNorm:
            return count == m.hidden ? layer.mlp_post_norm : nullptr;
        case kHeddleCudaQueryNorm:
            return count == m.head_dim ? layer.query_norm : nullptr;
        case kHeddleCudaKeyNorm:
            return count == m.head_dim ? layer.key_norm : nullptr;
        case kHeddleCudaQkvBias:
            if (count != qkv_width(m)) return nullptr;
            if (layer.qkv_bias == nullptr) layer.qkv_bias = memory_.take<float>(count);
            return layer.qkv_bias;
        default:
            return nullptr;
    }
}

void DecoderWeights::put_vector(HeddleCudaVector vector, int layer, int count,
                                const float* values) {
    const std::lock_guard lock(mutex_);
    if (vector == kHeddleCudaAttentionFactor) {
        require(count == 1, "one attention factor");
        attention_factor_ = *values;
        return;
    }
    float* place = vector_place(vector, layer, count);
    require(place != nullptr, "a vector of another size, or not of this model");
    check(cudaMemcpy(place, values, sizeof(float) * static_cast<std::size_t>(count),
                     cudaMemcpyHostToDevice),
          "copying weights");
}

void DecoderWeights::fill_random(std::uint64_t seed, cudaStream_t stream) {
    const HeddleCudaModel& m = model_;
    constexpr float kDeviation = 0.02F;
    const std::int64_t hidden = m.hidden;
    const auto fill = [&](bf16* to, std::int64_t count) {
        fill_normal(to, count, seed++, kDeviation, stream);
    };
    fill(embeddings, m.vocabulary * hidden);
    if (m.tied_output == 0) fill(output, m.vocabulary * hidden);
    fill_constant(final_norm, hidden, 1, stream);
    for (const DeviceLayer& layer : layers) {
        fill(layer.qkv, qkv_width(m) * hidden);
        fill(layer.attention_output, hidden * query_width(m));
        fill(layer.gate_up, 2 * m.intermediate * hidden);
        fill(layer.down, hidden * m.intermediate);
        for (float* norm : {layer.attention_norm, layer.mlp_norm, layer.attention_post_norm,
                            layer.mlp_post_norm}) {
            if (norm != nullptr) fill_constant(norm, hidden, 1, stream);
        }
        for (float* norm : {layer.query_norm, layer.key_norm}) {
            if (norm != nullptr) fill_constant(norm, m.head_dim, 1, stream);
        }
    }
    fill_constant(frequencies_, m.rotary_dim / 2, 0.01F, stream);
}

void DecoderWeights::finish(cudaStream_t stream) {
    {
        const std::lock_guard lock(mutex_);
        for (Staging& staging : stagings_) {
            check(cudaStreamSynchronize(staging.stream), "copying weights");
            cudaStreamDestroy(staging.stream);
        }
        stagings_.clear();
    }
    const int half = model_.rotary_dim / 2;
    fill_turns(turns, frequencies_, model_.context_max, half, attention_factor_, stream);
    if (local_turns != nullptr) {
        fill_turns(local_turns, local_frequencies_, model_.context_max, half, 1, stream);
    }
}

}  // namespace heddle::compute::cuda
