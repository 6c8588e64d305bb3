// Weights on their way to a device: matrices become bf16, whatever they are stored in, and go
// through the module's pinned memory from several threads.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "compute/cuda/device_api.h"
#include "model/config.h"
#include "model/decoder_tensors.h"

namespace heddle::model {

struct DeviceUpload {
    const HeddleCudaApi& api;
    HeddleCudaDecoder* decoder;
    bool norm_unit_offset;  // norms multiply by 1 + w
    int threads;

    // kUnimplemented for biases where the device has none.
    [[nodiscard]] Result<> tensors(const DecoderTensors& tensors) const;
    [[nodiscard]] Result<> frequencies(const ModelConfig& config, std::int64_t context) const;

private:
    struct Matrix;

    [[nodiscard]] Result<> matrix(const Matrix& matrix) const;
    [[nodiscard]] Result<> vectors(const DecoderLayerTensors& layer, std::int32_t index) const;
    [[nodiscard]] Result<> vector(HeddleCudaVector which, std::int32_t layer,
                                  const std::vector<float>& values) const;
    [[nodiscard]] Result<> norm(HeddleCudaVector which, std::int32_t layer,
                                std::vector<float> values) const;
};

}  // namespace heddle::model
