#include "app/engine_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "base/ids.h"
#include "base/random.h"
#include "compute/backends.h"
#include "compute/thread_pool.h"
#include "engine/decoder_runner.h"
#include "engine/thread_executor.h"
#include "model/model_files.h"
#include "model/random_model.h"

namespace heddle::app {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::int64_t kBlockTokens = 16;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

int threads_or_cores(int threads) {
    return threads > 0 ? threads
                       : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

// Removed when its mapping has been made: the bytes live on until then.
struct TemporaryModel {
    fs::path path;
    ~TemporaryModel() {
        std::error_code ec;
        if (!path.empty()) fs::remove(path, ec);
    }
};

Result<fs::path> model_path(const EngineBenchOptions& options, TemporaryModel& temporary) {
    if (!options.model.empty()) return fs::path(options.model);
    HEDDLE_TRY(const model::ModelShape shape, model::find_shape(options.shape));
    HEDDLE_TRY(const compute::DType dtype, weight_type(options.weights));
    temporary.path = fs::temp_directory_path() / ("heddle-bench-" + new_id() + ".gguf");
    HEDDLE_TRY_VOID(model::write_random_model(temporary.path, shape, dtype, options.seed));
    return temporary.path;
}

// Ids stand for text of their own length only: no tokenizer is needed.
engine::TokenTable made_up_tokens(std::int64_t count) {
    engine::TokenTable table;
    for (std::int64_t i = 0; i < count; ++i) table.add("word ", false);
    return table;
}

// Answers on their way, shared with the engine thread.
struct Progress {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<BenchRun> runs;  // guarded by mutex
    std::size_t left = 0;        // guarded by mutex
    Clock::time_point start = Clock::now();

    engine::Appetite take(std::size_t index, const engine::GenerationEvent& event) {
        const double now = seconds_since(start);
        const std::lock_guard lock(mutex);
        BenchRun& run = runs[index];
        if (!event.tokens.empty()) {
            if (run.output_tokens == 0) {
                run.first_s = now;
            } else {
                run.gaps_s.push_back(static_cast<float>(now - run.last_s));
            }
            run.output_tokens += event.tokens.size();
            run.last_s = now;
        }
        if (event.finish != engine::FinishReason::kNone) {
            if (event.error) run.error = event.error->message();
            --left;
            changed.notify_all();
        }
        return engine::Appetite::kMore;
    }
};

}  // namespace

Result<compute::DType> weight_type(const std::string& name) {
    for (const compute::DType dtype :
         {compute::DType::kF32, compute::DType::kF16, compute::DType::kBF16, compute::DType::kQ8_0,
          compute::DType::kQ4_K}) {
        if (compute::to_string(dtype) == name) return dtype;
    }
    return fail(ErrorCode::kInvalidArgument, "types are f32, f16, bf16, q8_0 and q4_K");
}

EngineBench::~EngineBench() = default;

Result<std::unique_ptr<EngineBench>> EngineBench::load(const EngineBenchOptions& options) {
    std::unique_ptr<EngineBench> bench(new EngineBench());
    bench->options_ = options;
    TemporaryModel temporary;
    HEDDLE_TRY(const fs::path path, model_path(options, temporary));
    const Clock::time_point start = Clock::now();
    HEDDLE_TRY(const auto files, model::ModelFiles::open(path));
    const model::ModelConfig& config = files->config();
    bench->tokens_ = made_up_tokens(config.vocabulary);

    engine::EngineConfig engine;
    engine.scheduler.schedule =
        options.schedule == "static" ? engine::Schedule::kStatic : engine::Schedule::kContinuous;
    engine.scheduler.static_batch = options.static_batch;
    engine.scheduler.block_tokens = kBlockTokens;
    engine.scheduler.block_count = options.kv_tokens / kBlockTokens + 1;
    engine.scheduler.step_tokens = std::max(options.step_tokens, options.sequences_max);
    engine.scheduler.sequences_max = options.sequences_max;
    engine.scheduler.context_tokens_max = static_cast<std::size_t>(config.context);
    engine.queue = {.requests_max = 1'000'000, .tokens_max = 1'000'000'000};

    engine::DecoderRunnerConfig runner;
    runner.decoder.rows_max = static_cast<std::int64_t>(engine.scheduler.step_tokens);
    runner.decoder.sequences_max = static_cast<std::int64_t>(options.sequences_max);
    runner.decoder.logit_rows_max = runner.decoder.sequences_max;
    runner.decoder.block_tokens = kBlockTokens;
    runner.block_count = static_cast<std::int64_t>(engine.scheduler.block_count);
    HEDDLE_TRY(runner.kv_dtype, weight_type(options.kv_type));
    HEDDLE_TRY(auto backend, compute::make_backend("cpu", {threads_or_cores(options.threads)}));
    HEDDLE_TRY(auto decoder,
               engine::DecoderRunner::load(std::move(backend), files, runner, bench->tokens_));
    bench->weight_bytes_ = bench->bytes_per_token_ = files->tensors().byte_count();
    const model::StoredTensor* table = files->tensors().find("token_embd.weight");
    if (table != nullptr && files->tensors().find("output.weight") != nullptr)
        bench->bytes_per_token_ -= table->bytes.size();
    bench->kv_bytes_ = 2 * static_cast<std::uint64_t>(config.layers * config.kv_width()) *
                       static_cast<std::uint64_t>(compute::block_bytes(runner.kv_dtype)) *
                       engine.scheduler.block_count * kBlockTokens;
    bench->engine_ = std::make_unique<engine::Engine>(
        engine, bench->tokens_, std::make_unique<engine::ThreadExecutor>(std::move(decoder)));
    bench->load_s_ = seconds_since(start);
    return bench;
}

std::vector<BenchRun> EngineBench::run(const std::vector<BenchRequest>& requests) {
    const auto progress = std::make_shared<Progress>();
    progress->runs.resize(requests.size());
    progress->left = requests.size();
    std::vector<engine::Generation> handles;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const BenchRequest& wanted = requests[i];
        std::this_thread::sleep_until(progress->start +
                                      std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double>(wanted.arrives_s)));
        Rng rng(options_.seed * 1'000'003 + prompts_made_++);
        engine::GenerationRequest request;
        for (std::size_t t = 0; t < wanted.prompt_tokens; ++t)
            request.prompt.push_back(static_cast<engine::TokenId>(rng.below(tokens_.size())));
        request.tokens_max = wanted.output_tokens;
        request.sampling.temperature = 0;
        request.sampling.ignore_end = true;
        {
            const std::lock_guard lock(progress->mutex);
            progress->runs[i].sent_s = seconds_since(progress->start);
            progress->runs[i].prompt_tokens = wanted.prompt_tokens;
        }
        auto handle = engine_->submit(std::move(request),
                                      [progress, i](const engine::GenerationEvent& event) {
                                          return progress->take(i, event);
                                      });
        if (handle) {
            handles.push_back(std::move(*handle));
            continue;
        }
        const std::lock_guard lock(progress->mutex);
        progress->runs[i].error = handle.error().message();
        --progress->left;
    }
    std::unique_lock lock(progress->mutex);
    progress->changed.wait(lock, [&] { return progress->left == 0; });
    return progress->runs;
}

double memory_read_rate(int threads) {
    constexpr std::int64_t kPart = 1 << 20;  // words of a task
    constexpr std::int64_t kTasks = 64;
    compute::ThreadPool pool(threads_or_cores(threads));
    const std::vector<std::uint64_t> data(kPart * kTasks, 1);
    std::atomic<std::uint64_t> total{0};
    double best = 0;
    for (int pass = 0; pass < 3; ++pass) {
        const Clock::time_point start = Clock::now();
        pool.run(kTasks, [&](std::int64_t task, int) {
            const std::uint64_t* words = data.data() + task * kPart;
            std::uint64_t sums[8] = {};
            for (std::int64_t i = 0; i < kPart; i += 8) {
                for (int lane = 0; lane < 8; ++lane) sums[lane] += words[i + lane];
            }
            for (const std::uint64_t sum : sums) total += sum;
        });
        best = std::max(best, static_cast<double>(data.size() * 8) / seconds_since(start));
    }
    return total.load() > 0 ? best : 0;
}

EngineBench::Memory EngineBench::memory() {
    Memory memory;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        const std::size_t digits = line.find_first_of("0123456789");
        if (digits == std::string::npos) continue;
        std::uint64_t kilobytes = 0;
        std::from_chars(line.data() + digits, line.data() + line.size(), kilobytes);
        if (line.starts_with("VmRSS:")) memory.resident = kilobytes << 10;
        if (line.starts_with("RssAnon:")) memory.anonymous = kilobytes << 10;
    }
    return memory;
}

}  // namespace heddle::app
