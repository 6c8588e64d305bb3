// A decoder that lives on a GPU as a whole, through the CUDA module. The counterpart of Decoder
// for devices whose forward pass is their own: the model's files go in, steps and tokens go to
// and fro.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "compute/cuda/module.h"
#include "model/decoder_traits.h"
#include "model/model_files.h"

namespace heddle::model {

struct DeviceDecoderOptions {
    int device = 0;
    std::int64_t rows_max = 8'192;  // of one step
    std::int64_t sequences_max = 256;
    std::int64_t context_max = 0;  // 0: all that the model was made for
    std::int64_t token_count = 0;  // that the tokenizer has; 0: the model's whole vocabulary
    std::int64_t block_tokens = 64;
    std::int64_t block_count = 0;  // 0: as many as the memory holds
    double memory_fraction = 0.9;  // of the device's memory
    bool graphs = true;
    bool tune = true;
    int loader_threads = 4;
};

struct DeviceDecoderStart {
    HeddleCudaMemory memory{};
    HeddleCudaBegin begin{};
    double load_s = 0;
};

// Belongs to one thread at a time.
class DeviceDecoder {
public:
    // kUnavailable without a device or when the model does not fit (the message has the
    // arithmetic), kUnimplemented for a model that the device's kernels do not cover.
    static Result<std::unique_ptr<DeviceDecoder>> load(
        std::shared_ptr<const ModelFiles> files,
        std::shared_ptr<const compute::cuda::Module> module, const DeviceDecoderOptions& options);
    // The same with random weights, without files.
    static Result<std::unique_ptr<DeviceDecoder>> random(
        const ModelConfig& config, std::shared_ptr<const compute::cuda::Module> module,
        const DeviceDecoderOptions& options);
    ~DeviceDecoder();
    DeviceDecoder(const DeviceDecoder&) = delete;
    DeviceDecoder& operator=(const DeviceDecoder&) = delete;

    [[nodiscard]] const DeviceDecoderOptions& options() const { return options_; }
    [[nodiscard]] const DeviceDecoderStart& start() const { return start_; }
    [[nodiscard]] std::int64_t block_count() const { return start_.memory.block_count; }
    [[nodiscard]] std::int64_t vocabulary() const { return vocabulary_; }

    // device_api.h has the rules. kInternal when the device failed.
    [[nodiscard]] Result<> submit(const HeddleCudaStep& step);
    [[nodiscard]] Result<HeddleCudaStepResult> wait();

private:
    DeviceDecoder(std::shared_ptr<const compute::cuda::Module> module,
                  const DeviceDecoderOptions& options, std::int64_t vocabulary)
        : module_(std::move(module)), options_(options), vocabulary_(vocabulary) {}

    Result<> open(const ModelConfig& config, const DecoderTraits& traits, bool tied_output);
    Result<> begin();

    const std::shared_ptr<const compute::cuda::Module> module_;
    DeviceDecoderOptions options_;
    std::int64_t vocabulary_;
    HeddleCudaDecoder* decoder_ = nullptr;
    DeviceDecoderStart start_;
};

}  // namespace heddle::model
