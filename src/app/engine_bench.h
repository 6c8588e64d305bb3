// Drives the engine in this process, without HTTP: a model from a file, or one of a known shape
// with random weights, and requests of random tokens.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/bench_report.h"
#include "app/bench_workload.h"
#include "base/result.h"
#include "compute/dtype.h"
#include "engine/engine.h"
#include "engine/token_table.h"

namespace heddle::app {

struct EngineBenchOptions {
    std::string model;  // a path; empty: random weights of `shape`
    std::string shape = "tinyllama-1.1b";
    std::string weights = "q8_0";
    std::string kv_type = "f32";
    std::string schedule = "continuous";
    std::size_t static_batch = 16;
    int threads = 0;  // 0: the cores
    std::size_t step_tokens = 512;
    std::size_t sequences_max = 64;
    std::size_t kv_tokens = 32'768;  // that fit into the blocks together
    std::uint64_t seed = 0;
};

class EngineBench {
public:
    // Loads the model. The load's time and the process's memory are noted.
    static Result<std::unique_ptr<EngineBench>> load(const EngineBenchOptions& options);
    ~EngineBench();

    // Submits the requests when they arrive and waits for all answers. Prompts are random and
    // share no beginning; answers run to their full length.
    [[nodiscard]] std::vector<BenchRun> run(const std::vector<BenchRequest>& requests);

    [[nodiscard]] double load_s() const { return load_s_; }
    // Resident, of this process: all, and without the pages of mapped files.
    struct Memory {
        std::uint64_t resident = 0;
        std::uint64_t anonymous = 0;
    };
    [[nodiscard]] static Memory memory();
    [[nodiscard]] std::uint64_t weight_bytes() const { return weight_bytes_; }
    // Of weights, that one token reads: without a table of embeddings that has no other use.
    [[nodiscard]] std::uint64_t bytes_per_token() const { return bytes_per_token_; }
    [[nodiscard]] std::uint64_t kv_bytes() const { return kv_bytes_; }

private:
    EngineBench() = default;

    EngineBenchOptions options_;
    engine::TokenTable tokens_;
    std::unique_ptr<engine::Engine> engine_;
    std::uint64_t prompts_made_ = 0;
    double load_s_ = 0;
    std::uint64_t weight_bytes_ = 0;
    std::uint64_t bytes_per_token_ = 0;
    std::uint64_t kv_bytes_ = 0;
};

// Bytes a second that so many threads (0: the cores) read from memory in a plain loop: what
// decoding is measured against. The best of three passes over 512 MiB.
[[nodiscard]] double memory_read_rate(int threads);

// "f32", "f16", "bf16", "q8_0" or "q4_K".
[[nodiscard]] Result<compute::DType> weight_type(const std::string& name);

}  // namespace heddle::app
