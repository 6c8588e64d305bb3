#include "engine/grammar/matcher.h"

namespace heddle::engine::grammar {
namespace {

// JSON lets white space run for ever, and models are drawn into it. Behind this many bytes
// tokens of nothing else are withheld, where anything else may come.
constexpr std::size_t kBlankRunMax = 80;

}  // namespace

Result<TokenMask> Matcher::mask(std::span<const TokenId> end_ids) {
    TokenMask mask = machine_->mask(state_);
    if (machine_->grammar().is_json && blank_run_ >= kBlankRunMax) {
        TokenMask rest = mask;
        rest.subtract(machine_->trie().blank());
        if (!rest.empty()) mask = std::move(rest);
    }
    if (is_whole()) {
        for (const TokenId token : end_ids) mask.set(static_cast<std::size_t>(token));
    }
    if (mask.empty()) {
        if (machine_->exhausted()) {
            return fail(Error(ErrorCode::kInvalidArgument,
                              "the output constraint is too complex to be followed")
                            .with_reason("grammar_too_complex"));
        }
        return fail(Error(ErrorCode::kInternal, "no token satisfies the output constraint")
                        .with_reason("constraint_unsatisfiable"));
    }
    return mask;
}

bool Matcher::accept(TokenId token) {
    return accept_bytes(machine_->trie().bytes_of(token));
}

bool Matcher::accept_bytes(std::span<const std::uint8_t> bytes) {
    Machine::State state = state_;
    std::size_t blanks = blank_run_;
    for (const std::uint8_t byte : bytes) {
        state = machine_->step(state, byte);
        const bool blank = byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
        blanks = blank ? blanks + 1 : 0;
    }
    if (state == Machine::kDead) return false;
    state_ = state;
    blank_run_ = blanks;
    return true;
}

}  // namespace heddle::engine::grammar
