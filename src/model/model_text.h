// The text side of a model's files: its tokenizer and its chat template.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "model/model_files.h"
#include "text/tokenizer.h"
#include "text/tokenizer_vocabulary.h"

namespace heddle::model {

// From tokenizer.json (and tokenizer_config.json) or from GGUF's metadata. Any thread may use it.
[[nodiscard]] Result<std::shared_ptr<const text::Tokenizer>> load_tokenizer(
    const ModelFiles& files);

// The `tokenizer.ggml.*` keys of a file, unchecked but for their types.
[[nodiscard]] Result<text::VocabularyData> read_vocabulary(const GgufFile& gguf);

struct ChatTemplateText {
    std::string plain;  // empty when the model has none
    std::string tools;  // a template of its own for requests with tools; empty for most
};

// chat_template.jinja, or chat_template in tokenizer_config.json (one text or several with
// names), or GGUF's tokenizer.chat_template.
[[nodiscard]] Result<ChatTemplateText> load_chat_template(const ModelFiles& files);

}  // namespace heddle::model
