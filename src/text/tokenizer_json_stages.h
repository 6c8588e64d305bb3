// The stages of a tokenizer.json around its model. Used by tokenizer_json.cpp alone.
#pragma once

#include <optional>

#include "base/result.h"
#include "text/decoder.h"
#include "text/json_fields.h"
#include "text/normalizer.h"
#include "text/post_template.h"
#include "text/pretokenizer.h"
#include "text/vocabulary.h"

namespace heddle::text {

// Null where there is none.
[[nodiscard]] Result<NormalizerPtr> read_normalizer(std::optional<JsonElement> stage);
[[nodiscard]] Result<PreTokenizerPtr> read_pretokenizer(std::optional<JsonElement> stage);
[[nodiscard]] Result<DecoderPtr> read_decoder(std::optional<JsonElement> stage);
[[nodiscard]] Result<PostTemplate> read_post_template(std::optional<JsonElement> stage,
                                                      const Vocabulary& pieces);

}  // namespace heddle::text
