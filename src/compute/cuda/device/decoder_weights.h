// A decoder's weights on the device: queries, keys and values as one matrix, gate and up as one in
// turns of eight rows, so that a fused kernel holds both halves of its products.
#pragma once

#include <cuda_runtime_api.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "compute/cuda/device/device_memory.h"
#include "compute/cuda/device/kernels.h"

namespace heddle::compute::cuda {

struct DeviceLayer {
    bf16* qkv = nullptr;
    bf16* attention_output = nullptr;
    bf16* gate_up = nullptr;
    bf16* down = nullptr;
    float* attention_norm = nullptr;
    float* attention_post_norm = nullptr;
    float* mlp_norm = nullptr;
    float* mlp_post_norm = nullptr;
    float* query_norm = nullptr;
    float* key_norm = nullptr;
    float* qkv_bias = nullptr;  // null until put
};

class DecoderWeights {
public:
    DecoderWeights(const HeddleCudaModel& model, DeviceMemory& memory);
    ~DecoderWeights();
    DecoderWeights(const DecoderWeights&) = delete;
    DecoderWeights& operator=(const DecoderWeights&) = delete;

    [[nodiscard]] static std::uint64_t bytes(const HeddleCudaModel& model);

    void put_rows(HeddleCudaMatrix matrix, int layer, int first, int count,
                  const std::uint16_t* rows);
    void put_vector(HeddleCudaVector vector, int layer, int count, const float* values);
    void fill_random(std::uint64_t seed, cudaStream_t stream);
    // Waits for the copies and lets go of what they needed; makes the table of rotations.
    void finish(cudaStream_t stream);

    bf16* embeddings = nullptr;
    bf16* output = nullptr;
    float* final_norm = nullptr;
    std::vector<DeviceLayer> layers;
    float2* turns = nullptr;
    float2* local_turns = nullptr;  // of layers with a window; null: as the others

private:
    // A piece of pinned memory and the stream that empties it.
    struct Staging {
        PinnedMemory memory;
        cudaStream_t stream = nullptr;
        bool taken = false;
    };
    struct Target {
        bf16* base = nullptr;
        int rows = 0;
        int columns = 0;
        bool interleaved = false;
        bool second = false;  // the up half
    };

    [[nodiscard]] Target target(HeddleCudaMatrix matrix, int layer) const;
    Staging& acquire();
    void release(Staging& staging);
    float* vector_place(HeddleCudaVector vector, int layer, int count);

    const HeddleCudaModel model_;
    DeviceMemory& memory_;
    float* frequencies_ = nullptr;
    float* local_frequencies_ = nullptr;
    float attention_factor_ = 1;

    std::mutex mutex_;  // also of vectors that come late
    std::condition_variable released_;
    std::vector<Staging> stagings_;  // guarded by mutex_
};

}  // namespace heddle::compute::cuda
