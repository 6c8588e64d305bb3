#include "service/local_answer.h"

#include <array>
#include <utility>

#include "base/random.h"

namespace heddle::service {
namespace {

// Nine letters and digits: what Mistral's templates insist on and others do not mind.
std::string new_call_id() {
    constexpr std::string_view kAlphabet =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::array<std::byte, 9> random{};
    secure_random(random);
    std::string id;
    for (const std::byte byte : random)
        id += kAlphabet[static_cast<std::size_t>(byte) % kAlphabet.size()];
    return id;
}

}  // namespace

LocalAnswer::LocalAnswer(const LocalModel& model, const LocalAnswerOptions& options)
    : model_(model), options_(options), at_beginning_(!options.continues_text) {
    if (options.tool_style) parser_.emplace(*options.tool_style);
}

// SentencePiece writes the space before a word into the word; at the beginning of a text there is
// none.
void LocalAnswer::drop_leading_space(engine::GenerationEvent& event) {
    if (!at_beginning_ || event.text.empty()) return;
    at_beginning_ = false;
    if (event.text.front() != ' ') return;
    for (const engine::GeneratedToken& generated : event.tokens) {
        const std::string within = model_.tokenizer().token_bytes(generated.token);
        if (within.empty()) continue;
        const std::string first = model_.tokenizer().first_token_bytes(generated.token);
        if (within.size() == first.size() + 1 && within.substr(1) == first) event.text.erase(0, 1);
        return;
    }
}

void LocalAnswer::add_calls(engine::ToolCallPiece found, TextPiece& piece) {
    piece.text += found.text;
    for (engine::ToolCallDelta& call : found.calls) {
        if (call.index > 0 && !options_.parallel_calls) continue;
        ToolCallDelta delta;
        delta.index = static_cast<std::uint32_t>(call.index);
        if (call.name) {
            delta.id = new_call_id();
            delta.name = std::move(*call.name);
        }
        delta.arguments = std::move(call.arguments);
        piece.tool_calls.push_back(std::move(delta));
    }
}

void LocalAnswer::find_calls(engine::GenerationEvent& event, TextPiece& piece) {
    if (!parser_) {
        piece.text = std::move(event.text);
        return;
    }
    add_calls(parser_->push(event.text), piece);
    if (event.finish != engine::FinishReason::kNone) add_calls(parser_->finish(), piece);
}

TokenProbability LocalAnswer::probability_of(engine::TokenId token, float logprob) const {
    const engine::TokenTable& table = model_.tokens();
    return {table.contains(token) ? std::string(table.bytes(token)) : std::string(), logprob};
}

void LocalAnswer::add_tokens(const engine::GenerationEvent& event, TextPiece& piece) const {
    if (!options_.logprobs) return;
    for (const engine::GeneratedToken& generated : event.tokens) {
        TokenDetail detail{probability_of(generated.token, generated.logprob), {}};
        for (const engine::TokenLogprob& other : generated.top)
            detail.top.push_back(probability_of(other.token, other.logprob));
        piece.tokens.push_back(std::move(detail));
    }
}

Result<std::optional<TextPiece>> LocalAnswer::push(engine::GenerationEvent event) {
    using engine::FinishReason;
    const FinishReason reason = event.finish;
    if (event.error) return fail(std::move(*event.error));
    if (reason == FinishReason::kCancelled)
        return fail(Error(ErrorCode::kUnavailable, "the server is shutting down")
                        .with_reason("server_overloaded"));
    drop_leading_space(event);
    TextPiece piece;
    piece.choice = options_.choice;
    add_tokens(event, piece);
    find_calls(event, piece);
    if (reason != FinishReason::kNone) {
        ended_ = true;
        const bool called = parser_ && parser_->calls() > 0;
        piece.finish = reason == FinishReason::kLength ? service::FinishReason::kLength
                       : called                        ? service::FinishReason::kToolCalls
                                                       : service::FinishReason::kStop;
    }
    if (piece.text.empty() && piece.tool_calls.empty() && piece.tokens.empty() && !piece.finish)
        return std::nullopt;
    return piece;
}

}  // namespace heddle::service
