// The fields by which a client says how tokens are chosen: OpenAI's, and vLLM's where it has none.
#pragma once

#include <initializer_list>
#include <string_view>

#include "api/json_body.h"
#include "service/conversation.h"

namespace heddle::api {

// Everything but logprobs, which the two interfaces ask for differently.
[[nodiscard]] Result<service::SamplingOptions> decode_sampling(const JsonObject& object);

// Fails, naming the field, when one of `names` is there and asks for something: what is not
// honoured is refused instead of being ignored. null, false and what is empty ask for nothing.
[[nodiscard]] Result<> refuse_unsupported(const JsonObject& object,
                                          std::initializer_list<std::string_view> names);

[[nodiscard]] tl::unexpected<Error> unsupported_field(const JsonObject& object,
                                                      std::string_view name);

}  // namespace heddle::api
