// A model on disk, whichever way it is packed: a Hugging Face folder or one GGUF file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/config.h"
#include "model/decoder_traits.h"
#include "model/gguf.h"
#include "model/stored_tensor.h"

namespace heddle::model {

// Immutable; whatever was loaded from it keeps it alive.
class ModelFiles {
public:
    // A folder with config.json and safetensors, or a file with GGUF's magic.
    static Result<std::shared_ptr<const ModelFiles>> open(const std::filesystem::path& path);

    [[nodiscard]] FileFormat format() const {
        return gguf_ ? FileFormat::kGguf : FileFormat::kHuggingFace;
    }
    [[nodiscard]] const ModelConfig& config() const { return config_; }
    [[nodiscard]] const StoredTensors& tensors() const {
        return gguf_ ? gguf_->tensors() : tensors_;
    }
    // Null for a folder.
    [[nodiscard]] const GgufFile* gguf() const { return gguf_ ? &*gguf_ : nullptr; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    ModelFiles() = default;

    std::filesystem::path path_;
    ModelConfig config_;
    StoredTensors tensors_;
    std::optional<GgufFile> gguf_;
};

}  // namespace heddle::model
