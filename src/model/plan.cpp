#include "model/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle::model {
namespace {

std::int64_t blocks_for(std::int64_t tokens, std::int64_t block_tokens) {
    return (tokens + block_tokens - 1) / block_tokens;
}

}  // namespace

Result<Plan> plan_memory(const ModelConfig& config, const PlanRequest& request) {
    if (request.block_tokens < 1 || request.block_tokens > 4'096) {
        return fail(ErrorCode::kInvalidArgument, "a block must hold 1 to 4096 tokens");
    }
    if (compute::is_quantised(request.kv_dtype)) {
        return fail(ErrorCode::kInvalidArgument, "keys and values are kept in whole elements");
    }
    // The limits of a configuration keep the products below 64 bits.
    Plan plan;
    plan.weight_bytes = request.weight_bytes;
    plan.kv_bytes_per_token = 2 * static_cast<std::uint64_t>(config.layers * config.kv_width()) *
                              static_cast<std::uint64_t>(compute::block_bytes(request.kv_dtype));
    plan.kv_bytes_per_block =
        plan.kv_bytes_per_token * static_cast<std::uint64_t>(request.block_tokens);
    std::uint64_t taken = 0;
    if (__builtin_add_overflow(request.weight_bytes, request.overhead_bytes, &taken) ||
        taken > request.memory_bytes || request.memory_bytes - taken < plan.kv_bytes_per_block) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("the weights ({} bytes), {} bytes of working memory and one block "
                        "of context do not fit into {} bytes",
                        request.weight_bytes, request.overhead_bytes, request.memory_bytes));
    }
    plan.blocks =
        static_cast<std::int64_t>((request.memory_bytes - taken) / plan.kv_bytes_per_block);
    plan.kv_bytes = static_cast<std::uint64_t>(plan.blocks) * plan.kv_bytes_per_block;
    plan.tokens = plan.blocks * request.block_tokens;
    const std::int64_t whole = blocks_for(config.context, request.block_tokens);
    for (const std::int64_t tokens : request.lengths) {
        if (tokens < 1 || tokens > config.context) continue;
        plan.rows.push_back({.tokens = tokens,
                             .paged = plan.blocks / blocks_for(tokens, request.block_tokens),
                             .reserved = plan.blocks / whole});
    }
    return plan;
}

}  // namespace heddle::model
