#include "engine/decoder_runner.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::engine {
namespace {

// Machines that are kept with what they learned, for the next sequence with their grammar.
constexpr std::size_t kMachinesMax = 16;

}  // namespace

DecoderRunner::DecoderRunner(std::unique_ptr<compute::Backend> backend,
                             std::unique_ptr<model::Decoder> decoder,
                             std::unique_ptr<compute::KvCache> cache, const TokenTable& tokens)
    : backend_(std::move(backend)),
      decoder_(std::move(decoder)),
      cache_(std::move(cache)),
      tokens_(tokens) {}

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

std::shared_ptr<grammar::Machine> DecoderRunner::machine_for(
    const std::shared_ptr<const grammar::Grammar>& grammar) {
    const auto known = std::ranges::find_if(
        machines_, [&](const auto& machine) { return &machine->grammar() == grammar.get(); });
    std::shared_ptr<grammar::Machine> machine;
    if (known != machines_.end() && !(*known)->exhausted()) {
        machine = *known;
        machines_.erase(known);
    } else {
        if (!trie_) trie_ = std::make_unique<grammar::TokenTrie>(tokens_);
        machine = std::make_shared<grammar::Machine>(grammar, *trie_);
    }
    machines_.push_front(machine);
    if (machines_.size() > kMachinesMax) machines_.pop_back();
    return machine;
}

void DecoderRunner::start(SequenceStart start) {
    Running running{SamplerState(start.params, start.seed, start.prompt, start.end_ids),
                    start.end_ids, std::nullopt};
    if (start.grammar) running.matcher.emplace(machine_for(start.grammar));
    const bool is_new = running_.emplace(start.sequence, std::move(running)).second;
    HEDDLE_CHECK(is_new, "a sequence starts once");
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
            layout.tokens.push_back(pending ? running_.at(item.sequence).last : tokens[i]);
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
    for (const SequenceId id : plan.retired) running_.erase(id);
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
        // Rows may be padded beyond the vocabulary.
        result.outputs.push_back(sample(piece.item->sequence, {values, tokens_.size()}));
    }
}

StepOutput DecoderRunner::sample(SequenceId sequence, std::span<const float> logits) {
    Running& running = running_.at(sequence);
    StepOutput output;
    output.sequence = sequence;
    row_.assign(logits.begin(), logits.end());
    std::optional<grammar::TokenMask> mask;
    if (running.matcher) {
        auto allowed = running.matcher->mask(running.end_ids);
        if (!allowed) {
            output.error = std::move(allowed).error();
            return output;
        }
        mask = std::move(*allowed);
    }
    auto chosen = sampler_.sample(row_, running.sampling, mask ? &*mask : nullptr);
    if (!chosen) {
        output.error = std::move(chosen).error();
        return output;
    }
    output.sample = std::move(*chosen);
    running.last = output.sample.token;
    running.sampling.append(running.last);
    const bool ends = std::ranges::find(running.end_ids, running.last) != running.end_ids.end();
    // A mask may allow what leads to an end from which nothing goes on, such as a class without
    // characters: a grammar that a client sent fails its own answer then.
    if (running.matcher && !ends && !running.matcher->accept(running.last)) {
        output.error =
            Error(ErrorCode::kInvalidArgument, "the output constraint cannot be satisfied")
                .with_reason("constraint_unsatisfiable");
    }
    return output;
}

}  // namespace heddle::engine
