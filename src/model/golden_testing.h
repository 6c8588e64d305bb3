// Tiny random models whose outputs transformers computed (tests/golden/make_model_goldens.py).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_file_testing.h"

namespace heddle::model {

struct GoldenInput {
    std::vector<std::int32_t> ids;
    std::size_t second_segment = 0;
};

struct Golden {
    std::string config;  // the text of config.json
    struct TensorShape {
        std::string name;
        std::vector<std::int64_t> shape;
    };
    std::vector<TensorShape> tensors;
    std::uint8_t salt = 0;

    std::vector<std::vector<std::int32_t>> prompts;  // decoders
    std::vector<std::vector<float>> logits;          // of each prompt's first and last greedy token
    std::vector<std::vector<std::int32_t>> greedy;

    std::vector<GoldenInput> inputs;         // encoders
    std::vector<std::vector<float>> states;  // of each input's first and last token
    std::vector<std::vector<float>> scores;
};

[[nodiscard]] Golden load_golden(std::string_view name);

// The values of a tensor, the same as in the script.
[[nodiscard]] std::vector<float> random_weights(std::string_view name,
                                                const std::vector<std::int64_t>& shape,
                                                std::uint8_t salt);

// config.json and model.safetensors in `folder`.
void write_model(const Golden& golden, const TemporaryFolder& folder);

// The largest difference over the largest magnitude of `expected`.
[[nodiscard]] double relative_error(const std::vector<float>& actual,
                                    const std::vector<float>& expected);

}  // namespace heddle::model
