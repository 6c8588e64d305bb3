#include "compute/cpu/linear.h"

#include <algorithm>

namespace heddle::compute::cpu {
namespace {

ActivationKind activation_kind(const Kernels& kernels, const PackedWeight& w) {
    switch (w.format()) {
        case PanelFormat::kF32:
        case PanelFormat::kF16:
            return ActivationKind::kFloats;
        case PanelFormat::kBF16:
            return w.allows_bf16() && kernels.tile_halves != nullptr ? ActivationKind::kHalves
                                                                     : ActivationKind::kFloats;
        case PanelFormat::kQ8_0:
            return ActivationKind::kWords;
        default:
            return ActivationKind::kBytes;
    }
}

int rows_max(const Kernels& kernels, ActivationKind kind) {
    switch (kind) {
        case ActivationKind::kHalves:
            return kernels.half_rows_max;
        case ActivationKind::kFloats:
            return kernels.float_rows_max;
        case ActivationKind::kWords:
            return kernels.word_rows_max;
        case ActivationKind::kBytes:
            return kernels.byte_rows_max;
    }
    return 1;
}

// Fetches the next chunk while this one is multiplied, a share with every tile, so that memory
// works all the time and not only while a chunk is unpacked.
class Ahead {
public:
    Ahead(const std::byte* stored, std::int64_t bytes, std::int64_t tiles)
        : at_(stored + bytes), end_(at_ + bytes), share_((bytes / tiles + 64) / 64 * 64) {}

    void step() {
        const std::byte* stop = end_ - at_ < share_ ? end_ : at_ + share_;
        for (; at_ < stop; at_ += 64) __builtin_prefetch(at_, 0, 2);
    }

private:
    const std::byte* at_;
    const std::byte* end_;
    std::int64_t share_;
};

}  // namespace

Linear::Linear(const Kernels& kernels, ThreadPool& pool)
    : kernels_(kernels), pool_(pool), workers_(static_cast<std::size_t>(pool.threads())) {}

void Linear::reserve(std::int64_t rows, std::int64_t cols) {
    activations_.reserve(PackedActivations::bytes_max(rows, cols));
    packed_ = {};
}

void Linear::run(const Tensor& y, const ConstTensor& x, const PackedWeight& w,
                 const LinearOptions& options) {
    const std::int64_t m = x.rows();
    if (m == 0) return;
    const ActivationKind kind = activation_kind(kernels_, w);
    pack_input(x, kind, min_block_cols(w.format()), options.same_input);

    // Units of several neighbouring panels, taken as threads get to them, so that a thread that
    // the system holds up delays the others little.
    const std::int64_t passes = (m + kPassRows - 1) / kPassRows;
    const std::int64_t panels = w.panels();
    const std::int64_t wanted = std::int64_t{8} * pool_.threads();
    const std::int64_t unit = std::max<std::int64_t>(1, panels * passes / wanted);
    const std::int64_t units_a_pass = (panels + unit - 1) / unit;
    const Job job{y, w, options};
    pool_.run(passes * units_a_pass, [&](std::int64_t i, int index) {
        Worker& worker = workers_[static_cast<std::size_t>(index)];
        const std::int64_t first = i % units_a_pass * unit;
        const std::int64_t end = std::min(first + unit, panels);
        for (std::int64_t p = first; p < end; ++p) multiply(job, worker, i / units_a_pass, p);
    });
}

void Linear::pack_input(const ConstTensor& x, ActivationKind kind, int sum_cols, bool same) {
    const Input input{x.data(), x.rows(), x.cols(), kind, sum_cols};
    if (same && input == packed_) return;
    activations_.prepare(kind, rows_max(kernels_, kind), sum_cols, x.rows(), x.cols());
    pool_.run(activations_.tiles(),
              [&](std::int64_t tile, int) { activations_.pack_tile(kernels_, x, tile); });
    packed_ = input;
}

void Linear::multiply(const Job& job, Worker& worker, std::int64_t pass, std::int64_t panel) {
    const std::int64_t first = pass * kPassRows;
    const std::int64_t rows = std::min<std::int64_t>(kPassRows, job.y.rows() - first);
    const std::int64_t tile = first / activations_.rows_max();
    const std::int64_t tile_end =
        (first + rows + activations_.rows_max() - 1) / activations_.rows_max();

    float bias[kPanelRows] = {};
    if (!job.options.bias.empty()) {
        const std::int64_t n = panel * kPanelRows;
        std::copy_n(job.options.bias.as<float>() + n,
                    std::min<std::int64_t>(kPanelRows, job.w.rows() - n), bias);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
        std::copy_n(bias, kPanelRows, worker.sums + r * kPanelRows);
    }
    for (std::int64_t c = 0; c < job.w.chunks(); ++c) {
        multiply_chunk(job.w, worker, panel, c, tile, tile_end);
    }
    finish(job, worker, first, rows, panel);
}

void Linear::multiply_chunk(const PackedWeight& w, Worker& worker, std::int64_t panel,
                            std::int64_t chunk, std::int64_t tile, std::int64_t tile_end) {
    const std::byte* stored = w.chunk(panel, chunk);
    const std::int64_t cols = w.chunk_cols(chunk);
    const std::int64_t padded = (cols + 31) / 32 * 32;
    const ActivationKind kind = activation_kind(kernels_, w);
    if (tile_end - tile == 1 && activations_.tile_rows(tile) == 1) {
        if (kind == ActivationKind::kWords && kernels_.row_words != nullptr) {
            return kernels_.row_words(activations_.words(tile, chunk), stored, padded, worker.sums);
        }
        if (kind == ActivationKind::kBytes && kernels_.row_bytes != nullptr) {
            return kernels_.row_bytes(w.format(), activations_.bytes(tile, chunk), stored, padded,
                                      worker.sums);
        }
    }
    if (kind == ActivationKind::kWords) kernels_.unpack_words(stored, padded, worker.words);
    if (kind == ActivationKind::kBytes) {
        kernels_.unpack_bytes(w.format(), stored, padded, worker.bytes);
    }
    float* sums = worker.sums;
    Ahead ahead(stored, chunk_bytes(w.format(), cols), tile_end - tile);
    for (std::int64_t t = tile; t < tile_end; ++t) {
        ahead.step();
        const int rows = activations_.tile_rows(t);
        const auto* halves = reinterpret_cast<const std::uint16_t*>(stored);
        switch (w.format()) {
            case PanelFormat::kF32:
                kernels_.tile_f32(activations_.floats(t, chunk),
                                  reinterpret_cast<const float*>(stored), kPanelRows, cols, rows,
                                  sums, kPanelRows);
                break;
            case PanelFormat::kF16:
                kernels_.tile_f16(activations_.floats(t, chunk), halves, cols, rows, sums);
                break;
            case PanelFormat::kBF16:
                if (kind == ActivationKind::kHalves) {
                    kernels_.tile_halves(activations_.halves(t, chunk), halves, cols, rows, sums);
                    break;
                }
                kernels_.tile_bf16(activations_.floats(t, chunk), halves, cols, rows, sums);
                break;
            case PanelFormat::kQ8_0:
                kernels_.tile_words(activations_.words(t, chunk), worker.words, padded, rows, sums);
                break;
            default:
                kernels_.tile_bytes(activations_.bytes(t, chunk), worker.bytes, padded, rows, sums);
        }
        sums += rows * kPanelRows;
    }
}

void Linear::finish(const Job& job, const Worker& worker, std::int64_t first, std::int64_t rows,
                    std::int64_t panel) {
    const std::int64_t n = panel * kPanelRows;
    const std::int64_t cols = std::min<std::int64_t>(kPanelRows, job.w.rows() - n);
    for (std::int64_t r = 0; r < rows; ++r) {
        const float* sums = worker.sums + r * kPanelRows;
        float* to = job.y.row<float>(first + r) + n;
        if (job.options.accumulate) {
            for (std::int64_t j = 0; j < cols; ++j) to[j] += sums[j];
        } else if (cols == kPanelRows) {
            std::copy_n(sums, kPanelRows, to);  // a few moves; a call where the length is not known
        } else {
            std::copy_n(sums, cols, to);
        }
    }
}

}  // namespace heddle::compute::cpu
