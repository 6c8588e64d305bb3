// Which language a document is in, and whether the embedder was made for it: a model for English
// gives vectors for every text, and finds nothing by them in Chinese.
#pragma once

#include <string>
#include <string_view>

namespace heddle::service {

// "en", "de", "zh", …: by script, and for scripts of many languages by their commonest words; empty
// when it cannot be told. Looks at the first 64 KB. Pure.
[[nodiscard]] std::string language_of(std::string_view text);

// By the model's name: multilingual ones serve all, "bge-small-zh" Chinese and English, others
// English. True for the language "".
[[nodiscard]] bool embedder_serves(std::string_view embedder, std::string_view language);

// What the owner is told; empty when all is well.
[[nodiscard]] std::string language_warning(std::string_view text, std::string_view embedder);

}  // namespace heddle::service
