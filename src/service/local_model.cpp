#include "service/local_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "compute/backends.h"
#include "engine/decoder_runner.h"
#include "engine/thread_executor.h"
#include "model/plan.h"

namespace heddle::service {
namespace {

constexpr std::size_t kBlockTokens = 16;
constexpr std::uint64_t kWholeContexts = 16;  // that the default key-value memory holds at most
constexpr std::uint64_t kMemoryShare = 8;     // of the machine's memory, the default's upper bound
constexpr std::uint32_t kAnswersMax = 16;
// Less room than this serves nobody.
constexpr std::uint64_t kContextMin = 64;

// Tokens that end a turn in the usual families of chat models. Files often name but one of them.
constexpr std::string_view kTurnEnds[] = {"<|eot_id|>",    "<|eom_id|>", "<|im_end|>",   "<|end|>",
                                          "<end_of_turn>", "<|eot|>",    "<|endoftext|>"};

std::uint64_t machine_memory() {
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0
               ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
               : std::uint64_t{4} << 30;
}

}  // namespace

Result<std::shared_ptr<LocalModel>> LocalModel::load(LocalModelOptions options, Metrics& metrics) {
    const auto started = std::chrono::steady_clock::now();
    HEDDLE_TRY(auto files, model::ModelFiles::open(options.path));
    auto loaded = std::shared_ptr<LocalModel>(new LocalModel(std::move(options), metrics));
    HEDDLE_TRY_VOID(loaded->read_text(*files));
    HEDDLE_TRY_VOID(loaded->start(files));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    log::info("service", "model loaded",
              {{"model", loaded->name()},
               {"architecture", files->config().architecture},
               {"weights_mib", files->tensors().byte_count() >> 20},
               {"kv_mib", loaded->kv_bytes_ >> 20},
               {"context", loaded->context_tokens_},
               {"seconds", took.count()}});
    if (!loaded->chat_->has_template()) {
        log::warn("service", "the model has no chat template: conversations become plain lines",
                  {{"model", loaded->name()}});
    }
    return loaded;
}

Result<> LocalModel::read_text(const model::ModelFiles& files) {
    HEDDLE_TRY(tokenizer_, model::load_tokenizer(files));
    tokens_ = engine::TokenTable::of(*tokenizer_);
    model::ChatTemplateText templates;
    if (options_.chat_template.empty()) {
        HEDDLE_TRY(templates, model::load_chat_template(files));
    } else {
        templates.plain = options_.chat_template;
    }
    HEDDLE_TRY(ChatPrompt chat, ChatPrompt::make(tokenizer_, templates));
    chat_ = std::make_unique<const ChatPrompt>(std::move(chat));
    HEDDLE_TRY(defaults_, model::load_generation_defaults(files));
    return {};
}

std::vector<engine::TokenId> LocalModel::end_ids(const model::ModelConfig& config) const {
    std::vector<engine::TokenId> ids;
    const auto add = [&](std::int64_t id) {
        const auto token = static_cast<engine::TokenId>(id);
        if (tokens_.contains(token) && std::ranges::find(ids, token) == ids.end())
            ids.push_back(token);
    };
    for (const std::int64_t token : config.end_tokens) add(token);
    if (tokenizer_->special().eos) add(*tokenizer_->special().eos);
    for (const std::string_view piece : kTurnEnds) {
        const auto token = tokenizer_->find(piece);
        if (token && tokenizer_->is_special(*token)) add(*token);
    }
    return ids;
}

Result<std::size_t> LocalModel::size_memory(const model::ModelConfig& config) {
    model::PlanRequest request;
    request.memory_bytes = std::uint64_t{1} << 50;
    request.kv_dtype = options_.kv_dtype;
    request.block_tokens = static_cast<std::int64_t>(kBlockTokens);
    HEDDLE_TRY(const model::Plan plan, model::plan_memory(config, request));
    const std::uint64_t block = plan.kv_bytes_per_block;
    const auto model_context = static_cast<std::uint64_t>(config.context);
    const std::uint64_t wanted =
        options_.context_max == 0 ? model_context : std::uint64_t{options_.context_max};
    if (wanted > model_context) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a context of {} tokens is more than the model's {}", wanted,
                                model_context));
    }
    const std::uint64_t blocks_of_context = (wanted + kBlockTokens - 1) / kBlockTokens;
    const std::uint64_t bytes =
        options_.kv_bytes != 0
            ? options_.kv_bytes
            : std::min(machine_memory() / kMemoryShare, kWholeContexts * blocks_of_context * block);
    const std::uint64_t blocks = bytes / block;
    const std::uint64_t room = blocks * kBlockTokens;
    const std::uint64_t least = std::min(kContextMin, wanted);
    if (room < least || (options_.context_max != 0 && room < wanted)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} MiB of key-value memory hold {} tokens; {} are needed",
                                bytes >> 20, room, std::max(least, wanted)));
    }
    context_tokens_ = static_cast<std::uint32_t>(std::min(wanted, room));
    kv_bytes_ = blocks * block;
    return static_cast<std::size_t>(blocks);
}

Result<> LocalModel::start(std::shared_ptr<const model::ModelFiles> files) {
    const model::ModelConfig config = files->config();
    HEDDLE_TRY(const std::size_t blocks, size_memory(config));
    engine::DecoderRunnerConfig runner_config;
    const bool is_static = options_.schedule == engine::Schedule::kStatic;
    const std::uint32_t sequences = is_static
                                        ? std::max(options_.sequences_max, options_.static_batch)
                                        : options_.sequences_max;
    const std::uint32_t step = std::max(options_.step_tokens, sequences);
    runner_config.decoder = {.rows_max = step,
                             .sequences_max = sequences,
                             .logit_rows_max = sequences,
                             .context_max = context_tokens_,
                             .block_tokens = static_cast<std::int64_t>(kBlockTokens)};
    runner_config.block_count = static_cast<std::int64_t>(blocks);
    runner_config.kv_dtype = options_.kv_dtype;
    HEDDLE_TRY(auto backend,
               compute::make_backend(options_.backend, {.threads = options_.threads}));
    HEDDLE_TRY(auto runner, engine::DecoderRunner::load(std::move(backend), std::move(files),
                                                        runner_config, tokens_));
    engine::EngineConfig engine_config;
    engine_config.scheduler = {.schedule = options_.schedule,
                               .block_tokens = kBlockTokens,
                               .block_count = blocks,
                               .step_tokens = step,
                               .sequences_max = sequences,
                               .context_tokens_max = context_tokens_,
                               .prefix_cache = options_.prefix_cache,
                               .static_batch = options_.static_batch};
    engine_config.queue = options_.queue;
    engine_config.end_ids = end_ids(config);
    engine_config.answers_max = kAnswersMax;
    engine_ = std::make_unique<engine::Engine>(
        std::move(engine_config), tokens_,
        std::make_unique<engine::ThreadExecutor>(std::move(runner)), Clock::system(), metrics_);
    return {};
}

}  // namespace heddle::service
