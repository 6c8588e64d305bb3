// What bench_cuda can do; each prints JSON lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace heddle::bench {

struct SpeedOptions {
    std::filesystem::path module;
    std::string model;           // tinyllama, llama3-8b or llama2-13b: its shape, random weights
    std::filesystem::path work;  // of make_work.py
    std::vector<std::string> cases;
    std::int64_t step_tokens = 8'192;
    std::int64_t sequences_max = 512;
    double memory_fraction = 0.85;
    bool graphs = true;
    bool tune = true;
};
int measure_speed(const SpeedOptions& options);

struct LogitOptions {
    std::filesystem::path module;
    std::filesystem::path model;    // a model folder
    std::filesystem::path prompts;  // JSON: [[ids…]…]
    std::filesystem::path out;      // fp32 logits, [prompts, new tokens, vocabulary]
    std::int64_t new_tokens = 16;
    std::int64_t step_tokens = 100;  // small, so that prompts come in chunks
    bool together = true;            // all prompts as one batch, else one after another
    bool graphs = true;
};
// Greedy answers and the logits behind each of their tokens.
int write_logits(const LogitOptions& options);

}  // namespace heddle::bench
