#include "app/commands/bench_engine.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/command_line.h"
#include "app/engine_bench.h"
#include "model/random_model.h"

namespace heddle::app {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
    EngineBenchOptions engine;
    WorkloadOptions work;
    std::size_t batch = 1;     // latency
    std::size_t repeats = 5;   // latency
    std::size_t warm_ups = 1;  // latency
    std::string save;
};

void add_engine_options(CLI::App& command, Arguments& given) {
    EngineBenchOptions& engine = given.engine;
    command.add_option("--model", engine.model, "a model's file or folder");
    command.add_option("--shape", engine.shape, "else random weights of this shape")
        ->capture_default_str();
    command.add_option("--weights", engine.weights, "and of this type")
        ->check(CLI::IsMember({"f32", "f16", "bf16", "q8_0", "q4_K"}))
        ->capture_default_str();
    command.add_option("--kv-type", engine.kv_type, "of keys and values")
        ->check(CLI::IsMember({"f32", "f16", "bf16"}))
        ->capture_default_str();
    command.add_option("--threads", engine.threads, "0: the cores")->check(CLI::Range(0, 1024));
    command.add_option("--step-tokens", engine.step_tokens, "budget of a step")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    command.add_option("--sequences", engine.sequences_max, "running at once")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    command.add_option("--kv-tokens", engine.kv_tokens, "that the blocks hold together")
        ->check(CLI::Range(64, 1 << 28))
        ->capture_default_str();
    command.add_option("--input-len", given.work.prompt_tokens, "tokens of a prompt")
        ->capture_default_str();
    command.add_option("--output-len", given.work.output_tokens, "tokens of an answer")
        ->capture_default_str();
    command.add_option("--seed", given.work.seed, "of lengths, tokens and weights");
    command.add_option("--save", given.save, "write the figures as JSON");
}

Json setting_of(const Arguments& given, const EngineBench& bench) {
    const EngineBench::Memory memory = EngineBench::memory();
    return {{"model", given.engine.model.empty() ? given.engine.shape : given.engine.model},
            {"weights", given.engine.model.empty() ? given.engine.weights : "as stored"},
            {"kv_type", given.engine.kv_type},
            {"schedule", given.engine.schedule},
            {"static_batch", given.engine.schedule == "static" ? given.engine.static_batch : 0},
            {"workload", given.work.kind},
            {"input_len", given.work.prompt_tokens},
            {"output_len", given.work.output_tokens},
            {"load_s", bench.load_s()},
            {"weight_bytes", bench.weight_bytes()},
            {"bytes_per_token", bench.bytes_per_token()},
            {"kv_bytes", bench.kv_bytes()},
            {"resident_bytes", memory.resident},
            {"anonymous_bytes", memory.anonymous}};
}

int save(const Arguments& given, const std::string& json) {
    if (given.save.empty()) return kExitOk;
    std::ofstream file(given.save);
    file << json;
    if (file.flush()) return kExitOk;
    return report(Error(ErrorCode::kIo, given.save + " cannot be written"));
}

double duration_of(const std::vector<BenchRun>& runs) {
    double end = 0;
    for (const BenchRun& run : runs) end = std::max(end, run.last_s);
    return end;
}

int run_throughput(Arguments given) {
    if (given.engine.schedule == "static") given.engine.sequences_max = given.engine.static_batch;
    given.engine.seed = given.work.seed;
    const auto requests = make_workload(given.work);
    if (!requests) return report(requests.error());
    const auto bench = EngineBench::load(given.engine);
    if (!bench) return report(bench.error());
    const std::vector<BenchRun> runs = (*bench)->run(*requests);
    const BenchSummary summary = summarise(runs, duration_of(runs));
    std::fputs(table_of(summary).c_str(), stdout);
    return save(given, json_of(summary, setting_of(given, **bench).dump()));
}

// One batch again and again, each with prompts of its own.
int run_latency(Arguments given) {
    given.engine.sequences_max = std::max(given.engine.sequences_max, given.batch);
    given.work.requests = given.batch;
    given.engine.seed = given.work.seed;
    const auto requests = make_workload(given.work);
    if (!requests) return report(requests.error());
    const auto bench = EngineBench::load(given.engine);
    if (!bench) return report(bench.error());
    std::vector<double> seconds, prefill, decode;
    for (std::size_t i = 0; i < given.warm_ups + given.repeats; ++i) {
        const std::vector<BenchRun> runs = (*bench)->run(*requests);
        if (i < given.warm_ups) continue;
        double prompts_in = 0;
        for (const BenchRun& run : runs) {
            if (!run.error.empty()) return report(Error(ErrorCode::kInternal, run.error));
            prompts_in = std::max(prompts_in, run.first_s);
        }
        const double end = duration_of(runs);
        const auto batch = static_cast<double>(given.batch);
        seconds.push_back(end);
        prefill.push_back(batch * static_cast<double>(given.work.prompt_tokens) / prompts_in);
        if (given.work.output_tokens > 1) {
            decode.push_back(batch * static_cast<double>(given.work.output_tokens - 1) /
                             (end - prompts_in));
        }
    }
    const auto best_and_median = [](const std::vector<double>& rates) {
        const Percentiles p = percentiles_of(rates);
        return Json{{"best", p.max}, {"median", p.p50}};
    };
    const Percentiles latency = percentiles_of(seconds);
    Json json = {
        {"setting", setting_of(given, **bench)},
        {"batch", given.batch},
        {"latency_s", {{"mean", latency.mean}, {"p50", latency.p50}, {"p99", latency.p99}}},
        {"prefill_tokens_per_s", best_and_median(prefill)}};
    std::printf(
        "batch of %zu, %zu runs: %.3f s (median), first tokens at %.1f tokens/s (best %.1f)",
        given.batch, given.repeats, latency.p50, percentiles_of(prefill).p50,
        percentiles_of(prefill).max);
    if (!decode.empty()) {
        json["decode_tokens_per_s"] = best_and_median(decode);
        json["memory_read_bytes_per_s"] = memory_read_rate(given.engine.threads);
        std::printf(", the rest at %.2f (best %.2f)", percentiles_of(decode).p50,
                    percentiles_of(decode).max);
    }
    std::printf("\nloaded in %.2f s\n", (*bench)->load_s());
    return save(given, json.dump(1) + "\n");
}

int run_model(const Arguments& given, const std::string& path) {
    const auto shape = model::find_shape(given.engine.shape);
    if (!shape) return report(shape.error());
    const auto dtype = weight_type(given.engine.weights);
    if (!dtype) return report(dtype.error());
    const auto written = model::write_random_model(path, *shape, *dtype, given.work.seed);
    return written ? kExitOk : report(written.error());
}

void add_throughput(CLI::App& bench, int& status) {
    const auto given = std::make_shared<Arguments>();
    CLI::App* command =
        bench.add_subcommand("throughput", "all requests at once through the engine in process");
    add_engine_options(*command, *given);
    command->add_option("--num-prompts", given->work.requests, "requests")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->add_option("--request-rate", given->work.rate, "Poisson arrivals a second; 0: burst");
    command
        ->add_option("--workload", given->work.kind,
                     "claim: answers from an exponential of mean 128, --output-len being the cap")
        ->check(CLI::IsMember({"fixed", "uniform", "claim"}))
        ->capture_default_str();
    command->add_option("--schedule", given->engine.schedule, "static: naive padded batches")
        ->check(CLI::IsMember({"continuous", "static"}))
        ->capture_default_str();
    command->add_option("--static-batch", given->engine.static_batch, "prompts in a static batch")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    command->callback([given, &status] { status = run_throughput(*given); });
}

void add_latency(CLI::App& bench, int& status) {
    const auto given = std::make_shared<Arguments>();
    CLI::App* command = bench.add_subcommand("latency", "one batch through the engine, repeated");
    add_engine_options(*command, *given);
    command->add_option("--batch-size", given->batch, "sequences at once")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    command->add_option("--num-iters", given->repeats, "runs that count")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_option("--num-iters-warmup", given->warm_ups, "runs before")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    command->callback([given, &status] { status = run_latency(*given); });
}

}  // namespace

void add_engine_benches(CLI::App& bench, int& status) {
    add_throughput(bench, status);
    add_latency(bench, status);
    struct Model {
        Arguments given;
        std::string path;
    };
    const auto wanted = std::make_shared<Model>();
    CLI::App* command = bench.add_subcommand("model", "write a model with random weights (GGUF)");
    command->add_option("path", wanted->path, "the file")->required();
    command->add_option("--shape", wanted->given.engine.shape)->capture_default_str();
    command->add_option("--weights", wanted->given.engine.weights)->capture_default_str();
    command->add_option("--seed", wanted->given.work.seed);
    command->callback([wanted, &status] { status = run_model(wanted->given, wanted->path); });
}

}  // namespace heddle::app
