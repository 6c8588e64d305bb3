// What embedders and cross-encoders share: the checks of an input and the cut of a batch into
// steps of bounded size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/result.h"
#include "model/encoder_stack.h"
#include "model/sentence_settings.h"

namespace heddle::model {

[[nodiscard]] inline std::int64_t encoder_tokens_max(const SentenceSettings& settings,
                                                     const ModelConfig& config) {
    return settings.tokens_max > 0 ? std::min(settings.tokens_max, config.context) : config.context;
}

// kInvalidArgument for a sequence that is empty, over `tokens_max`, or has unknown ids.
[[nodiscard]] Result<> check_sequence(const EncoderStack& stack, const EncoderSequence& sequence,
                                      std::int64_t tokens_max);

// Calls step(begin, end) for consecutive parts of the batch of at most `tokens_per_step` tokens
// each (one sequence at least), until one fails.
template <class Step>
[[nodiscard]] Result<> for_each_step(std::span<const EncoderSequence> batch,
                                     std::int64_t tokens_per_step, Step&& step) {
    std::size_t begin = 0;
    while (begin < batch.size()) {
        std::size_t end = begin;
        std::size_t tokens = 0;
        do {
            tokens += batch[end++].tokens.size();
        } while (end < batch.size() &&
                 std::cmp_less_equal(tokens + batch[end].tokens.size(), tokens_per_step));
        HEDDLE_TRY_VOID(step(begin, end));
        begin = end;
    }
    return {};
}

}  // namespace heddle::model
