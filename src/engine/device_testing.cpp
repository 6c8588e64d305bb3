#include "engine/device_testing.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/random.h"

namespace heddle::engine {
namespace {

constexpr int kVocabulary = 64;
FakeDevice* current = nullptr;

int fail_with(HeddleCudaError* error, int status, const char* message) {
    std::strncpy(error->message, message, sizeof(error->message) - 1);
    return status;
}

int open_fake(const HeddleCudaModel*, const HeddleCudaLimits* limits, HeddleCudaDecoder** out,
              HeddleCudaMemory* memory, HeddleCudaError*) {
    current->block_tokens = limits->block_tokens;
    current->memory.assign(static_cast<std::size_t>(limits->block_count * limits->block_tokens),
                           -1);
    current->kept.assign(static_cast<std::size_t>(2 * limits->sequences_max), -1);
    memory->block_count = limits->block_count;
    *out = reinterpret_cast<HeddleCudaDecoder*>(current);
    return kHeddleCudaOk;
}

int fill_fake(HeddleCudaDecoder*, std::uint64_t, HeddleCudaError*) {
    return kHeddleCudaOk;
}
int begin_fake(HeddleCudaDecoder*, HeddleCudaBegin*, HeddleCudaError*) {
    return kHeddleCudaOk;
}
void close_fake(HeddleCudaDecoder*) {}

std::int32_t& cell(const HeddleCudaStep& step, int sequence, std::int64_t position) {
    const std::int32_t block = step.tables[static_cast<std::int64_t>(sequence) * step.table_width +
                                           position / current->block_tokens];
    return current->memory.at(
        static_cast<std::size_t>(block * current->block_tokens + position % current->block_tokens));
}

std::vector<float> logits_of(const HeddleCudaStep& step, int sequence, int row) {
    const int rows = step.query_starts[sequence + 1] - step.query_starts[sequence];
    const std::int64_t last = step.contexts[sequence] - rows + (row - step.query_starts[sequence]);
    std::uint64_t hash = 1469598103934665603u;
    for (std::int64_t position = 0; position <= last; ++position) {
        hash = (hash ^ static_cast<std::uint32_t>(cell(step, sequence, position))) * 1099511628211u;
    }
    Rng rng(hash);
    std::vector<float> logits(kVocabulary);
    for (float& logit : logits) logit = static_cast<float>(rng.uniform() * 8);
    return logits;
}

std::int32_t choose(const std::vector<float>& logits, const HeddleCudaChoice& choice) {
    const auto best = std::ranges::max_element(logits);
    if (choice.temperature == 0) return static_cast<std::int32_t>(best - logits.begin());
    double sum = 0;
    for (const float logit : logits) {
        sum += std::exp((static_cast<double>(logit) - *best) / choice.temperature);
    }
    double seen = 0;
    for (std::int32_t i = 0; i < kVocabulary; ++i) {
        seen += std::exp((static_cast<double>(logits[static_cast<std::size_t>(i)]) - *best) /
                         choice.temperature) /
                sum;
        if (choice.chance < seen) return i;
    }
    return kVocabulary - 1;
}

int submit_fake(HeddleCudaDecoder*, const HeddleCudaStep* step, HeddleCudaError* error) {
    FakeDevice& device = *current;
    if (device.steps++ == device.fail_at) {
        return fail_with(error, kHeddleCudaBroken, "an address was wrong");
    }
    for (int s = 0; s < step->sequences; ++s) {
        const int rows = step->query_starts[s + 1] - step->query_starts[s];
        for (int i = 0; i < rows; ++i) {
            const std::int32_t token = step->tokens[step->query_starts[s] + i];
            cell(*step, s, step->contexts[s] - rows + i) =
                token >= 0 ? token : device.kept.at(static_cast<std::size_t>(-1 - token));
        }
    }
    FakeDevice::Result result;
    for (int i = 0; i < step->samples; ++i) {
        const std::int32_t* const starts = step->query_starts;
        const auto s = static_cast<int>(
            std::upper_bound(starts, starts + step->sequences + 1, step->sample_rows[i]) - starts -
            1);
        const std::vector<float> logits = logits_of(*step, s, step->sample_rows[i]);
        const HeddleCudaChoice& choice = step->choices[i];
        result.tokens.push_back(choose(logits, choice));
        if (choice.on_host != 0) {
            ++device.on_host;
            result.logits.insert(result.logits.end(), logits.begin(), logits.end());
        } else {
            device.kept.at(static_cast<std::size_t>(choice.slot)) = result.tokens.back();
        }
    }
    device.results.push_back(std::move(result));
    device.in_flight_max = std::max(device.in_flight_max, static_cast<int>(device.results.size()));
    HEDDLE_CHECK(device.results.size() <= 2, "two steps are in flight");
    return kHeddleCudaOk;
}

int wait_fake(HeddleCudaDecoder*, HeddleCudaStepResult* result, HeddleCudaError*) {
    current->last = std::move(current->results.front());
    current->results.pop_front();
    result->samples = static_cast<std::int32_t>(current->last.tokens.size());
    result->tokens = current->last.tokens.data();
    result->logits = current->last.logits.data();
    return kHeddleCudaOk;
}

constexpr HeddleCudaApi kFake = {
    kHeddleCudaApiVersion, open_fake, nullptr,   nullptr, fill_fake, begin_fake,
    submit_fake,           wait_fake, close_fake};

}  // namespace

std::unique_ptr<model::DeviceDecoder> fake_decoder(FakeDevice& device, std::int64_t blocks) {
    current = &device;
    model::ModelConfig config;
    config.architecture = "llama";
    config.vocabulary = kVocabulary;
    config.layers = config.heads = config.kv_heads = 1;
    config.hidden = config.intermediate = config.head_dim = 8;
    config.context = 128;
    model::DeviceDecoderOptions options;
    options.rows_max = 256;
    options.sequences_max = 8;
    options.block_tokens = device.block_tokens;
    options.block_count = blocks;
    return model::DeviceDecoder::random(config, compute::cuda::Module::linked(kFake), options)
        .value();
}

}  // namespace heddle::engine
