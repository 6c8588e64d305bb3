// The body of POST /generate/text and the first message of /generate/text/ws.
#pragma once

#include <string_view>

#include "api/endpoint.h"
#include "api/json_body.h"

namespace heddle::api {

struct GenerateTextRequest {
    service::AnswerRequest answer;
    bool stream = false;
};

[[nodiscard]] Result<GenerateTextRequest> decode_generate_text(const JsonBody& body,
                                                               const Context& context,
                                                               const service::Identity& identity);

// Fields that ground an answer: "collection", "documents", "limit", "score_threshold".
[[nodiscard]] Result<> decode_grounding(const JsonObject& object,
                                        service::GroundingOptions& grounding);

// A collection's name: 1 to 64 of A–Z a–z 0–9 _ -.
[[nodiscard]] bool is_collection_name(std::string_view name);

extern const std::string_view kGenerateTextSchema;

}  // namespace heddle::api
