#include "engine/device_executor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace heddle::engine {

Result<std::unique_ptr<DeviceExecutor>> DeviceExecutor::make(
    std::unique_ptr<model::DeviceDecoder> decoder, const TokenTable& tokens, OnLost on_lost) {
    const std::int64_t chosen_from =
        decoder->options().token_count > 0 ? decoder->options().token_count : decoder->vocabulary();
    if (!std::cmp_equal(tokens.size(), chosen_from) || chosen_from > decoder->vocabulary()) {
        return fail(ErrorCode::kInvalidArgument,
                    "the tokenizer and the model differ in their number of tokens");
    }
    return std::unique_ptr<DeviceExecutor>(
        new DeviceExecutor(std::move(decoder), tokens, std::move(on_lost)));
}

DeviceExecutor::DeviceExecutor(std::unique_ptr<model::DeviceDecoder> decoder,
                               const TokenTable& tokens, OnLost on_lost)
    : decoder_(std::move(decoder)), states_(tokens), on_lost_(std::move(on_lost)) {}

DeviceExecutor::~DeviceExecutor() = default;

StepResult DeviceExecutor::failed(const Error& error) {
    log::error("engine", "a step failed", {{"reason", error.message()}});
    if (!lost_ && error.code() == ErrorCode::kInternal) {
        lost_ = true;
        if (on_lost_) on_lost_(error);
    }
    StepResult result;
    result.error = Error(ErrorCode::kInternal, "the model could not compute this step");
    return result;
}

// Whether a token that the host has yet to choose is an input of the plan.
bool DeviceExecutor::awaits_host(const StepPlan& plan) const {
    return std::ranges::any_of(plan.items, [this](const StepItem& item) {
        return item.input_pending && states_.is_involved(item.sequence);
    });
}

bool DeviceExecutor::fits(const StepPlan& plan) const {
    const model::DeviceDecoderOptions& limits = decoder_->options();
    return std::cmp_less_equal(plan.tokens.size(), limits.rows_max) &&
           std::cmp_less_equal(plan.items.size(), limits.sequences_max);
}

void DeviceExecutor::submit(std::shared_ptr<const StepPlan> plan,
                            std::vector<SequenceStart> starts) {
    for (const SequenceId id : plan->retired) {
        states_.retire(id);
        places_.erase(id);
    }
    for (SequenceStart& start : starts) {
        places_[start.sequence] = {};
        states_.start(std::move(start));
    }
    if (awaits_host(*plan)) {
        while (!flights_.empty()) done_.push_back(finish_oldest());
    }
    launch(*plan);
}

void DeviceExecutor::add_item(const StepPlan& plan, const StepItem& item, Arrays& arrays,
                              Flight& flight) {
    const bool involved = states_.is_involved(item.sequence);
    Place& place = places_.at(item.sequence);
    const auto first = static_cast<std::int32_t>(arrays.tokens.size());
    const auto tokens = plan.tokens_of(item);
    arrays.tokens.insert(arrays.tokens.end(), tokens.begin(), tokens.end());
    if (item.input_pending) {
        arrays.tokens.back() = involved ? states_.last(item.sequence) : -1 - place.slot;
    }
    arrays.starts.push_back(static_cast<std::int32_t>(arrays.tokens.size()));
    arrays.contexts.push_back(static_cast<std::int32_t>(item.position + item.count));
    const auto row = static_cast<std::ptrdiff_t>(arrays.contexts.size() - 1) * arrays.width;
    std::ranges::copy(plan.blocks_of(item), arrays.tables.begin() + row);
    if (!item.samples()) return;
    const SamplerState& state = states_.state(item.sequence);
    const SamplingParams& params = state.params();
    HeddleCudaChoice choice{};
    // The slots of the step before are still to be read; those of the one before that are free.
    choice.slot = static_cast<std::int32_t>(
        (steps_ % 2) * static_cast<std::uint64_t>(decoder_->options().sequences_max) +
        flight.size());
    choice.on_host = involved ? 1 : 0;
    choice.temperature = params.temperature;
    choice.top_k = params.top_k;
    choice.top_p = params.top_p;
    choice.min_p = params.min_p;
    choice.chance = state.chance_at(place.chosen);
    place = {choice.slot, place.chosen + 1};
    arrays.sample_rows.push_back(first + static_cast<std::int32_t>(item.sample_at));
    arrays.choices.push_back(choice);
    flight.push_back({item.sequence, involved});
}

void DeviceExecutor::launch(const StepPlan& plan) {
    if (lost_ || !fits(plan)) {
        while (!flights_.empty()) done_.push_back(finish_oldest());
        done_.push_back(failed(Error(ErrorCode::kUnavailable,
                                     lost_ ? "the device is lost" : "the step is too large")));
        return;
    }
    Arrays arrays;
    for (const StepItem& item : plan.items) {
        arrays.width = std::max(arrays.width, static_cast<std::int32_t>(item.blocks_count));
    }
    arrays.tables.resize(plan.items.size() * static_cast<std::size_t>(arrays.width));
    Flight flight;
    for (const StepItem& item : plan.items) add_item(plan, item, arrays, flight);
    ++steps_;
    HeddleCudaStep step{};
    step.rows = static_cast<std::int32_t>(arrays.tokens.size());
    step.sequences = static_cast<std::int32_t>(arrays.contexts.size());
    step.samples = static_cast<std::int32_t>(arrays.choices.size());
    step.table_width = arrays.width;
    step.tokens = arrays.tokens.data();
    step.query_starts = arrays.starts.data();
    step.contexts = arrays.contexts.data();
    step.tables = arrays.tables.data();
    step.sample_rows = arrays.sample_rows.data();
    step.choices = arrays.choices.data();
    if (const Result<> sent = decoder_->submit(step); !sent) {
        while (!flights_.empty()) done_.push_back(finish_oldest());
        done_.push_back(failed(sent.error()));
        return;
    }
    flights_.push_back(std::move(flight));
}

StepResult DeviceExecutor::finish_oldest() {
    const Flight flight = std::move(flights_.front());
    flights_.pop_front();
    const Result<HeddleCudaStepResult> step = decoder_->wait();
    if (!step) return failed(step.error());
    device_seconds_ = device_seconds_ + step->device_ms / 1e3;
    const auto vocabulary = static_cast<std::size_t>(decoder_->vocabulary());
    const float* logits = step->logits;
    StepResult result;
    for (std::size_t i = 0; i < flight.size(); ++i) {
        const Sampled& sampled = flight[i];
        if (sampled.on_host) {
            result.outputs.push_back(states_.sample(sampled.sequence, {logits, vocabulary}));
            logits += vocabulary;
            continue;
        }
        StepOutput output;
        output.sequence = sampled.sequence;
        output.sample.token = step->tokens[i];
        if (output.sample.token < 0) {
            output.error = Error(ErrorCode::kInternal, "no token can follow");
        }
        result.outputs.push_back(std::move(output));
    }
    return result;
}

StepResult DeviceExecutor::collect_blocking() {
    if (done_.empty()) return finish_oldest();
    StepResult result = std::move(done_.front());
    done_.pop_front();
    return result;
}

}  // namespace heddle::engine
