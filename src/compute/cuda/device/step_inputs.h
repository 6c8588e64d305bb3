// The integers of one step, packed so that they reach the device in one copy. Tables come last
// and their width is a number on the device too: a captured graph finds everything at the same
// place whatever the width of its replay.
#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cuda/device/device_failure.h"
#include "compute/cuda/device/kernels.h"

namespace heddle::compute::cuda {

// How many of each there are, or places where a graph is wider than its batch.
struct StepShape {
    int rows = 0;
    int sequences = 0;
    int samples = 0;
    int decodes = 0;
    int tiles = 0;

    // A batch of `count` sequences with one row each, all sampled.
    static StepShape of_decodes(int count) { return {count, count, count, count, 0}; }
};

// Offsets in 32-bit words.
struct InputPlaces {
    explicit InputPlaces(const StepShape& shape);

    std::size_t width = 0;
    std::size_t tokens, positions, slots, starts, contexts, decodes, tiles, sample_rows, choices,
        tables;

    static constexpr std::size_t kChoiceWords = sizeof(ChoiceRow) / 4;
};

// What is computed of a step before it is packed. A sequence with one row decodes, one with more
// is cut into tiles.
struct StepOutline {
    StepShape shape;
    bool all_decode = true;
};
// Throws kHeddleCudaInvalid for a step that breaks device_api.h's rules or the limits.
StepOutline outline(const HeddleCudaStep& step, const HeddleCudaModel& model,
                    const HeddleCudaLimits& limits, std::int64_t block_count);

// Writes `step` for a batch of `shape`, which may have more places than the step needs. Returns
// the words written.
std::size_t pack(const HeddleCudaStep& step, const StepShape& shape, const HeddleCudaModel& model,
                 int block_tokens, std::int32_t* words);
// The most words that a step within the limits takes.
std::size_t packed_words_max(const HeddleCudaModel& model, const HeddleCudaLimits& limits);

}  // namespace heddle::compute::cuda
