#include "api/sampling_request.h"

#include <charconv>
#include <limits>
#include <utility>

namespace heddle::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kStopsMax = 4;
constexpr std::size_t kStopBytesMax = 64;
constexpr std::size_t kStopIdsMax = 64;
constexpr std::size_t kBiasesMax = 300;
constexpr std::int64_t kTokensMax = 1'000'000;
constexpr std::int64_t kAnswersMax = 128;
constexpr std::int64_t kTokenIdMax = std::numeric_limits<std::int32_t>::max();

bool asks_for_nothing(const dom::element& element) {
    bool flag = false;
    if (element.get(flag) == simdjson::SUCCESS) return !flag;
    dom::array array;
    if (element.get(array) == simdjson::SUCCESS) return array.size() == 0;
    dom::object object;
    if (element.get(object) == simdjson::SUCCESS) return object.size() == 0;
    std::string_view text;
    return element.get(text) == simdjson::SUCCESS && text.empty();
}

// {"50256": -100}
Result<> decode_logit_bias(const JsonObject& object, service::SamplingOptions& sampling) {
    const auto wrong = [&](std::string message) {
        return field_error(object.path_of("logit_bias"), std::move(message), "value_error");
    };
    const auto found = object.find("logit_bias");
    if (!found) return {};
    dom::object biases;
    if (found->get(biases) != simdjson::SUCCESS) {
        return wrong("Input should be an object of token ids and numbers");
    }
    if (biases.size() > kBiasesMax) return wrong("At most 300 tokens can be given a bias");
    for (const auto& [key, value] : biases) {
        std::int32_t token = 0;
        const auto [end, ec] = std::from_chars(key.begin(), key.end(), token);
        if (ec != std::errc() || end != key.end() || token < 0) {
            return wrong("Keys should be token ids");
        }
        double bias = 0;
        if (value.get(bias) != simdjson::SUCCESS || !(bias >= -100 && bias <= 100)) {
            return wrong("Values should be numbers from -100 to 100");
        }
        sampling.logit_bias.emplace_back(token, bias);
    }
    return {};
}

Result<> decode_stop_ids(const JsonObject& object, service::SamplingOptions& sampling) {
    const auto found = object.find("stop_token_ids");
    if (!found) return {};
    const auto wrong = [&] {
        return field_error(object.path_of("stop_token_ids"),
                           "Input should be a list of at most 64 token ids", "value_error");
    };
    dom::array ids;
    if (found->get(ids) != simdjson::SUCCESS || ids.size() > kStopIdsMax) return wrong();
    for (const dom::element element : ids) {
        std::int64_t id = 0;
        if (element.get(id) != simdjson::SUCCESS || id < 0 || id > kTokenIdMax) return wrong();
        sampling.stop_ids.push_back(static_cast<std::int32_t>(id));
    }
    return {};
}

Result<> decode_lengths(const JsonObject& object, service::SamplingOptions& sampling) {
    HEDDLE_TRY(const auto newer_max, object.integer("max_completion_tokens", 1, kTokensMax));
    HEDDLE_TRY(const auto older_max, object.integer("max_tokens", 1, kTokensMax));
    const auto tokens_max = newer_max ? newer_max : older_max;
    if (tokens_max) sampling.tokens_max = static_cast<std::uint32_t>(*tokens_max);
    HEDDLE_TRY(const auto tokens_min, object.integer("min_tokens", 0, kTokensMax));
    sampling.tokens_min = static_cast<std::uint32_t>(tokens_min.value_or(0));
    if (tokens_max && sampling.tokens_min > *sampling.tokens_max) {
        return field_error(object.path_of("min_tokens"), "Input should be at most max_tokens",
                           "value_error");
    }
    HEDDLE_TRY(sampling.ignore_end, object.boolean("ignore_eos", false));
    HEDDLE_TRY(sampling.stop, object.texts("stop", kStopsMax, {1, kStopBytesMax}, true));
    return decode_stop_ids(object, sampling);
}

}  // namespace

tl::unexpected<Error> unsupported_field(const JsonObject& object, std::string_view name) {
    return field_error(object.path_of(name), "`" + std::string(name) + "` is not supported here",
                       "unsupported_parameter");
}

Result<> refuse_unsupported(const JsonObject& object,
                            std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        const auto found = object.find(name);
        if (found && !asks_for_nothing(*found)) return unsupported_field(object, name);
    }
    return {};
}

Result<service::SamplingOptions> decode_sampling(const JsonObject& object) {
    service::SamplingOptions sampling;
    HEDDLE_TRY(sampling.temperature, object.number("temperature", 0, 2));
    HEDDLE_TRY(sampling.top_p, object.number("top_p", 0, 1));
    HEDDLE_TRY(const auto top_k, object.integer("top_k", -1, kTokensMax));
    if (top_k) sampling.top_k = *top_k < 0 ? 0 : *top_k;  // vLLM's -1 also means all
    HEDDLE_TRY(sampling.min_p, object.number("min_p", 0, 1));
    HEDDLE_TRY(sampling.typical_p, object.number("typical_p", 0, 1));
    HEDDLE_TRY(sampling.repetition_penalty, object.number("repetition_penalty", 0.01, 10));
    HEDDLE_TRY(const auto presence, object.number("presence_penalty", -2, 2));
    sampling.presence_penalty = presence.value_or(0);
    HEDDLE_TRY(const auto frequency, object.number("frequency_penalty", -2, 2));
    sampling.frequency_penalty = frequency.value_or(0);
    HEDDLE_TRY(const auto seed, object.integer("seed", INT64_MIN, INT64_MAX));
    if (seed) sampling.seed = static_cast<std::uint64_t>(*seed);
    HEDDLE_TRY(const auto answers, object.integer("n", 1, kAnswersMax));
    sampling.answers = static_cast<std::uint32_t>(answers.value_or(1));
    HEDDLE_TRY(const auto best_of, object.integer("best_of", 1, kAnswersMax));
    if (best_of.value_or(sampling.answers) != sampling.answers) {
        return unsupported_field(object, "best_of");
    }
    HEDDLE_TRY_VOID(decode_logit_bias(object, sampling));
    HEDDLE_TRY_VOID(decode_lengths(object, sampling));
    return sampling;
}

}  // namespace heddle::api
