// The JSON of OpenAI's API as a client sees it (platform reference, chat completions, completions
// and embeddings). Servers differ: unknown fields are ignored, missing ones tolerated where the
// meaning stays clear. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heddle::upstream {

struct ToolCallText {
    std::uint32_t index = 0;  // of the call within its answer
    std::string id;
    std::string name;
    std::string arguments;  // JSON text; in a stream a part of it
};

struct ChatMessage {
    std::string role;  // system | user | assistant | tool
    std::string content;
    std::vector<ToolCallText> tool_calls = {};  // an assistant's
    std::string tool_call_id = {};              // a tool's
};

struct TextPrompt {
    std::string text;
    std::vector<std::int32_t> tokens;  // in place of the text, when not empty
};

struct ChatCall {
    std::string model;
    std::vector<ChatMessage> messages;
    std::vector<TextPrompt> prompts;  // not empty: /completions is asked, without messages
    double temperature = 0.7;
    double top_p = 1.0;
    std::optional<std::uint32_t> tokens_max;
    std::optional<std::uint64_t> seed;
    std::vector<std::string> stop;
    double presence_penalty = 0.0;
    double frequency_penalty = 0.0;
    // Further fields as they are sent: name and valid JSON.
    std::vector<std::pair<std::string, std::string>> fields;
};

struct ChatUsage {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
    std::uint64_t cached_tokens = 0;
};

struct TokenLogprob {
    std::string bytes;
    float logprob = 0;
};
struct TokenLogprobs {
    TokenLogprob token;
    std::vector<TokenLogprob> top;
};

// What one event adds to one of the answers.
struct ChoicePiece {
    std::uint32_t index = 0;
    std::string text;
    std::vector<ToolCallText> tool_calls;
    std::vector<TokenLogprobs> tokens;
    std::string finish_reason;  // empty until the end

    [[nodiscard]] bool empty() const {
        return text.empty() && tool_calls.empty() && tokens.empty() && finish_reason.empty();
    }
};

// One event of the stream, or the body of a plain answer.
struct ChatPiece {
    std::vector<ChoicePiece> choices;
    std::optional<ChatUsage> usage;
    std::string error;  // a server that fails in mid-stream says so in an event
};

struct UpstreamModel {
    std::string id;
    std::uint64_t created_s = 0;
    std::uint32_t context_tokens = 0;  // vLLM's max_model_len; 0 when not told
};

// The body for /chat/completions, or for /completions where the call has prompts.
[[nodiscard]] std::string encode_chat(const ChatCall& call, bool stream);
// A text as a JSON string, for ChatCall::fields.
[[nodiscard]] std::string json_string(std::string_view text);
[[nodiscard]] std::string encode_embeddings(const std::string& model,
                                            const std::vector<std::string>& inputs);

// kUpstream when the bytes are not what the API promises.
// An event of a stream, or a whole body: they differ in names only.
[[nodiscard]] Result<ChatPiece> decode_chat(std::string_view data);
[[nodiscard]] Result<std::vector<UpstreamModel>> decode_models(std::string_view body);
// `count` vectors, in the order of their inputs, all of one length and finite.
[[nodiscard]] Result<std::vector<std::vector<float>>> decode_embeddings(std::string_view body,
                                                                        std::size_t count);

// A status that is not 2xx → the error our client gets. `body` is looked at for the machine
// readable code only.
[[nodiscard]] Error error_of_status(int status, std::string_view body, int retry_after_s);

}  // namespace heddle::upstream
