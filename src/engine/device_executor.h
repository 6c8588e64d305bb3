// Runs steps on a decoder that lives on a GPU. Two are in flight: the device goes from one to the
// next without the host, since tokens that it chose are kept there for the step after.
//
// Greedy choices and draws by temperature, top_k, top_p and min_p are the device's; sequences
// that ask for more (SamplingStates::is_involved) get their row of logits back and are sampled
// here, which puts the host between their steps.
//
// No thread of its own: submit() enqueues and collect_blocking() waits, both on the engine's.
// submit() itself waits for the steps before only where a token chosen on the host is its input.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/executor.h"
#include "engine/sampling_states.h"
#include "engine/token_table.h"
#include "model/device_decoder.h"

namespace heddle::engine {

class DeviceExecutor final : public Executor {
public:
    // Called once, on the engine thread, when the device is lost: a context that failed cannot be
    // repaired within the process. Steps from then on fail at once.
    using OnLost = std::function<void(const Error&)>;

    // `tokens` outlives the executor.
    static Result<std::unique_ptr<DeviceExecutor>> make(
        std::unique_ptr<model::DeviceDecoder> decoder, const TokenTable& tokens, OnLost on_lost);
    ~DeviceExecutor() override;

    [[nodiscard]] std::size_t depth() const override { return 2; }
    void submit(std::shared_ptr<const StepPlan> plan, std::vector<SequenceStart> starts) override;
    [[nodiscard]] StepResult collect_blocking() override;

    [[nodiscard]] const model::DeviceDecoder& decoder() const { return *decoder_; }
    // What the device spent in steps. Any thread.
    [[nodiscard]] double device_seconds() const { return device_seconds_; }

private:
    // A sampled item of a step on the device.
    struct Sampled {
        SequenceId sequence = 0;
        bool on_host = false;
    };
    using Flight = std::vector<Sampled>;
    // Where the device stands with a sequence.
    struct Place {
        std::int32_t slot = 0;   // of the token it chose last
        std::size_t chosen = 0;  // tokens
    };
    // The arrays behind one HeddleCudaStep.
    struct Arrays {
        std::vector<std::int32_t> tokens, starts{0}, contexts, tables, sample_rows;
        std::vector<HeddleCudaChoice> choices;
        std::int32_t width = 0;
    };

    DeviceExecutor(std::unique_ptr<model::DeviceDecoder> decoder, const TokenTable& tokens,
                   OnLost on_lost);

    [[nodiscard]] bool awaits_host(const StepPlan& plan) const;
    [[nodiscard]] bool fits(const StepPlan& plan) const;
    void add_item(const StepPlan& plan, const StepItem& item, Arrays& arrays, Flight& flight);
    void launch(const StepPlan& plan);
    [[nodiscard]] StepResult finish_oldest();
    [[nodiscard]] StepResult failed(const Error& error);

    std::unique_ptr<model::DeviceDecoder> decoder_;
    SamplingStates states_;
    const OnLost on_lost_;
    std::unordered_map<SequenceId, Place> places_;
    std::deque<Flight> flights_;
    std::deque<StepResult> done_;  // of steps before those in flight
    std::uint64_t steps_ = 0;
    bool lost_ = false;
    std::atomic<double> device_seconds_ = 0;
};

}  // namespace heddle::engine
