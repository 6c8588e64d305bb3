// The arithmetic of memory behind `heddle plan`: what a model's weights take, what a token of
// context takes, and so how many sequences of which length fit. A pure function of the
// configuration.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "compute/dtype.h"
#include "model/config.h"

namespace heddle::model {

struct PlanRequest {
    std::uint64_t memory_bytes = 0;
    std::uint64_t weight_bytes = 0;    // as the model's files hold them (StoredTensors)
    std::uint64_t overhead_bytes = 0;  // activations, workspaces, the program itself
    compute::DType kv_dtype = compute::DType::kBF16;
    std::int64_t block_tokens = 16;
    // Lengths (prompt and answer together) for which the sequences are counted.
    std::vector<std::int64_t> lengths = {512, 2'048, 8'192, 32'768, 131'072};
};

struct PlanRow {
    std::int64_t tokens = 0;
    // Sequences of exactly this length that fit in blocks, taken as they grow.
    std::int64_t paged = 0;
    // Sequences that fit when each reserves the model's whole context at its start, as static
    // batching must where it does not know how long an answer will be.
    std::int64_t reserved = 0;
};

struct Plan {
    std::uint64_t weight_bytes = 0;
    std::uint64_t kv_bytes_per_token = 0;
    std::uint64_t kv_bytes_per_block = 0;
    std::uint64_t kv_bytes = 0;  // what is left of the memory, in whole blocks
    std::int64_t blocks = 0;
    std::int64_t tokens = 0;    // that all blocks hold together
    std::vector<PlanRow> rows;  // lengths beyond the model's context are left out
};

// kInvalidArgument when the weights alone do not fit, or for a request out of range.
[[nodiscard]] Result<Plan> plan_memory(const ModelConfig& config, const PlanRequest& request);

}  // namespace heddle::model
