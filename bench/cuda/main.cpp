// bench_cuda speed MODULE MODEL WORK [--case NAME]… [--step-tokens N] [--sequences N]
//     [--no-graphs] [--no-tune]
// bench_cuda logits MODULE FOLDER PROMPTS OUT [--alone] [--no-graphs] [--new N]
#include <fmt/format.h>

#include <cstdlib>
#include <span>
#include <string_view>

#include "commands.h"

namespace {

// The values behind each `name`, or whether it is there at all.
std::vector<std::string> values_of(std::span<char*> arguments, std::string_view name) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
        if (arguments[i] == name) values.emplace_back(arguments[i + 1]);
    }
    return values;
}

bool has(std::span<char*> arguments, std::string_view name) {
    for (const char* argument : arguments) {
        if (argument == name) return true;
    }
    return false;
}

std::int64_t number(std::span<char*> arguments, std::string_view name, std::int64_t otherwise) {
    const auto values = values_of(arguments, name);
    return values.empty() ? otherwise : std::atoll(values.back().c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (command == "speed" && argc >= 5) {
        heddle::bench::SpeedOptions options;
        options.module = argv[2];
        options.model = argv[3];
        options.work = argv[4];
        options.cases = values_of(arguments, "--case");
        options.step_tokens = number(arguments, "--step-tokens", options.step_tokens);
        options.sequences_max = number(arguments, "--sequences", options.sequences_max);
        options.graphs = !has(arguments, "--no-graphs");
        options.tune = !has(arguments, "--no-tune");
        return heddle::bench::measure_speed(options);
    }
    if (command == "logits" && argc >= 6) {
        heddle::bench::LogitOptions options;
        options.module = argv[2];
        options.model = argv[3];
        options.prompts = argv[4];
        options.out = argv[5];
        options.new_tokens = number(arguments, "--new", options.new_tokens);
        options.together = !has(arguments, "--alone");
        options.graphs = !has(arguments, "--no-graphs");
        return heddle::bench::write_logits(options);
    }
    fmt::print(stderr, "usage: see the top of main.cpp\n");
    return 2;
}
