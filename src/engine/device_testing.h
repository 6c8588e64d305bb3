// A stand-in for the CUDA module, with PagedRunner's idea of a model: the device's cache holds
// tokens, logits are a hash of what is read back through the block tables, and chosen tokens stay
// in slots on the device. Results wait until they are asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "model/device_decoder.h"

namespace heddle::engine {

struct FakeDevice {
    std::int64_t block_tokens = 4;
    int fail_at = -1;  // the step that breaks the device

    // State.
    std::vector<std::int32_t> memory;
    std::vector<std::int32_t> kept;
    struct Result {
        std::vector<std::int32_t> tokens;
        std::vector<float> logits;
    };
    std::deque<Result> results;  // in flight
    Result last;                 // given out by wait()
    int steps = 0;
    int in_flight_max = 0;
    int on_host = 0;  // rows whose logits were asked for
};

// A decoder of 64 tokens over `device`, which outlives it. One at a time in a process.
[[nodiscard]] std::unique_ptr<model::DeviceDecoder> fake_decoder(FakeDevice& device,
                                                                 std::int64_t blocks);

}  // namespace heddle::engine
