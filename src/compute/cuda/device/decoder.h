// A decoder-only language model on one GPU: its memory, its forward pass, and the steps in flight.
// The counterpart of model/decoder.h, with the operations fused as a GPU wants them.
//
// Up to kSkinnyRowsMax rows the products are our own, which read weights at memory speed and fold
// in norms, activation and residual sum; beyond that they are cuBLASLt's. Steps in which every
// sequence decodes are replayed as CUDA graphs, captured for a ladder of batch sizes.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "compute/cuda/device/decoder_weights.h"
#include "compute/cuda/device/device_memory.h"
#include "compute/cuda/device/kernels.h"
#include "compute/cuda/device/matrix_products.h"
#include "compute/cuda/device/step_inputs.h"

namespace heddle::compute::cuda {

// One thread at a time, except where DecoderWeights allows more.
class DeviceDecoder {
public:
    // Takes all memory; `memory` says what for. Throws with the arithmetic when it does not fit.
    DeviceDecoder(const HeddleCudaModel& model, const HeddleCudaLimits& limits,
                  HeddleCudaMemory& memory);
    ~DeviceDecoder();
    DeviceDecoder(const DeviceDecoder&) = delete;
    DeviceDecoder& operator=(const DeviceDecoder&) = delete;

    [[nodiscard]] DecoderWeights& weights() { return *weights_; }
    [[nodiscard]] cudaStream_t stream() const { return stream_; }
    [[nodiscard]] int device() const { return limits_.device; }

    void begin(HeddleCudaBegin& report);
    void submit(const HeddleCudaStep& step);
    void wait(HeddleCudaStepResult& result);

private:
    // The buffers that steps share; steps run one after another.
    struct Work {
        bf16* stream;    // [rows, hidden], the residual stream
        bf16* normed;    // [rows, hidden]
        bf16* update;    // [rows, hidden], with sandwich norms
        bf16* qkv;       // [rows, (heads + 2 kv_heads) head_dim]
        bf16* attended;  // [rows, heads head_dim]
        bf16* both;      // [rows, 2 intermediate]
        bf16* inner;     // [rows, intermediate]
        bf16* last;      // [samples, hidden]
        float* logits;   // [samples, vocabulary]
        std::int32_t* inputs;
        std::int32_t* kept;    // [slots], the token each slot keeps
        std::int32_t* chosen;  // [samples]
        SplitSpace split;
    };
    // A step between submit() and wait().
    struct Flight {
        PinnedMemory inputs, tokens, logits;
        cudaEvent_t begin = nullptr;
        cudaEvent_t end = nullptr;
        int samples = 0;
    };
    static constexpr int kFlights = 2;

    // decoder_memory.cu
    void take_work(DeviceMemory& memory);
    void fit(HeddleCudaMemory& memory);
    [[nodiscard]] std::uint64_t work_bytes() const;

    // decoder.cu
    void forward(const StepShape& shape);
    void attention(int index, const StepShape& shape, const InputPlaces& at);
    [[nodiscard]] RopeCall rope_call(int index, int rows, const InputPlaces& at) const;
    void attend(int index, const StepShape& shape, const InputPlaces& at, const RopeCall* rope);
    void mlp(int index, int rows);
    void choose(const StepShape& shape, const InputPlaces& at);
    void product(void* y, const bf16* x, const bf16* weight, const ProductShape& shape,
                 SkinnyEnd end, const float* norm);
    void norm(const float* weight, int rows, bool with_update);
    void post_norm(const float* weight, int rows);
    [[nodiscard]] bool norm_fused(int rows) const;
    [[nodiscard]] int splits(int decodes) const;

    // decoder_start.cu
    void tune(const std::vector<int>& batches);
    void tune_shape(int rows);
    void capture(int batch);
    [[nodiscard]] std::vector<int> ladder() const;

    // decoder_steps.cu
    void bring_host_logits(const HeddleCudaStep& step, Flight& flight);

    HeddleCudaModel model_;
    const HeddleCudaLimits limits_;
    std::vector<std::int32_t> windows_;
    std::int64_t block_count_ = 0;
    cudaStream_t stream_ = nullptr;
    DeviceMemory memory_;
    std::unique_ptr<DecoderWeights> weights_;
    std::unique_ptr<MatrixProducts> products_;
    Work work_{};
    bf16* keys_ = nullptr;  // [layers, blocks, kv_heads, block_tokens, head_dim]
    bf16* values_ = nullptr;
    std::map<int, cudaGraphExec_t> graphs_;
    std::array<Flight, kFlights> flights_;
    std::uint64_t submitted_ = 0;
    std::uint64_t waited_ = 0;
};

}  // namespace heddle::compute::cuda
