#include "model/encoder_batch.h"

#include <fmt/format.h>

namespace heddle::model {

Result<> check_sequence(const EncoderStack& stack, const EncoderSequence& sequence,
                        std::int64_t tokens_max) {
    if (sequence.tokens.empty()) {
        return fail(ErrorCode::kInvalidArgument, "an input of the encoder has no tokens");
    }
    if (std::cmp_greater(sequence.tokens.size(), tokens_max)) {
        return fail(Error(ErrorCode::kInvalidArgument,
                          fmt::format("an input of {} tokens is over the encoder's limit of {}",
                                      sequence.tokens.size(), tokens_max))
                        .with_reason("context_length_exceeded"));
    }
    const bool known = std::ranges::all_of(sequence.tokens, [&stack](std::int32_t token) {
        return token >= 0 && token < stack.config().vocabulary;
    });
    if (!known) {
        return fail(ErrorCode::kInvalidArgument, "a token id lies outside the vocabulary");
    }
    return {};
}

}  // namespace heddle::model
