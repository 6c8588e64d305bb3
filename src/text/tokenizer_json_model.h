// The model of a tokenizer.json: its vocabulary and what goes with it. Used by tokenizer_json.cpp
// alone.
#pragma once

#include <vector>

#include "base/result.h"
#include "text/added_tokens.h"
#include "text/json_fields.h"
#include "text/tokenizer_parts.h"

namespace heddle::text {

// Fills parts.model, and parts.pieces with the vocabulary and the added tokens.
[[nodiscard]] Result<void> read_model(const JsonObject& root, const std::vector<AddedToken>& added,
                                      bool byte_level, TokenizerParts& parts);

}  // namespace heddle::text
