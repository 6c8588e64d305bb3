// Models of a known shape with random weights, as GGUF files: speed and memory do not depend on
// what the weights say, so that measuring needs no trained model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "compute/dtype.h"

namespace heddle::model {

struct ModelShape {
    std::string_view name;
    std::int64_t hidden = 0;
    std::int64_t intermediate = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t vocabulary = 0;
    std::int64_t context = 0;
};

// Llamas only.
[[nodiscard]] std::span<const ModelShape> model_shapes();
// kNotFound, naming the shapes that are known.
[[nodiscard]] Result<ModelShape> find_shape(std::string_view name);

// Writes GGUF v3 with a made-up SentencePiece vocabulary (bytes, then pieces of letters). Matrices
// are of `dtype`: f32, f16, bf16, q8_0 or q4_K; as llama.cpp's quantiser does, q4_K keeps the
// output in q6_K. The same seed gives the same file. kIo, kInvalidArgument for another dtype.
[[nodiscard]] Result<> write_random_model(const std::filesystem::path& path,
                                          const ModelShape& shape, compute::DType dtype,
                                          std::uint64_t seed);

}  // namespace heddle::model
