// A random Llama of a few layers with a real tokenizer, as a Hugging Face folder. What it writes
// means nothing: tests over it check the mechanism, not the quality.
#pragma once

#include <memory>
#include <string>

#include "model/model_file_testing.h"
#include "service/local_model.h"

namespace heddle::service {

enum class TinyTokenizer {
    kByteLevel,      // GPT-2's kind, with ChatML's special tokens and template
    kSentencePiece,  // Llama 2's kind, which writes a space before every word
};

class TinyModel {
public:
    explicit TinyModel(TinyTokenizer tokenizer = TinyTokenizer::kByteLevel);

    // With little memory and few sequences; `change` may set more.
    [[nodiscard]] LocalModelOptions options() const;
    [[nodiscard]] std::shared_ptr<LocalModel> load(const LocalModelOptions& options) const;
    [[nodiscard]] std::shared_ptr<LocalModel> load() const { return load(options()); }

    [[nodiscard]] const model::TemporaryFolder& folder() const { return folder_; }

private:
    model::TemporaryFolder folder_;
};

}  // namespace heddle::service
