#include "api/chat_stream.h"

#include <variant>

#include "api/answer_json.h"
#include "api/error_response.h"
#include "api/json_text.h"

namespace heddle::api {

ChunkEncoder::ChunkEncoder(CompletionKind kind, std::string_view id, std::int64_t created_s,
                           std::string_view model, bool include_usage)
    : kind_(kind), include_usage_(include_usage) {
    prefix_ = R"(data: {"id":)";
    append_quoted(prefix_, id);
    prefix_ += kind == CompletionKind::kChat ? R"(,"object":"chat.completion.chunk")"
                                             : R"(,"object":"text_completion")";
    prefix_ += R"(,"created":)" + std::to_string(created_s) + R"(,"model":)";
    append_quoted(prefix_, model);
}

void ChunkEncoder::append(std::string& out, const service::AnswerEvent& event) {
    if (const auto* sources = std::get_if<service::SourcesEvent>(&event)) {
        append_opening(out, to_text(to_json(sources->sources)));
    } else if (const auto* delta = std::get_if<service::DeltaEvent>(&event)) {
        append_delta(out, delta->text);
    } else if (const auto* usage = std::get_if<service::UsageEvent>(&event)) {
        usage_ = usage->usage;
    } else if (const auto* done = std::get_if<service::DoneEvent>(&event)) {
        append_done(out, done->finish_reason);
    } else if (const auto* error = std::get_if<service::ErrorEvent>(&event)) {
        append_error(out, error->error);
    }
}

// The first chunk of a chat names the role; a grounded answer's carries the sources.
void ChunkEncoder::append_opening(std::string& out, const std::string& sources_json) {
    if (opened_) return;
    opened_ = true;
    if (kind_ == CompletionKind::kText && sources_json.empty()) return;
    out += prefix_;
    out += kind_ == CompletionKind::kChat
               ? R"(,"choices":[{"index":0,"delta":{"role":"assistant","content":""},)"
               : R"(,"choices":[{"index":0,"text":"",)";
    out += R"("finish_reason":null}])";
    if (!sources_json.empty()) out += R"(,"heddle":{"sources":)" + sources_json + "}";
    out += "}\n\n";
}

void ChunkEncoder::append_delta(std::string& out, std::string_view text) {
    append_opening(out, "");
    out += prefix_;
    const bool is_chat = kind_ == CompletionKind::kChat;
    out += is_chat ? R"(,"choices":[{"index":0,"delta":{"content":)"
                   : R"(,"choices":[{"index":0,"text":)";
    append_quoted(out, text);
    out += is_chat ? R"(},"finish_reason":null}]})" : R"(,"finish_reason":null}]})";
    out += "\n\n";
}

void ChunkEncoder::append_done(std::string& out, service::FinishReason reason) {
    append_opening(out, "");
    out += prefix_;
    out += kind_ == CompletionKind::kChat ? R"(,"choices":[{"index":0,"delta":{},"finish_reason":)"
                                          : R"(,"choices":[{"index":0,"text":"","finish_reason":)";
    append_quoted(out, service::to_string(reason));
    out += "}]}\n\n";
    if (include_usage_) append_usage(out);
    out += "data: [DONE]\n\n";
}

void ChunkEncoder::append_usage(std::string& out) {
    out += prefix_;
    out += R"(,"choices":[],"usage":)" + to_text(to_json(usage_)) + "}\n\n";
}

void ChunkEncoder::append_error(std::string& out, const Error& error) {
    out += "data: " + error_body("/v1/", error) + "\n\n";
}

}  // namespace heddle::api
