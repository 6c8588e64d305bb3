// Just enough of GGUF (v3, little endian) to take the vocabulary out of a file, for tests of the
// vocabularies of real models.
#pragma once

#include <string>

#include "text/tokenizer_vocabulary.h"

namespace heddle::text {

// Fails the test that calls it when the file is not as expected.
[[nodiscard]] VocabularyData read_gguf_vocabulary(const std::string& path);

}  // namespace heddle::text
