// The probabilities of an answer's tokens as OpenAI writes them, in either interface's shape.
#pragma once

#include <cstddef>
#include <vector>

#include <nlohmann/json.hpp>

#include "service/generator.h"

namespace heddle::api {

// {"content": [{"token", "logprob", "bytes", "top_logprobs": [{"token", "logprob", "bytes"}]}]}
[[nodiscard]] nlohmann::json chat_logprobs(const std::vector<service::TokenDetail>& tokens);

// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}. `offset` counts the characters of
// the answer from its beginning and moves on by these tokens'.
[[nodiscard]] nlohmann::json text_logprobs(const std::vector<service::TokenDetail>& tokens,
                                           std::size_t& offset);

}  // namespace heddle::api
