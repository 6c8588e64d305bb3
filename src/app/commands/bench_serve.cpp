#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/command_line.h"
#include "app/commands/bench_engine.h"
#include "app/serve_bench.h"
#include "async/runtime.h"

namespace heddle::app {
namespace {

struct Arguments {
    ServeBenchOptions options{.base_url = "http://127.0.0.1:8000/v1"};
    WorkloadOptions work{.requests = 100, .prompt_tokens = 128};
    std::string endpoint = "chat";
    std::string key_file;
    std::vector<std::string> goodput;  // ttft:500 tpot:50 e2el:5000
    std::string save;
};

Result<GoodputLimits> limits_of(const std::vector<std::string>& given) {
    GoodputLimits limits;
    for (const std::string& text : given) {
        const std::size_t colon = std::min(text.find(':'), text.size());
        const std::string name = text.substr(0, colon);
        double value = 0;
        const char* begin = text.data() + std::min(colon + 1, text.size());
        const auto [end, ec] = std::from_chars(begin, text.data() + text.size(), value);
        std::optional<double>* limit = name == "ttft"   ? &limits.ttft_ms
                                       : name == "tpot" ? &limits.tpot_ms
                                       : name == "e2el" ? &limits.e2el_ms
                                                        : nullptr;
        if (limit == nullptr || ec != std::errc() || end != text.data() + text.size() || value <= 0)
            return fail(ErrorCode::kInvalidArgument,
                        "--goodput takes ttft:MS, tpot:MS and e2el:MS");
        *limit = value;
    }
    return limits;
}

Result<std::string> run_serve(Arguments given) {
    HEDDLE_TRY(const GoodputLimits limits, limits_of(given.goodput));
    HEDDLE_TRY(const std::vector<BenchRequest> requests, make_workload(given.work));
    if (!given.key_file.empty()) {
        std::ifstream file(given.key_file);
        if (!std::getline(file, given.options.key))
            return fail(ErrorCode::kInvalidArgument, given.key_file + " cannot be read");
    }
    given.options.chat = given.endpoint == "chat";
    given.options.seed = given.work.seed;
    http::ClientOptions client;
    client.idle_per_origin_max = requests.size();
    client.stall_timeout = given.options.timeout;
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    HEDDLE_TRY(const std::vector<BenchRun> runs,
               runtime.run(run_serve_bench(given.options, requests,
                                           std::make_shared<http::Client>(client))));
    double end = 0;
    for (const BenchRun& run : runs) end = std::max(end, run.last_s);
    const BenchSummary summary = summarise(runs, end, limits);
    std::fputs(table_of(summary).c_str(), stdout);
    const auto failed =
        std::ranges::find_if(runs, [](const BenchRun& run) { return !run.error.empty(); });
    if (failed != runs.end())
        std::fprintf(stderr, "heddle: a request failed: %s\n", failed->error.c_str());
    const nlohmann::ordered_json setting = {{"base_url", given.options.base_url},
                                            {"endpoint", given.endpoint},
                                            {"workload", given.work.kind},
                                            {"num_prompts", given.work.requests},
                                            {"input_len", given.work.prompt_tokens},
                                            {"output_len", given.work.output_tokens},
                                            {"request_rate", given.work.rate},
                                            {"max_concurrency", given.options.concurrent_max},
                                            {"seed", given.work.seed}};
    return json_of(summary, setting.dump());
}

int run(const Arguments& given) {
    const auto json = run_serve(given);
    if (!json) return report(json.error());
    if (given.save.empty()) return kExitOk;
    std::ofstream file(given.save);
    file << *json;
    if (file.flush()) return kExitOk;
    return report(Error(ErrorCode::kIo, given.save + " cannot be written"));
}

}  // namespace

void add_serve_bench(CLI::App& bench, int& status) {
    const auto given = std::make_shared<Arguments>();
    CLI::App* command =
        bench.add_subcommand("serve", "drive any OpenAI-compatible server with streamed requests");
    command->add_option("--base-url", given->options.base_url, "ends in /v1")
        ->capture_default_str();
    command->add_option("--model", given->options.model, "default: the first that it lists");
    command->add_option("--key-file", given->key_file, "key sent to the server");
    command->add_option("--endpoint", given->endpoint, "which API")
        ->check(CLI::IsMember({"chat", "completions"}))
        ->capture_default_str();
    command->add_option("--num-prompts", given->work.requests, "requests")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->add_option("--request-rate", given->work.rate,
                        "Poisson arrivals a second; 0: all at once");
    command->add_option("--max-concurrency", given->options.concurrent_max,
                        "in flight at once; 0: as they arrive");
    command->add_option("--workload", given->work.kind, "of lengths")
        ->check(CLI::IsMember({"fixed", "uniform", "claim"}))
        ->capture_default_str();
    command->add_option("--input-len", given->work.prompt_tokens, "words of a prompt")
        ->capture_default_str();
    command->add_option("--output-len", given->work.output_tokens, "tokens of an answer")
        ->capture_default_str();
    command->add_option("--goodput", given->goodput,
                        "what counts as good: ttft:MS tpot:MS e2el:MS");
    command->add_option("--seed", given->work.seed, "of lengths, arrivals and words");
    command->add_option("--save", given->save, "write the figures as JSON");
    command->callback([given, &status] { status = run(*given); });
}

}  // namespace heddle::app
