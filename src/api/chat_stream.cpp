#include "api/chat_stream.h"

#include <variant>

#include "api/answer_json.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "api/logprobs_json.h"

namespace heddle::api {
namespace {

// {"tool_calls":[{"index":0,"id":…,"type":"function","function":{"name":…,"arguments":…}}]}
void append_tool_calls(std::string& out, const std::vector<service::ToolCallDelta>& calls) {
    out += R"("tool_calls":[)";
    bool first = true;
    for (const service::ToolCallDelta& call : calls) {
        if (!first) out += ',';
        first = false;
        out += R"({"index":)" + std::to_string(call.index);
        if (!call.id.empty()) {
            out += R"(,"id":)";
            append_quoted(out, call.id);
            out += R"(,"type":"function")";
        }
        out += R"(,"function":{)";
        if (!call.name.empty()) {
            out += R"("name":)";
            append_quoted(out, call.name);
            out += ',';
        }
        out += R"("arguments":)";
        append_quoted(out, call.arguments);
        out += "}}";
    }
    out += ']';
}

}  // namespace

ChunkEncoder::ChunkEncoder(CompletionKind kind, std::string_view id, std::int64_t created_s,
                           std::string_view model, std::size_t choices, bool include_usage)
    : kind_(kind), include_usage_(include_usage), choices_(choices) {
    prefix_ = R"(data: {"id":)";
    append_quoted(prefix_, id);
    prefix_ += kind == CompletionKind::kChat ? R"(,"object":"chat.completion.chunk")"
                                             : R"(,"object":"text_completion")";
    prefix_ += R"(,"created":)" + std::to_string(created_s) + R"(,"model":)";
    append_quoted(prefix_, model);
}

void ChunkEncoder::append(std::string& out, const service::AnswerEvent& event) {
    if (const auto* sources = std::get_if<service::SourcesEvent>(&event)) {
        append_opening(out, 0, to_text(to_json(sources->sources)));
    } else if (const auto* delta = std::get_if<service::DeltaEvent>(&event)) {
        append_piece(out, *delta);
    } else if (const auto* usage = std::get_if<service::UsageEvent>(&event)) {
        usage_ = usage->usage;
    } else if (const auto* done = std::get_if<service::DoneEvent>(&event)) {
        append_done(out, done->finish_reason);
    } else if (const auto* error = std::get_if<service::ErrorEvent>(&event)) {
        append_error(out, error->error);
    }
}

// The first chunk of each chat answer names the role; a grounded answer's carries the sources.
void ChunkEncoder::append_opening(std::string& out, std::size_t choice,
                                  const std::string& sources_json) {
    if (choices_[choice].opened) return;
    choices_[choice].opened = true;
    if (kind_ == CompletionKind::kText && sources_json.empty()) return;
    out += prefix_;
    out += R"(,"choices":[{"index":)" + std::to_string(choice);
    out += kind_ == CompletionKind::kChat ? R"(,"delta":{"role":"assistant","content":""},)"
                                          : R"(,"text":"",)";
    out += R"("finish_reason":null}])";
    if (!sources_json.empty()) out += R"(,"heddle":{"sources":)" + sources_json + "}";
    out += "}\n\n";
}

void ChunkEncoder::append_piece(std::string& out, const service::TextPiece& piece) {
    if (piece.choice >= choices_.size() || choices_[piece.choice].finished) return;
    append_opening(out, piece.choice, "");
    service::TextPiece end;
    end.finish = piece.finish;
    const bool grows = !piece.text.empty() || !piece.tool_calls.empty() || !piece.tokens.empty();
    if (grows) append_choice(out, piece.choice, piece);
    if (piece.finish) append_choice(out, piece.choice, end);
}

// What grows an answer and what ends it leave in chunks of their own, as OpenAI's do.
void ChunkEncoder::append_choice(std::string& out, std::size_t choice,
                                 const service::TextPiece& piece) {
    const bool is_chat = kind_ == CompletionKind::kChat;
    const bool grows = !piece.text.empty() || !piece.tool_calls.empty() || !piece.tokens.empty();
    out += prefix_;
    out += R"(,"choices":[{"index":)" + std::to_string(choice);
    out += is_chat ? R"(,"delta":{)" : R"(,"text":)";
    if (!is_chat) {
        append_quoted(out, piece.text);
    } else if (!piece.text.empty() || (grows && piece.tool_calls.empty())) {
        out += R"("content":)";
        append_quoted(out, piece.text);
        if (!piece.tool_calls.empty()) out += ',';
    }
    if (is_chat && !piece.tool_calls.empty()) append_tool_calls(out, piece.tool_calls);
    if (is_chat) out += '}';
    if (!piece.tokens.empty()) {
        out += R"(,"logprobs":)";
        out += to_text(is_chat ? chat_logprobs(piece.tokens)
                               : text_logprobs(piece.tokens, choices_[choice].characters));
    }
    out += R"(,"finish_reason":)";
    if (piece.finish && !grows) {
        append_quoted(out, service::to_string(*piece.finish));
        choices_[choice].finished = true;
    } else {
        out += "null";
    }
    out += "}]}\n\n";
}

// Answers that did not say themselves how they ended did so for this reason.
void ChunkEncoder::append_done(std::string& out, service::FinishReason reason) {
    service::TextPiece end;
    end.finish = reason;
    for (std::size_t choice = 0; choice < choices_.size(); ++choice) {
        if (choices_[choice].finished) continue;
        append_opening(out, choice, "");
        append_choice(out, choice, end);
    }
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
