#include "compute/cpu/cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <string>

#include "compute/dequantize.h"
#include "compute/op_checks.h"

namespace heddle::compute::cpu {
namespace {

// Fork and join costs a few microseconds, as much as a thousand elements or some.
constexpr std::int64_t kElementsWorthThreads = 16'384;

IsaLevel resolve(IsaLevel level) {
    const IsaLevel best = detect_isa();
    HEDDLE_CHECK(level == IsaLevel::kBest || level <= best, "the processor has the level");
    return level == IsaLevel::kBest ? best : level;
}

BackendInfo describe(int threads, IsaLevel level) {
    BackendInfo info;
    info.name = "cpu";
    info.description = "cpu, " + std::to_string(threads) +
                       (threads == 1 ? " thread, " : " threads, ") + std::string(to_string(level));
    return info;
}

CpuKvCache& own(KvCache& cache) {
    auto* result = dynamic_cast<CpuKvCache*>(&cache);
    HEDDLE_CHECK(result != nullptr, "the cache came from this kind of backend");
    return *result;
}

}  // namespace

CpuBackend::CpuBackend(int threads, IsaLevel level)
    : level_(resolve(level)),
      vectors_(vector_kernels_for(level_)),
      info_(describe(threads, level_)),
      pool_(threads),
      linear_(kernels_for(level_), pool_),
      attention_(kernels_for(level_), vectors_, pool_) {}

template <class Fn>
void CpuBackend::each_row(std::int64_t rows, std::int64_t elements, Fn fn) {
    if (elements < kElementsWorthThreads || rows < 2) {
        for (std::int64_t r = 0; r < rows; ++r) fn(r);
        return;
    }
    const std::int64_t tasks = std::min(rows, std::int64_t{4} * pool_.threads());
    pool_.run(tasks, [&](std::int64_t task, int) {
        const Range range = split_evenly(rows, tasks, task);
        for (std::int64_t r = range.begin; r < range.end; ++r) fn(r);
    });
}

Result<> CpuBackend::reserve(std::int64_t rows, std::int64_t cols) {
    try {
        linear_.reserve(rows, cols);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kUnavailable, "not enough memory for a step's scratch");
    }
    return {};
}

Result<WeightPtr> CpuBackend::prepare_linear(const WeightSource& source, Arithmetic arithmetic) {
    HEDDLE_TRY_VOID(check_source(source));
    HEDDLE_TRY(auto weight, PackedWeight::pack(source, arithmetic, pool_.threads()));
    return weight;
}

void CpuBackend::linear(Tensor y, ConstTensor x, const Weight& w, const LinearOptions& options) {
    checks::linear(y, x, w, options);
    const auto* packed = dynamic_cast<const PackedWeight*>(&w);
    HEDDLE_CHECK(packed != nullptr, "the weight came from prepare_linear");
    linear_.run(y, x, *packed, options);
}

void CpuBackend::layer_norm(Tensor y, ConstTensor x, ConstTensor residual, ConstTensor weight,
                            ConstTensor bias, const NormOptions& options) {
    checks::norm(y, x, residual, weight, bias);
    each_row(x.rows(), x.elements(), [&](std::int64_t r) {
        vectors_.layer_norm(y.row<float>(r), x.row<float>(r),
                            residual.empty() ? nullptr : residual.row<float>(r), weight.as<float>(),
                            bias.empty() ? nullptr : bias.as<float>(), x.cols(), options.epsilon);
    });
}

void CpuBackend::rms_norm(Tensor y, ConstTensor x, Tensor residual, ConstTensor weight,
                          const NormOptions& options) {
    checks::norm(y, x, residual, weight, {});
    each_row(x.rows(), x.elements(), [&](std::int64_t r) {
        vectors_.rms_norm(y.row<float>(r), x.row<float>(r),
                          residual.empty() ? nullptr : residual.row<float>(r), weight.as<float>(),
                          x.cols(), options.epsilon, options.unit_offset ? 1.0F : 0.0F);
    });
}

void CpuBackend::update_rope_table(const ConstTensor& positions, const RopeOptions& options) {
    const auto* at = positions.as<std::int32_t>();
    const auto* frequencies = options.inverse_frequencies.as<float>();
    const std::int64_t rows = positions.cols();
    const std::int64_t pairs = options.inverse_frequencies.cols();
    RopeTable& table = rope_table_;
    if (table.factor == options.attention_factor &&
        std::equal(table.positions.begin(), table.positions.end(), at, at + rows) &&
        std::equal(table.frequencies.begin(), table.frequencies.end(), frequencies,
                   frequencies + pairs)) {
        return;
    }
    table.positions.assign(at, at + rows);
    table.frequencies.assign(frequencies, frequencies + pairs);
    table.factor = options.attention_factor;
    table.cosine.resize(static_cast<std::size_t>(rows * pairs));
    table.sine.resize(static_cast<std::size_t>(rows * pairs));
    each_row(rows, rows * pairs * 16, [&](std::int64_t r) {
        for (std::int64_t i = 0; i < pairs; ++i) {
            const float angle = static_cast<float>(at[r]) * frequencies[i];
            const auto index = static_cast<std::size_t>(r * pairs + i);
            table.cosine[index] = std::cos(angle) * table.factor;
            table.sine[index] = std::sin(angle) * table.factor;
        }
    });
}

void CpuBackend::rope(Tensor x, ConstTensor positions, const RopeOptions& options) {
    checks::rope(x, positions, options);
    update_rope_table(positions, options);
    const std::int64_t pairs = options.inverse_frequencies.cols();
    const std::int64_t heads = x.dim(1);
    each_row(x.rows(), x.elements(), [&](std::int64_t r) {
        float* head = x.row<float>(r);
        const float* cosine = rope_table_.cosine.data() + r / heads * pairs;
        const float* sine = rope_table_.sine.data() + r / heads * pairs;
        if (options.style == RopeStyle::kHalves) {
            vectors_.rotate(head, head + pairs, cosine, sine, pairs);
            return;
        }
        for (std::int64_t i = 0; i < pairs; ++i) {
            const float a = head[2 * i];
            const float b = head[2 * i + 1];
            head[2 * i] = a * cosine[i] - b * sine[i];
            head[2 * i + 1] = a * sine[i] + b * cosine[i];
        }
    });
}

void CpuBackend::activate_row(float* y, const float* x, std::int64_t n, Activation kind) const {
    switch (kind) {
        case Activation::kGelu:
            return vectors_.gelu(y, x, n);
        case Activation::kGeluTanh:
            return vectors_.gelu_tanh(y, x, n);
        case Activation::kSilu:
            return vectors_.silu(y, x, n);
        case Activation::kTanh:
            return vectors_.tanh(y, x, n);
        case Activation::kSigmoid:
            return vectors_.sigmoid(y, x, n);
        case Activation::kRelu:
            for (std::int64_t i = 0; i < n; ++i) y[i] = std::max(x[i], 0.0F);
            return;
    }
}

void CpuBackend::activate(Tensor y, ConstTensor x, Activation kind) {
    checks::elementwise(y, x);
    each_row(x.rows(), x.elements(), [&](std::int64_t r) {
        activate_row(y.row<float>(r), x.row<float>(r), x.cols(), kind);
    });
}

void CpuBackend::gated_activate(Tensor y, ConstTensor gate, ConstTensor up, Activation kind) {
    checks::elementwise(y, gate);
    checks::elementwise(y, up);
    each_row(gate.rows(), gate.elements(), [&](std::int64_t r) {
        activate_row(y.row<float>(r), gate.row<float>(r), gate.cols(), kind);
        vectors_.multiply(y.row<float>(r), y.row<float>(r), up.row<float>(r), gate.cols());
    });
}

void CpuBackend::add(Tensor y, ConstTensor a, ConstTensor b) {
    checks::add(y, a, b);
    each_row(a.rows(), a.elements(), [&](std::int64_t r) {
        vectors_.add(y.row<float>(r), a.row<float>(r), b.row<float>(b.rows() == 1 ? 0 : r),
                     a.cols());
    });
}

void CpuBackend::scale(Tensor y, ConstTensor x, float factor) {
    checks::elementwise(y, x);
    each_row(x.rows(), x.elements(), [&](std::int64_t r) {
        vectors_.scale(y.row<float>(r), x.row<float>(r), factor, x.cols());
    });
}

void CpuBackend::softcap(Tensor y, ConstTensor x, float cap) {
    checks::elementwise(y, x);
    HEDDLE_CHECK(cap > 0.0F, "a cap is positive");
    each_row(x.rows(), x.elements(), [&](std::int64_t r) {
        vectors_.softcap(y.row<float>(r), x.row<float>(r), cap, x.cols());
    });
}

void CpuBackend::softmax(Tensor y, ConstTensor x) {
    checks::elementwise(y, x);
    each_row(x.rows(), x.elements(),
             [&](std::int64_t r) { vectors_.softmax(y.row<float>(r), x.row<float>(r), x.cols()); });
}

void CpuBackend::mean_pool(Tensor y, ConstTensor x, ConstTensor starts) {
    checks::mean_pool(y, x, starts);
    const auto* start = starts.as<std::int32_t>();
    each_row(y.rows(), x.elements(), [&](std::int64_t s) {
        HEDDLE_CHECK(start[s] >= 0 && start[s] <= start[s + 1] && start[s + 1] <= x.rows(),
                     "starts ascend within the rows");
        float* to = y.row<float>(s);
        std::fill_n(to, x.cols(), 0.0F);
        for (std::int64_t r = start[s]; r < start[s + 1]; ++r) {
            vectors_.add(to, to, x.row<float>(r), x.cols());
        }
        const int count = std::max(1, start[s + 1] - start[s]);
        vectors_.scale(to, to, 1.0F / static_cast<float>(count), x.cols());
    });
}

void CpuBackend::l2_normalize(Tensor y, ConstTensor x) {
    checks::elementwise(y, x);
    each_row(x.rows(), x.elements(), [&](std::int64_t r) {
        const float norm = std::sqrt(vectors_.squares(x.row<float>(r), x.cols()));
        vectors_.scale(y.row<float>(r), x.row<float>(r), 1.0F / std::max(norm, 1e-12F), x.cols());
    });
}

Result<std::unique_ptr<KvCache>> CpuBackend::make_kv_cache(const KvCacheShape& shape) {
    HEDDLE_TRY_VOID(checks::kv_cache_shape(shape));
    try {
        return std::make_unique<CpuKvCache>(shape);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kUnavailable, "not enough memory for the KV cache");
    }
}

void CpuBackend::write_kv(KvCache& cache, std::int64_t layer, ConstTensor k, ConstTensor v,
                          ConstTensor slots) {
    checks::write_kv(cache, layer, k, v, slots);
    CpuKvCache& to = own(cache);
    const KvCacheShape& shape = cache.shape();
    const auto* slot = slots.as<std::int32_t>();
    each_row(k.dim(0), 2 * k.elements(), [&](std::int64_t m) {
        if (slot[m] < 0) return;
        HEDDLE_CHECK(slot[m] < shape.blocks * shape.block_tokens, "slots lie inside the cache");
        for (std::int64_t h = 0; h < shape.kv_heads; ++h) {
            const std::int64_t row = m * shape.kv_heads + h;
            to.write(layer, h, slot[m], k.row<float>(row), v.row<float>(row));
        }
    });
}

void CpuBackend::copy_blocks(KvCache& cache, std::span<const BlockCopy> copies) {
    CpuKvCache& to = own(cache);
    for (const BlockCopy& pair : copies) {
        const std::int64_t blocks = cache.shape().blocks;
        HEDDLE_CHECK(pair.from >= 0 && pair.from < blocks && pair.to >= 0 && pair.to < blocks,
                     "blocks lie inside the cache");
        to.copy_block(pair.from, pair.to);
    }
}

void CpuBackend::paged_attention(Tensor out, ConstTensor q, const KvCache& cache,
                                 std::int64_t layer, const PagedBatch& batch,
                                 const AttentionOptions& options) {
    checks::paged_attention(out, q, cache, layer, batch, options);
    const auto* from = dynamic_cast<const CpuKvCache*>(&cache);
    HEDDLE_CHECK(from != nullptr, "the cache came from this kind of backend");
    attention_.paged(out, q, *from, layer, batch, options);
}

void CpuBackend::encoder_attention(Tensor out, ConstTensor q, ConstTensor k, ConstTensor v,
                                   ConstTensor starts, std::int32_t,
                                   const AttentionOptions& options) {
    checks::encoder_attention(out, q, k, v, starts, options);
    attention_.encoder(out, q, k, v, starts, options);
}

}  // namespace heddle::compute::cpu
