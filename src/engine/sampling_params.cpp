#include "engine/sampling_params.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace heddle::engine {
namespace {

constexpr std::size_t kLogitBiasMax = 300;
constexpr std::size_t kStopIdsMax = 64;
constexpr int kTopLogprobsMax = 20;

Error out_of_range(const char* field, double low, double high) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("{} must be between {} and {}", field, low, high))
        .with_param(field);
}

Result<void> check_number(const char* field, double value, double low, double high) {
    // Written so that NaN fails.
    if (!(value >= low && value <= high)) return fail(out_of_range(field, low, high));
    return {};
}

bool is_token(TokenId token, std::size_t vocabulary) {
    return token >= 0 && static_cast<std::size_t>(token) < vocabulary;
}

}  // namespace

Result<void> validate(const SamplingParams& params, std::size_t vocabulary) {
    HEDDLE_TRY_VOID(check_number("temperature", params.temperature, 0, 2));
    HEDDLE_TRY_VOID(check_number("top_k", params.top_k, 0, 1'000'000));
    HEDDLE_TRY_VOID(check_number("top_p", params.top_p, 0, 1));
    HEDDLE_TRY_VOID(check_number("min_p", params.min_p, 0, 1));
    HEDDLE_TRY_VOID(check_number("typical_p", params.typical_p, 0, 1));
    HEDDLE_TRY_VOID(check_number("repetition_penalty", params.repetition_penalty, 0.01, 10));
    HEDDLE_TRY_VOID(check_number("presence_penalty", params.presence_penalty, -2, 2));
    HEDDLE_TRY_VOID(check_number("frequency_penalty", params.frequency_penalty, -2, 2));
    HEDDLE_TRY_VOID(check_number("top_logprobs", params.top_logprobs, 0, kTopLogprobsMax));
    if (params.logit_bias.size() > kLogitBiasMax) {
        return fail(Error(ErrorCode::kInvalidArgument,
                          fmt::format("logit_bias has more than {} entries", kLogitBiasMax))
                        .with_param("logit_bias"));
    }
    for (const auto& [token, bias] : params.logit_bias) {
        HEDDLE_TRY_VOID(check_number("logit_bias", bias, -100, 100));
        if (!is_token(token, vocabulary)) {
            return fail(Error(ErrorCode::kInvalidArgument, "logit_bias names an unknown token")
                            .with_param("logit_bias"));
        }
    }
    if (params.stop_ids.size() > kStopIdsMax) {
        return fail(Error(ErrorCode::kInvalidArgument,
                          fmt::format("stop_token_ids has more than {} entries", kStopIdsMax))
                        .with_param("stop_token_ids"));
    }
    for (const TokenId token : params.stop_ids) {
        if (!is_token(token, vocabulary)) {
            return fail(Error(ErrorCode::kInvalidArgument, "stop_token_ids has an unknown token")
                            .with_param("stop_token_ids"));
        }
    }
    return {};
}

}  // namespace heddle::engine
