// How the makers of a model recommend to sample from it: generation_config.json of a Hugging Face
// folder. GGUF files say nothing about it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "model/model_files.h"

namespace heddle::model {

// Absent: nothing is recommended.
struct GenerationDefaults {
    std::optional<double> temperature;
    std::optional<double> top_p;
    std::optional<std::int64_t> top_k;
    std::optional<double> min_p;
    std::optional<double> repetition_penalty;
};

// kCorrupt for a value that cannot be one.
[[nodiscard]] Result<GenerationDefaults> load_generation_defaults(const ModelFiles& files);

}  // namespace heddle::model
