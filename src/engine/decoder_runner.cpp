#include "engine/decoder_runner.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::engine {

DecoderRunner::DecoderRunner(std::unique_ptr<compute::Backend> backend,
                             std::unique_ptr<model::Decoder> decoder,
                             std::unique_ptr<compute::KvCache> cache, const TokenTable& tokens)
    : backend_(std::move(backend)),
      decoder_(std::move(decoder)),
      cache_(std::move(cache)),
      states_(tokens) {}

Result<std::unique_ptr<DecoderRunner>> DecoderRunner::load(
    std::unique_ptr<compute::Backend> backend, std::shared_ptr<const model::ModelFiles> files,
    const DecoderRunnerConfig& config, const TokenTable& tokens) {
    if (tokens.size() > static_cast<std::size_t>(files->config().vocabulary)) {
        return fail(ErrorCode::kInvalidArgument,
                    "the tokenizer has more tokens than the model has outputs");
    }
    HEDDLE_TRY(auto decoder, model::Decoder::load(std::move(files), *backend, config.decoder));
    HEDDLE_TRY(auto cache,
               backend->make_kv_cache(decoder->kv_shape(config.block_count, config.kv_dtype)));
    return std::unique_ptr<DecoderRunner>(
        new DecoderRunner(std::move(backend), std::move(decoder), std::move(cache), tokens));
}

void DecoderRunner::start(SequenceStart start) {
    states_.start(std::move(start));
}

// The items in pieces that fit a forward pass: one, unless a static batch is larger than it.
std::vector<std::vector<DecoderRunner::Piece>> DecoderRunner::cut(const StepPlan& plan) const {
    const model::DecoderOptions& limits = decoder_->options();
    std::vector<std::vector<Piece>> passes(1);
    std::int64_t rows = 0;
    std::int64_t sampled = 0;
    for (const StepItem& item : plan.items) {
        for (std::uint32_t offset = 0; offset < item.count;) {
            const bool full =
                rows == limits.rows_max || sampled == limits.logit_rows_max ||
                static_cast<std::int64_t>(passes.back().size()) == limits.sequences_max;
            if (full) {
                passes.emplace_back();
                rows = sampled = 0;
            }
            const auto count = static_cast<std::uint32_t>(
                std::min<std::int64_t>(item.count - offset, limits.rows_max - rows));
            const bool samples =
                item.samples() && item.sample_at >= offset && item.sample_at < offset + count;
            passes.back().push_back({&item, offset, count, samples});
            rows += count;
            sampled += samples ? 1 : 0;
            offset += count;
        }
    }
    return passes;
}

DecoderRunner::Layout DecoderRunner::lay_out(const StepPlan& plan,
                                             const std::vector<Piece>& pieces) const {
    const auto block_tokens = static_cast<std::uint32_t>(decoder_->options().block_tokens);
    Layout layout;
    for (const Piece& piece : pieces) {
        layout.width = std::max<std::int64_t>(layout.width, piece.item->blocks_count);
    }
    for (const Piece& piece : pieces) {
        const StepItem& item = *piece.item;
        const auto tokens = plan.tokens_of(item);
        const auto blocks = plan.blocks_of(item);
        const auto first_row = static_cast<std::int32_t>(layout.tokens.size());
        for (std::uint32_t i = piece.offset; i < piece.offset + piece.count; ++i) {
            const bool pending = item.input_pending && i + 1 == item.count;
            const std::uint32_t position = item.position + i;
            layout.tokens.push_back(pending ? states_.last(item.sequence) : tokens[i]);
            layout.positions.push_back(static_cast<std::int32_t>(position));
            layout.slots.push_back(static_cast<std::int32_t>(
                blocks[position / block_tokens] * block_tokens + position % block_tokens));
        }
        layout.starts.push_back(static_cast<std::int32_t>(layout.tokens.size()));
        layout.lengths.push_back(
            static_cast<std::int32_t>(item.position + piece.offset + piece.count));
        for (const BlockId block : blocks) {
            layout.tables.push_back(static_cast<std::int32_t>(block));
        }
        layout.tables.resize(layout.lengths.size() * static_cast<std::size_t>(layout.width), -1);
        if (piece.samples) {
            layout.logit_rows.push_back(first_row +
                                        static_cast<std::int32_t>(item.sample_at - piece.offset));
        }
    }
    return layout;
}

StepResult DecoderRunner::run(const StepPlan& plan) {
    for (const SequenceId id : plan.retired) states_.retire(id);
    StepResult result;
    for (const auto& pieces : cut(plan)) forward(plan, pieces, result);
    return result;
}

void DecoderRunner::forward(const StepPlan& plan, const std::vector<Piece>& pieces,
                            StepResult& result) {
    const Layout layout = lay_out(plan, pieces);
    const compute::ConstTensor logits =
        decoder_->forward({layout.tokens, layout.positions, layout.slots, layout.starts,
                           layout.lengths, layout.tables, layout.width, layout.logit_rows},
                          *cache_);
    backend_->synchronize();
    std::int64_t row = 0;
    for (const Piece& piece : pieces) {
        if (!piece.samples) continue;
        const float* values = logits.row<float>(row++);
        result.outputs.push_back(states_.sample(piece.item->sequence,
                                                {values, static_cast<std::size_t>(logits.cols())}));
    }
}

}  // namespace heddle::engine
