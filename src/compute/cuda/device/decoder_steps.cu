// Steps in flight: what goes to the device, which graph it takes, and what comes back.
#include <algorithm>

#include "compute/cuda/device/decoder.h"

namespace heddle::compute::cuda {

// Copies the logits of rows whose token the host chooses, before another step overwrites them.
void DeviceDecoder::bring_host_logits(const HeddleCudaStep& step, Flight& flight) {
    const auto row_bytes = static_cast<std::size_t>(model_.vocabulary) * sizeof(float);
    const auto count = static_cast<std::size_t>(
        std::count_if(step.choices, step.choices + step.samples,
                      [](const HeddleCudaChoice& choice) { return choice.on_host != 0; }));
    if (count == 0) return;
    if (flight.logits.bytes() < count * row_bytes) flight.logits = PinnedMemory(count * row_bytes);
    auto* to = flight.logits.as<char>();
    for (int i = 0; i < step.samples; ++i) {
        if (step.choices[i].on_host == 0) continue;
        check(cudaMemcpyAsync(to, work_.logits + static_cast<std::int64_t>(i) * model_.vocabulary,
                              row_bytes, cudaMemcpyDeviceToHost, stream_),
              "logits");
        to += row_bytes;
    }
}

void DeviceDecoder::submit(const HeddleCudaStep& step) {
    if (submitted_ - waited_ >= kFlights) {
        throw DeviceFailure(kHeddleCudaInvalid, "two steps are in flight");
    }
    const StepOutline plan = outline(step, model_, limits_, block_count_);
    Flight& flight = flights_[submitted_ % kFlights];
    const auto graph = plan.all_decode ? graphs_.lower_bound(step.rows) : graphs_.end();
    const bool replayed = graph != graphs_.end();
    const StepShape shape = replayed ? StepShape::of_decodes(graph->first) : plan.shape;
    auto* words = flight.inputs.as<std::int32_t>();
    const std::size_t count = pack(step, shape, model_, limits_.block_tokens, words);
    check(cudaEventRecord(flight.begin, stream_), "event");
    check(cudaMemcpyAsync(work_.inputs, words, count * sizeof(std::int32_t), cudaMemcpyHostToDevice,
                          stream_),
          "inputs");
    if (replayed) {
        check(cudaGraphLaunch(graph->second, stream_), "a graph");
    } else {
        forward(shape);
    }
    flight.samples = step.samples;
    check(cudaMemcpyAsync(flight.tokens.as<void>(), work_.chosen,
                          static_cast<std::size_t>(step.samples) * sizeof(std::int32_t),
                          cudaMemcpyDeviceToHost, stream_),
          "tokens");
    bring_host_logits(step, flight);
    check(cudaEventRecord(flight.end, stream_), "event");
    ++submitted_;
}

void DeviceDecoder::wait(HeddleCudaStepResult& result) {
    if (submitted_ == waited_) throw DeviceFailure(kHeddleCudaInvalid, "no step is in flight");
    const Flight& flight = flights_[waited_ % kFlights];
    check(cudaEventSynchronize(flight.end), "a step");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, flight.begin, flight.end), "event");
    result.device_ms = ms;
    result.samples = flight.samples;
    result.tokens = flight.tokens.as<std::int32_t>();
    result.logits = flight.logits.as<float>();
    ++waited_;
}

}  // namespace heddle::compute::cuda
