// The JSON of OpenAI's API as a client sees it (platform reference, chat completions and
// embeddings). Servers differ: unknown fields are ignored, missing ones tolerated where the
// meaning stays clear. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::upstream {

struct ChatMessage {
    std::string role;  // system | user | assistant | tool
    std::string content;
};

struct ChatCall {
    std::string model;
    std::vector<ChatMessage> messages;
    double temperature = 0.7;
    double top_p = 1.0;
    std::optional<std::uint32_t> tokens_max;
    std::optional<std::uint64_t> seed;
    std::vector<std::string> stop;
    double presence_penalty = 0.0;
    double frequency_penalty = 0.0;
};

struct ChatUsage {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
};

// What one event of the stream (or the body of a plain answer) adds.
struct ChatPiece {
    std::string text;
    std::string finish_reason;  // empty until the end
    std::optional<ChatUsage> usage;
    std::string error;  // a server that fails in mid-stream says so in an event
};

struct UpstreamModel {
    std::string id;
    std::uint64_t created_s = 0;
    std::uint32_t context_tokens = 0;  // vLLM's max_model_len; 0 when not told
};

[[nodiscard]] std::string encode_chat(const ChatCall& call, bool stream);
[[nodiscard]] std::string encode_embeddings(const std::string& model,
                                            const std::vector<std::string>& inputs);

// kUpstream when the bytes are not what the API promises.
[[nodiscard]] Result<ChatPiece> decode_chat_event(std::string_view data);
[[nodiscard]] Result<ChatPiece> decode_chat_body(std::string_view body);
[[nodiscard]] Result<std::vector<UpstreamModel>> decode_models(std::string_view body);
// `count` vectors, in the order of their inputs, all of one length and finite.
[[nodiscard]] Result<std::vector<std::vector<float>>> decode_embeddings(std::string_view body,
                                                                        std::size_t count);

// A status that is not 2xx → the error our client gets. `body` is looked at for the machine
// readable code only.
[[nodiscard]] Error error_of_status(int status, std::string_view body, int retry_after_s);

}  // namespace heddle::upstream
