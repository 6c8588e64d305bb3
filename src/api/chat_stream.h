// The streams of /v1/chat/completions and /v1/completions: chunks whose fixed parts are made once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/answerer.h"

namespace heddle::api {

enum class CompletionKind { kChat, kText };

class ChunkEncoder {
public:
    // `choices`: the answers that were asked for.
    ChunkEncoder(CompletionKind kind, std::string_view id, std::int64_t created_s,
                 std::string_view model, std::size_t choices, bool include_usage);

    // Appends what the event becomes: nothing, a chunk, or several with the final [DONE].
    void append(std::string& out, const service::AnswerEvent& event);

private:
    struct Choice {
        bool opened = false;
        bool finished = false;
        std::size_t characters = 0;  // for text_offset
    };

    void append_piece(std::string& out, const service::TextPiece& piece);
    void append_opening(std::string& out, std::size_t choice, const std::string& sources_json);
    void append_choice(std::string& out, std::size_t choice, const service::TextPiece& piece);
    void append_usage(std::string& out);
    void append_done(std::string& out, service::FinishReason reason);
    void append_error(std::string& out, const Error& error);

    const CompletionKind kind_;
    const bool include_usage_;
    std::string prefix_;  // `data: {"id":…,"object":…,"created":…,"model":…`
    std::vector<Choice> choices_;
    service::Usage usage_;
};

}  // namespace heddle::api
