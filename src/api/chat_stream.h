// The streams of /v1/chat/completions and /v1/completions: chunks whose fixed parts are made once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/answerer.h"

namespace heddle::api {

enum class CompletionKind { kChat, kText };

class ChunkEncoder {
public:
    ChunkEncoder(CompletionKind kind, std::string_view id, std::int64_t created_s,
                 std::string_view model, bool include_usage);

    // Appends what the event becomes: nothing, a chunk, or several with the final [DONE].
    void append(std::string& out, const service::AnswerEvent& event);

private:
    void append_delta(std::string& out, std::string_view text);
    void append_opening(std::string& out, const std::string& sources_json);
    void append_usage(std::string& out);
    void append_done(std::string& out, service::FinishReason reason);
    void append_error(std::string& out, const Error& error);

    const CompletionKind kind_;
    const bool include_usage_;
    std::string prefix_;  // `data: {"id":…,"object":…,"created":…,"model":…`
    service::Usage usage_;
    bool opened_ = false;
};

}  // namespace heddle::api
