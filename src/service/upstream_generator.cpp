#include "service/upstream_generator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace heddle::service {
namespace {

FinishReason reason_of(std::string_view name) {
    if (name == "length") return FinishReason::kLength;
    if (name == "content_filter") return FinishReason::kContentFilter;
    if (name == "tool_calls") return FinishReason::kToolCalls;
    return FinishReason::kStop;
}

std::uint32_t estimate_tokens(std::string_view text) {
    std::uint64_t plain = 0;
    std::uint64_t other = 0;
    for (const char c : text) ++(static_cast<unsigned char>(c) < 0x80 ? plain : other);
    // A character of three bytes is rarely more than two tokens.
    const std::uint64_t tokens = plain / 3 + other * 2 / 3 + 1;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, UINT32_MAX));
}

using Fields = std::vector<std::pair<std::string, std::string>>;

void add_sampling(const SamplingOptions& sampling, bool is_chat, Fields& fields) {
    const auto add = [&](const char* name, const auto& value) {
        if (value) fields.emplace_back(name, fmt::format("{}", *value));
    };
    add("top_k", sampling.top_k);
    add("min_p", sampling.min_p);
    add("typical_p", sampling.typical_p);
    add("repetition_penalty", sampling.repetition_penalty);
    if (sampling.answers != 1) fields.emplace_back("n", std::to_string(sampling.answers));
    if (sampling.tokens_min > 0)
        fields.emplace_back("min_tokens", std::to_string(sampling.tokens_min));
    if (sampling.ignore_end) fields.emplace_back("ignore_eos", "true");
    if (!sampling.stop_ids.empty()) {
        fields.emplace_back("stop_token_ids",
                            fmt::format("[{}]", fmt::join(sampling.stop_ids, ",")));
    }
    if (!sampling.logit_bias.empty()) {
        std::vector<std::string> entries;
        for (const auto& [token, bias] : sampling.logit_bias)
            entries.push_back(fmt::format("\"{}\":{}", token, bias));
        fields.emplace_back("logit_bias", fmt::format("{{{}}}", fmt::join(entries, ",")));
    }
    if (!sampling.logprobs) return;
    const std::string top = std::to_string(sampling.top_logprobs);
    fields.emplace_back("logprobs", is_chat ? "true" : top);
    if (is_chat) fields.emplace_back("top_logprobs", top);
}

void add_tools(const ToolUse& use, Fields& fields) {
    if (use.tools.empty()) return;
    std::vector<std::string_view> definitions;
    for (const Tool& tool : use.tools) definitions.push_back(tool.definition);
    fields.emplace_back("tools", fmt::format("[{}]", fmt::join(definitions, ",")));
    if (!use.parallel) fields.emplace_back("parallel_tool_calls", "false");
    if (use.choice == ToolUse::Choice::kNone) fields.emplace_back("tool_choice", "\"none\"");
    if (use.choice != ToolUse::Choice::kRequired) return;
    fields.emplace_back("tool_choice",
                        use.only.empty()
                            ? "\"required\""
                            : fmt::format(R"({{"type":"function","function":{{"name":{}}}}})",
                                          upstream::json_string(use.only)));
}

// OpenAI's response_format where it can say it, else vLLM's structured_outputs.
void add_constraint(const Constraint& constraint, Fields& fields) {
    const auto structured = [&](const char* name, const std::string& value) {
        fields.emplace_back("structured_outputs", fmt::format(R"({{"{}":{}}})", name, value));
    };
    switch (constraint.kind) {
        case Constraint::Kind::kNone:
            return;
        case Constraint::Kind::kJsonObject:
            fields.emplace_back("response_format", R"({"type":"json_object"})");
            return;
        case Constraint::Kind::kJsonSchema:
            fields.emplace_back("response_format",
                                fmt::format(R"({{"type":"json_schema","json_schema":)"
                                            R"({{"name":"answer","strict":true,"schema":{}}}}})",
                                            constraint.source));
            return;
        case Constraint::Kind::kRegex:
            return structured("regex", upstream::json_string(constraint.source));
        case Constraint::Kind::kGrammar:
            return structured("grammar", upstream::json_string(constraint.source));
        case Constraint::Kind::kChoice: {
            std::vector<std::string> quoted;
            for (const std::string& text : constraint.choices)
                quoted.push_back(upstream::json_string(text));
            return structured("choice", fmt::format("[{}]", fmt::join(quoted, ",")));
        }
    }
}

upstream::ChatMessage wire_message(Message message) {
    upstream::ChatMessage out{std::string(to_string(message.role)), std::move(message.content)};
    out.tool_call_id = std::move(message.tool_call_id);
    for (ToolCall& call : message.tool_calls) {
        const auto index = static_cast<std::uint32_t>(out.tool_calls.size());
        out.tool_calls.push_back(
            {index, std::move(call.id), std::move(call.name), std::move(call.arguments)});
    }
    return out;
}

upstream::ChatCall wire_call(GenerateRequest request) {
    upstream::ChatCall call;
    call.model = std::move(request.model);
    for (Message& message : request.messages)
        call.messages.push_back(wire_message(std::move(message)));
    for (RawPrompt& prompt : request.prompts)
        call.prompts.push_back({std::move(prompt.text), std::move(prompt.tokens)});
    const SamplingOptions& sampling = request.sampling;
    call.temperature = sampling.temperature.value_or(kDefaultTemperature);
    call.top_p = sampling.top_p.value_or(1.0);
    call.tokens_max = sampling.tokens_max;
    call.seed = sampling.seed;
    call.stop = sampling.stop;
    call.presence_penalty = sampling.presence_penalty;
    call.frequency_penalty = sampling.frequency_penalty;
    add_sampling(sampling, request.prompts.empty(), call.fields);
    add_tools(request.tool_use, call.fields);
    add_constraint(request.constraint, call.fields);
    if (request.echo) call.fields.emplace_back("echo", "true");
    if (!request.template_arguments.empty())
        call.fields.emplace_back("chat_template_kwargs", std::move(request.template_arguments));
    return call;
}

TextPiece piece_of(upstream::ChoicePiece choice) {
    TextPiece piece;
    piece.choice = choice.index;
    piece.text = std::move(choice.text);
    for (upstream::ToolCallText& call : choice.tool_calls) {
        piece.tool_calls.push_back(
            {call.index, std::move(call.id), std::move(call.name), std::move(call.arguments)});
    }
    for (upstream::TokenLogprobs& token : choice.tokens) {
        TokenDetail detail{{std::move(token.token.bytes), token.token.logprob}, {}};
        for (upstream::TokenLogprob& other : token.top)
            detail.top.push_back({std::move(other.bytes), other.logprob});
        piece.tokens.push_back(std::move(detail));
    }
    if (!choice.finish_reason.empty()) piece.finish = reason_of(choice.finish_reason);
    return piece;
}

async::Task<bool> push_piece(std::shared_ptr<TextStream> out, TextPiece piece) {
    co_return co_await out->push(std::move(piece));
}

}  // namespace

UpstreamGenerator::UpstreamGenerator(std::shared_ptr<upstream::OpenAiClient> client,
                                     std::string preferred)
    : client_(std::move(client)), preferred_(std::move(preferred)) {
    if (!preferred_.empty()) models_.push_back({.id = preferred_, .owned_by = client_->host()});
}

async::Task<Result<>> UpstreamGenerator::refresh() {
    auto found = co_await client_->models(async::Deadline::after(std::chrono::seconds(10)));
    if (!found) {
        log::warn("upstream", "models could not be listed",
                  {{"host", client_->host()}, {"error", found.error().message()}});
        co_return fail(std::move(found).error());
    }
    std::vector<ModelInfo> models;
    for (upstream::UpstreamModel& model : *found) {
        models.push_back({.id = std::move(model.id),
                          .owned_by = client_->host(),
                          .created_s = model.created_s,
                          .context_tokens = model.context_tokens});
    }
    std::stable_partition(models.begin(), models.end(),
                          [&](const ModelInfo& model) { return model.id == preferred_; });
    const std::lock_guard lock(mutex_);
    models_ = std::move(models);
    co_return Result<>();
}

std::vector<ModelInfo> UpstreamGenerator::models() const {
    const std::lock_guard lock(mutex_);
    return models_;
}

std::uint32_t UpstreamGenerator::count_tokens(const std::string&, std::string_view text) const {
    return estimate_tokens(text);
}

async::Task<Result<Completion>> UpstreamGenerator::generate(GenerateRequest request,
                                                            std::shared_ptr<TextStream> out) {
    const async::Deadline deadline = request.deadline;
    const upstream::PieceSink sink = [out](upstream::ChoicePiece choice) {
        return push_piece(out, piece_of(std::move(choice)));
    };
    HEDDLE_CO_TRY(const upstream::ChatResult result,
                  co_await client_->chat(wire_call(std::move(request)), sink, deadline));
    const upstream::ChatUsage& usage = result.usage;
    co_return Completion{reason_of(result.finish_reason),
                         {usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens}};
}

}  // namespace heddle::service
