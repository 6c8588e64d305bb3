// The stages of a tokenizer.json around its model. Used by tokenizer_json.cpp alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/decoder.h"
#include "text/json_fields.h"
#include "text/normalizer.h"
#include "text/post_template.h"
#include "text/pretokenizer.h"
#include "text/vocabulary.h"

namespace heddle::text {

// A stage and its type.
struct JsonStage {
    JsonObject object;
    std::string type;
};

// `kind` names what it is in errors.
[[nodiscard]] Result<JsonStage> read_stage(const JsonElement& element, std::string_view kind);
[[nodiscard]] tl::unexpected<Error> unknown_stage(std::string_view kind, std::string_view type);

// Null where there is none.
[[nodiscard]] Result<NormalizerPtr> read_normalizer(std::optional<JsonElement> stage);
[[nodiscard]] Result<PreTokenizerPtr> read_pretokenizer(std::optional<JsonElement> stage);
// Whether words are bytes to the model. Nothing may follow the stage that makes them so.
[[nodiscard]] Result<bool> is_byte_level(std::optional<JsonElement> pretokenizer);
[[nodiscard]] Result<DecoderPtr> read_decoder(std::optional<JsonElement> stage);
[[nodiscard]] Result<PostTemplate> read_post_template(std::optional<JsonElement> stage,
                                                      const Vocabulary& pieces);

}  // namespace heddle::text
