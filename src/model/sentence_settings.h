// What a sentence-transformers folder says beyond the transformer: how token states become one
// vector, how long an input may be, and the words that some models want in front of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace heddle::model {

enum class Pooling { kMean, kCls };

struct SentenceSettings {
    Pooling pooling = Pooling::kMean;
    bool normalize = false;
    std::int64_t tokens_max = 0;  // special tokens included; 0 when not stated
    std::string query_prompt;     // "query: " for E5; empty for most
    std::string passage_prompt;
};

// modules.json, the pooling module's config.json, sentence_bert_config.json and
// config_sentence_transformers.json; what is missing keeps its default, as sentence-transformers
// has it. kUnimplemented for a module or a pooling that is not built.
[[nodiscard]] Result<SentenceSettings> load_sentence_settings(const std::filesystem::path& folder);

}  // namespace heddle::model
