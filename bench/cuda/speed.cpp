// The work that shared peers are measured on, through the whole engine: random weights of a
// model's shape, prompts and lengths from a file (make_work.py), greedy, to the full length.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>

#include <nlohmann/json.hpp>

#include "commands.h"
#include "engine/device_executor.h"
#include "engine/engine.h"

namespace heddle::bench {
namespace {

using Time = std::chrono::steady_clock::time_point;

double seconds_since(Time start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::optional<model::ModelConfig> shape_of(const std::string& name) {
    nlohmann::json c = {{"model_type", "llama"},
                        {"hidden_act", "silu"},
                        {"rms_norm_eps", 1e-5},
                        {"max_position_embeddings", 4096},
                        {"tie_word_embeddings", false}};
    const auto set = [&](int hidden, int inner, int layers, int heads, int kv_heads, int words,
                         double theta) {
        c["hidden_size"] = hidden;
        c["intermediate_size"] = inner;
        c["num_hidden_layers"] = layers;
        c["num_attention_heads"] = heads;
        c["num_key_value_heads"] = kv_heads;
        c["vocab_size"] = words;
        c["rope_theta"] = theta;
    };
    if (name == "tinyllama") set(2048, 5632, 22, 32, 4, 32000, 1e4);
    if (name == "llama3-8b") set(4096, 14336, 32, 32, 8, 128256, 5e5);
    if (name == "llama2-13b") set(5120, 13824, 40, 40, 40, 32000, 1e4);
    if (!c.contains("hidden_size")) return std::nullopt;
    auto config = model::parse_config_json(c.dump());
    if (!config) return std::nullopt;
    return std::move(*config);
}

// 32-bit integers: requests, prompt length, then for each request its new tokens and its prompt.
struct Work {
    std::vector<std::vector<engine::TokenId>> prompts;
    std::vector<std::size_t> lengths;
};

Work read_work(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const auto next = [&in] {
        std::int32_t value = 0;
        in.read(reinterpret_cast<char*>(&value), sizeof(value));
        return value;
    };
    Work work;
    const std::int32_t count = next();
    const std::int32_t length = next();
    for (std::int32_t i = 0; i < count && in; ++i) {
        work.lengths.push_back(static_cast<std::size_t>(next()));
        auto& prompt = work.prompts.emplace_back();
        for (std::int32_t t = 0; t < length; ++t) prompt.push_back(next());
    }
    return work;
}

class Bench {
public:
    Bench(const SpeedOptions& options, const model::ModelConfig& config,
          std::unique_ptr<model::DeviceDecoder> decoder)
        : options_(options) {
        for (std::int64_t i = 0; i < config.vocabulary; ++i) tokens_.add("", true);
        engine::EngineConfig setup;
        setup.scheduler.block_tokens = static_cast<std::size_t>(decoder->options().block_tokens);
        setup.scheduler.block_count = static_cast<std::size_t>(decoder->block_count());
        setup.scheduler.step_tokens = static_cast<std::size_t>(options.step_tokens);
        setup.scheduler.sequences_max = static_cast<std::size_t>(options.sequences_max);
        setup.scheduler.context_tokens_max = static_cast<std::size_t>(config.context);
        setup.scheduler.prefix_cache = false;
        setup.queue = {.requests_max = 100'000, .tokens_max = 100'000'000};
        auto executor = engine::DeviceExecutor::make(std::move(decoder), tokens_,
                                                     [](const Error&) { std::abort(); });
        executor_ = executor->get();
        engine_ = std::make_unique<engine::Engine>(setup, tokens_, std::move(*executor));
    }

    struct Run {
        double seconds = 0;
        std::size_t tokens = 0;
        std::size_t failed = 0;
        std::uint64_t steps = 0;
        double device_seconds = 0;
    };

    // All at once, to the last token of the last answer.
    Run run(std::span<const std::vector<engine::TokenId>> prompts,
            std::span<const std::size_t> lengths) {
        std::mutex mutex;
        std::condition_variable changed;
        Run result;
        std::size_t open = prompts.size();
        std::vector<engine::Generation> handles;
        const std::uint64_t steps = engine_->stats().steps;
        const double device = executor_->device_seconds();
        const Time start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            engine::GenerationRequest request;
            request.prompt = prompts[i];
            request.tokens_max = lengths[i];
            request.sampling.temperature = 0;
            request.sampling.ignore_end = true;
            auto handle = engine_->submit(std::move(request), [&](engine::GenerationEvent event) {
                if (event.finish == engine::FinishReason::kNone) return engine::Appetite::kMore;
                const std::lock_guard lock(mutex);
                result.tokens += event.usage.generated;
                result.failed += event.error ? 1 : 0;
                if (--open == 0) changed.notify_all();
                return engine::Appetite::kMore;
            });
            handles.push_back(std::move(*handle));
        }
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return open == 0; });
        result.seconds = seconds_since(start);
        result.steps = engine_->stats().steps - steps;
        result.device_seconds = executor_->device_seconds() - device;
        return result;
    }

    void whole_work(const Work& work) {
        const Run r = run(work.prompts, work.lengths);
        std::size_t prompt = 0;
        for (const auto& p : work.prompts) prompt += p.size();
        nlohmann::json line = {{"model", options_.model},
                               {"case", "W1000"},
                               {"seconds", r.seconds},
                               {"out_tok_s", static_cast<double>(r.tokens) / r.seconds},
                               {"total_tok_s", static_cast<double>(r.tokens + prompt) / r.seconds},
                               {"out_tokens", r.tokens},
                               {"steps", r.steps},
                               {"device_idle", 1 - r.device_seconds / r.seconds},
                               {"failed", r.failed}};
        fmt::print("RESULT {}\n", line.dump());
    }

    // The time of 257 new tokens less that of one: 256 decode steps after 512 prompt tokens.
    void decode(const Work& work, std::size_t batch, std::size_t new_tokens) {
        const std::span prompts = std::span(work.prompts).first(batch);
        const Run one = run(prompts, std::vector<std::size_t>(batch, 1));
        const Run all = run(prompts, std::vector<std::size_t>(batch, new_tokens + 1));
        const double step = (all.seconds - one.seconds) / static_cast<double>(new_tokens);
        nlohmann::json line = {
            {"model", options_.model},   {"case", fmt::format("decode b{}", batch)},
            {"ms_per_step", step * 1e3}, {"tok_s", static_cast<double>(batch) / step},
            {"prefill_s", one.seconds},  {"failed", one.failed + all.failed}};
        fmt::print("RESULT {}\n", line.dump());
    }

private:
    SpeedOptions options_;
    engine::TokenTable tokens_;
    const engine::DeviceExecutor* executor_ = nullptr;  // the engine's
    std::unique_ptr<engine::Engine> engine_;
};

}  // namespace

int measure_speed(const SpeedOptions& options) {
    const auto config = shape_of(options.model);
    auto module = compute::cuda::Module::open(options.module);
    if (!config || !module) {
        fmt::print(stderr, "no such model shape, or: {}\n", module ? "" : module.error().message());
        return 1;
    }
    model::DeviceDecoderOptions setup;
    setup.rows_max = options.step_tokens;
    setup.sequences_max = options.sequences_max;
    setup.memory_fraction = options.memory_fraction;
    setup.graphs = options.graphs;
    setup.tune = options.tune;
    const Time start = std::chrono::steady_clock::now();
    auto decoder = model::DeviceDecoder::random(*config, *module, setup);
    if (!decoder) {
        fmt::print(stderr, "{}\n", decoder.error().message());
        return 1;
    }
    const model::DeviceDecoderStart& begun = (*decoder)->start();
    nlohmann::json line = {{"model", options.model},
                           {"case", "start"},
                           {"device", begun.memory.device_name},
                           {"seconds", seconds_since(start)},
                           {"tune_s", begun.begin.tune_s},
                           {"capture_s", begun.begin.capture_s},
                           {"graphs", begun.begin.graphs},
                           {"kv_tokens", begun.memory.block_count * setup.block_tokens}};
    fmt::print("RESULT {}\n", line.dump());
    Bench bench(options, *config, std::move(*decoder));
    const Work work = read_work(options.work);
    const std::vector<std::size_t> few(8, 16);
    (void)bench.run(std::span(work.prompts).first(8), few);
    for (const std::string& name : options.cases) {
        if (name == "work") {
            bench.whole_work(work);
        } else if (name.starts_with("b")) {
            bench.decode(work, std::stoul(name.substr(1)), 256);
        }
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace heddle::bench
