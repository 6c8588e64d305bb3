// heddle plan: the arithmetic of memory. What a model's weights and a token of its context take,
// and so how many sequences of which length fit, in blocks and when each reserves the whole
// context.
#include "model/plan.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/commands/commands.h"
#include "app/hub_settings.h"
#include "app/settings.h"
#include "model/model_files.h"

namespace heddle::app {
namespace {

struct Arguments {
    std::string model;
    std::string memory;
    std::string overhead = "200MiB";
    std::int64_t block_tokens = 16;
    std::vector<std::int64_t> lengths;
};

std::string gibibytes(std::uint64_t bytes) {
    return fmt::format("{:>9.2f} GiB", static_cast<double>(bytes) / (1 << 30));
}

Result<compute::DType> kv_type_of(const std::string& name) {
    if (name == "bf16") return compute::DType::kBF16;
    if (name == "f16") return compute::DType::kF16;
    return compute::DType::kF32;
}

void print(const model::ModelConfig& config, const model::PlanRequest& request,
           const model::Plan& plan) {
    std::printf("%s: %ld layers, %ld heads over %ld of %ld, context %ld tokens\n\n",
                config.architecture.c_str(), config.layers, config.heads, config.kv_heads,
                config.head_dim, config.context);
    std::printf("  memory       %s\n", gibibytes(request.memory_bytes).c_str());
    std::printf("- weights      %s   as the files hold them\n",
                gibibytes(plan.weight_bytes).c_str());
    std::printf("- program      %s   workspaces included (--overhead)\n",
                gibibytes(request.overhead_bytes).c_str());
    std::printf("= for context  %s   %ld blocks of %ld tokens\n\n",
                gibibytes(plan.kv_bytes).c_str(), plan.blocks, request.block_tokens);
    std::printf(
        "A token of context takes 2 (keys, values) x %ld layers x %ld heads x %ld x %ld "
        "bytes = %llu bytes; %ld tokens fit.\n\n",
        config.layers, config.kv_heads, config.head_dim, compute::block_bytes(request.kv_dtype),
        static_cast<unsigned long long>(plan.kv_bytes_per_token), plan.tokens);
    std::printf("%12s %18s %24s %8s\n", "tokens each", "paged: sequences",
                fmt::format("static: {} each", config.context).c_str(), "gain");
    for (const model::PlanRow& row : plan.rows) {
        const std::string gain =
            row.reserved == 0 ? "-"
                              : fmt::format("{:.1f}x", static_cast<double>(row.paged) /
                                                           static_cast<double>(row.reserved));
        std::printf("%12ld %18ld %24ld %8s\n", row.tokens, row.paged, row.reserved, gain.c_str());
    }
}

Result<> run_plan(const Config& config, const Arguments& given) {
    HEDDLE_TRY(const std::string path, resolve_model(config, given.model));
    HEDDLE_TRY(const auto files, model::ModelFiles::open(path));
    model::PlanRequest request;
    HEDDLE_TRY(request.memory_bytes, parse_bytes(given.memory));
    HEDDLE_TRY(request.overhead_bytes, parse_bytes(given.overhead));
    HEDDLE_TRY(request.kv_dtype, kv_type_of(config.kv_type));
    request.weight_bytes = files->tensors().byte_count();
    request.block_tokens = given.block_tokens;
    if (!given.lengths.empty()) request.lengths = given.lengths;
    HEDDLE_TRY(const model::Plan plan, model::plan_memory(files->config(), request));
    print(files->config(), request, plan);
    return {};
}

int run(const SettingFlags& flags, const Arguments& given) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    const auto planned = run_plan(*config, given);
    return planned ? kExitOk : report(planned.error());
}

std::function<int()> set_up(CLI::App& command) {
    const auto given = std::make_shared<Arguments>();
    command.add_option("planned", given->model, "a model's file, folder, or pulled name")
        ->required();
    command.add_option("--memory", given->memory, "what there is, e.g. 40GiB")->required();
    command.add_option("--overhead", given->overhead, "of the program itself")
        ->capture_default_str();
    command.add_option("--block-tokens", given->block_tokens, "tokens in a block")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    command.add_option("--length", given->lengths, "tokens of a sequence (may be repeated)")
        ->check(CLI::Range(1, 1 << 30))
        ->expected(1)
        ->take_all();
    const SettingFlags flags(command);
    return [=] { return run(flags, *given); };
}

}  // namespace

Command plan_command() {
    return {"plan", "say how many sequences of which length fit into memory", set_up};
}

}  // namespace heddle::app
