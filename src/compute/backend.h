// The operations of a transformer step, at the granularity that a CPU and a CUDA device can both
// implement. A model's forward pass is a sequence of these calls; it knows no device.
//
// Memory. Every tensor passed to an op lies in memory of this backend (allocate) unless it is said
// to be on the host. Rows may be strided, the last dimension is contiguous. Unless an op says
// otherwise activations are of info().activations, weights vectors (norms, biases, tables of
// frequencies and slopes) are kF32, ids, positions and lengths are kI32.
//
// Aliasing. Outputs overlap no input, except that where an op says "in place" the output may be
// exactly that input (same data, same strides).
//
// Rows. Row i of every output depends on row i of the inputs (and, for attention, on its own
// sequence) alone: not on how many rows there are, nor on threads. One summation order for every
// batch size is what makes a seeded answer repeatable; a backend that cannot hold it for speed
// says so in info().batch_invariant.
//
// Threads. One thread at a time uses a backend object, its executor; prepare_* may run on another
// thread at the same time. Ops are carried out in call order; on a device they may return before
// they are done, and synchronize() or download() waits. Nothing is allocated on the device by an
// op once reserve() has covered its size.
//
// Errors. Wrong shapes are bugs (HEDDLE_CHECK). prepare_* and allocate answer with a Result. A
// device that fails throws BackendError out of any op.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "base/result.h"
#include "compute/kv_cache.h"
#include "compute/tensor.h"
#include "compute/weight.h"

namespace heddle::compute {

class BackendError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct BackendInfo {
    std::string name;         // "reference", "cpu", "cuda"
    std::string description;  // "cpu, 2 threads, avx2+fma"
    DType activations = DType::kF32;
    bool host_memory = true;  // tensors can be read through their pointers
    bool batch_invariant = true;
};

struct LinearOptions {
    ConstTensor bias;         // [rows of W]; empty for none
    bool accumulate = false;  // Y += X W^T + b
    // X is the same tensor as that of the linear before, unchanged since: what a backend made of
    // it may serve again.
    bool same_input = false;
};

struct EmbeddingOptions {
    float scale = 1.0F;       // Gemma multiplies by sqrt(dim)
    bool accumulate = false;  // Y += row, for position and type tables
};

struct NormOptions {
    float epsilon = 1e-5F;
    bool unit_offset = false;  // RMS norm only: multiply by 1 + w (Gemma)
};

enum class RopeStyle {
    kPairs,   // elements 2i and 2i+1 turn together (GPT-J; Llama in GGUF)
    kHalves,  // elements i and i + rotary_dim/2 turn together (GPT-NeoX; Llama in Hugging Face)
};

struct RopeOptions {
    RopeStyle style = RopeStyle::kHalves;
    ConstTensor inverse_frequencies;  // kF32 [rotary_dim / 2], radians a position; any scaling
                                      // kind (linear, NTK, Llama 3, YaRN, LongRoPE) is in them
    float attention_factor = 1.0F;    // multiplies cosine and sine (YaRN, LongRoPE)
};

enum class Activation {
    kGelu,      // x * Phi(x), by erf
    kGeluTanh,  // its tanh approximation
    kSilu,
    kRelu,
    kTanh,  // BERT's pooler
    kSigmoid,
};

// Which tokens of a step belong to which sequence, for attention over paged keys and values.
// Sequences stand one after another in the step's rows, in any mix of prefill chunks (several
// rows) and decodes (one row). All tensors kI32.
struct PagedBatch {
    ConstTensor query_starts;     // [sequences + 1], ascending; first row of each, then all rows
    ConstTensor context_lengths;  // [sequences], tokens in the cache with those of this step:
                                  // the rows of sequence s are its last positions
    ConstTensor block_tables;     // [sequences, any], block ids in order; beyond the context: any
    std::int32_t query_rows_max = 0;  // bounds known on the host, to size the work
    std::int32_t context_tokens_max = 0;
};

struct AttentionOptions {
    float scale = 1.0F;               // of the scores, usually 1/sqrt(head_dim)
    std::int32_t sliding_window = 0;  // a token sees the last `sliding_window` tokens, itself
                                      // counted; 0 for all
    float logit_softcap = 0.0F;       // scores become cap * tanh(score / cap); 0 for none
    ConstTensor alibi_slopes;         // [query heads]; adds -slope * distance; empty for none
};

class Backend {
public:
    virtual ~Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;

    [[nodiscard]] virtual const BackendInfo& info() const = 0;

    // --- memory ---------------------------------------------------------------------------
    // Aligned to kAlignment, contents undefined. kUnavailable when there is not enough.
    [[nodiscard]] virtual Result<Buffer> allocate(std::size_t bytes) = 0;
    // Between host and backend memory; `to` and `from` are contiguous and of the same byte size.
    virtual void upload(Tensor to, std::span<const std::byte> from) = 0;
    virtual void download(std::span<std::byte> to, ConstTensor from) = 0;
    // Contiguous tensors of the same type and shape.
    virtual void copy(Tensor to, ConstTensor from) = 0;
    virtual void synchronize() = 0;
    // Takes the scratch memory that ops need for steps of up to `rows` rows, `cols` being the
    // widest input of any linear. Ops beyond that still work, and allocate.
    [[nodiscard]] virtual Result<> reserve(std::int64_t rows, std::int64_t cols) = 0;

    // --- weights --------------------------------------------------------------------------
    // source.data may be mapped; it must outlive the Weight. Errors: kInvalidArgument for a shape
    // whose bytes do not add up, kUnimplemented for a dtype or arithmetic not offered here.
    [[nodiscard]] virtual Result<WeightPtr> prepare_linear(const WeightSource& source,
                                                           Arithmetic arithmetic) = 0;
    // For embedding(); rows are read in place where the backend can.
    [[nodiscard]] virtual Result<WeightPtr> prepare_embedding(const WeightSource& source) = 0;

    // --- ops on rows ----------------------------------------------------------------------
    // Y [m, n] = X [m, k] W^T + b, W [n, k] from prepare_linear. Y may be kF32 whatever the
    // activations are (logits).
    virtual void linear(Tensor y, ConstTensor x, const Weight& w, const LinearOptions& options) = 0;
    // Y [m, dim] = scale * table[ids[m]]; every id in [0, rows) (the caller has checked).
    virtual void embedding(Tensor y, const Weight& table, ConstTensor ids,
                           const EmbeddingOptions& options) = 0;
    // Y = (x - mean) / sqrt(var + eps) * weight + bias over the last dimension, x = X, or
    // X + residual where residual is given (post-norm: it is only read). bias may be empty.
    // In place on X or on residual.
    virtual void layer_norm(Tensor y, ConstTensor x, ConstTensor residual, ConstTensor weight,
                            ConstTensor bias, const NormOptions& options) = 0;
    // Y = x / sqrt(mean(x^2) + eps) * weight over the last dimension. Where residual is given,
    // first residual += X, and x = residual (pre-norm: it carries the stream). Rank 2, or rank 3
    // for norms of single heads. In place on X.
    virtual void rms_norm(Tensor y, ConstTensor x, Tensor residual, ConstTensor weight,
                          const NormOptions& options) = 0;
    // X [m, heads, head_dim] turned in place by its positions [m]; elements from rotary_dim on
    // stay.
    virtual void rope(Tensor x, ConstTensor positions, const RopeOptions& options) = 0;
    // Elementwise. In place on X (on gate).
    virtual void activate(Tensor y, ConstTensor x, Activation kind) = 0;
    virtual void gated_activate(Tensor y, ConstTensor gate, ConstTensor up, Activation kind) = 0;
    // Y = A + B; B has the shape of A or is one row for all. In place on A.
    virtual void add(Tensor y, ConstTensor a, ConstTensor b) = 0;
    // Y = factor * X. In place.
    virtual void scale(Tensor y, ConstTensor x, float factor) = 0;
    // Y = cap * tanh(X / cap) (Gemma 2's final logits). In place.
    virtual void softcap(Tensor y, ConstTensor x, float cap) = 0;
    // Softmax over the last dimension, largest first subtracted. In place.
    virtual void softmax(Tensor y, ConstTensor x) = 0;
    // Y [m, n] = X[rows[m]]: the positions whose logits are wanted, a CLS token.
    virtual void gather_rows(Tensor y, ConstTensor x, ConstTensor rows) = 0;
    // Y [sequences, n] = mean of rows starts[s] … starts[s+1]; starts kI32 [sequences + 1]; an
    // empty sequence gives zeros.
    virtual void mean_pool(Tensor y, ConstTensor x, ConstTensor starts) = 0;
    // Rows divided by max(norm, 1e-12). In place.
    virtual void l2_normalize(Tensor y, ConstTensor x) = 0;

    // --- attention ------------------------------------------------------------------------
    // kInvalidArgument for a shape out of range, kUnavailable without the memory.
    [[nodiscard]] virtual Result<std::unique_ptr<KvCache>> make_kv_cache(
        const KvCacheShape& shape) = 0;
    // Keys and values [m, kv_heads, head_dim] to their slots kI32 [m]: block * block_tokens +
    // offset; a negative slot is skipped.
    virtual void write_kv(KvCache& cache, std::int64_t layer, ConstTensor k, ConstTensor v,
                          ConstTensor slots) = 0;
    // Whole blocks in all layers, pairs on the host, in order (copy on write).
    struct BlockCopy {
        std::int32_t from = 0;
        std::int32_t to = 0;
    };
    virtual void copy_blocks(KvCache& cache, std::span<const BlockCopy> copies) = 0;
    // Causal attention of Q [m, heads, head_dim] to the cache, heads a multiple of kv_heads.
    // Out [m, heads, head_dim]. write_kv of the step's tokens came before.
    virtual void paged_attention(Tensor out, ConstTensor q, const KvCache& cache,
                                 std::int64_t layer, const PagedBatch& batch,
                                 const AttentionOptions& options) = 0;
    // Bidirectional attention within each of the sequences of rows starts[s] … starts[s+1],
    // without padding: Q [m, heads, head_dim], K and V [m, kv_heads, head_dim]. ALiBi by
    // |i - j|; a window sees `sliding_window` tokens to either side, itself counted. rows_max
    // bounds the longest sequence.
    virtual void encoder_attention(Tensor out, ConstTensor q, ConstTensor k, ConstTensor v,
                                   ConstTensor starts, std::int32_t rows_max,
                                   const AttentionOptions& options) = 0;

protected:
    Backend() = default;
};

}  // namespace heddle::compute
