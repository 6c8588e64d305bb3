// Runs steps on a model's decoder and samples on the host: what a CPU engine puts behind a
// ThreadExecutor. Owns backend, decoder, key-value memory, and what sampling and constraints
// remember of each sequence.
// One thread at a time.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "compute/backend.h"
#include "compute/kv_cache.h"
#include "engine/executor.h"
#include "engine/sampling_states.h"
#include "engine/token_table.h"
#include "model/decoder.h"

namespace heddle::engine {

struct DecoderRunnerConfig {
    // Blocks hold decoder.block_tokens tokens, as SchedulerConfig::block_tokens must say too.
    model::DecoderOptions decoder;
    std::int64_t block_count = 4096;  // as SchedulerConfig::block_count
    compute::DType kv_dtype = compute::DType::kF32;
};

class DecoderRunner final : public StepRunner {
public:
    // `tokens` outlives the runner.
    static Result<std::unique_ptr<DecoderRunner>> load(
        std::unique_ptr<compute::Backend> backend, std::shared_ptr<const model::ModelFiles> files,
        const DecoderRunnerConfig& config, const TokenTable& tokens);

    void start(SequenceStart start) override;
    [[nodiscard]] StepResult run(const StepPlan& plan) override;

    [[nodiscard]] const model::Decoder& decoder() const { return *decoder_; }

private:
    // A part of an item that goes through the model in one piece.
    struct Piece {
        const StepItem* item = nullptr;
        std::uint32_t offset = 0;
        std::uint32_t count = 0;
        bool samples = false;
    };
    // The arrays of one forward pass.
    struct Layout {
        std::vector<std::int32_t> tokens, positions, slots, starts{0}, lengths, tables, logit_rows;
        std::int64_t width = 0;
    };

    DecoderRunner(std::unique_ptr<compute::Backend> backend,
                  std::unique_ptr<model::Decoder> decoder, std::unique_ptr<compute::KvCache> cache,
                  const TokenTable& tokens);

    [[nodiscard]] std::vector<std::vector<Piece>> cut(const StepPlan& plan) const;
    [[nodiscard]] Layout lay_out(const StepPlan& plan, const std::vector<Piece>& pieces) const;
    void forward(const StepPlan& plan, const std::vector<Piece>& pieces, StepResult& result);

    // In the order in which they need each other.
    std::unique_ptr<compute::Backend> backend_;
    std::unique_ptr<model::Decoder> decoder_;
    std::unique_ptr<compute::KvCache> cache_;
    SamplingStates states_;
};

}  // namespace heddle::engine
