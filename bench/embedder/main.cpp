// Embeds the texts of a file (NUL between them) and says how long it took; run.py compares the
// vectors and the times with sentence-transformers and onnxruntime.
//   bench_embedder MODEL_FOLDER TEXTS VECTORS_OUT [native|bf16|int8] [threads] [repeats] [step]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compute/backends.h"
#include "model/encoder.h"
#include "model/mapped_file.h"
#include "text/tokenizer_json.h"

namespace {

using namespace heddle;
using Clock = std::chrono::steady_clock;

struct Options {
    std::filesystem::path folder, texts, vectors;
    compute::Arithmetic arithmetic = compute::Arithmetic::kNative;
    int threads = 1;
    int repeats = 1;
    std::int64_t tokens_per_step = 1024;
};

std::vector<std::string> read_texts(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::vector<std::string> texts;
    for (std::string text; std::getline(in, text, '\0');) texts.push_back(text);
    return texts;
}

// kB of memory of our own, without mapped files.
long private_kb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) return std::strtol(line.c_str() + 8, nullptr, 10);
    }
    return 0;
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<> run(const Options& options) {
    const auto start = Clock::now();
    HEDDLE_TRY(const std::string json,
               model::read_text_file(options.folder / "tokenizer.json", 64 << 20));
    HEDDLE_TRY(const auto tokenizer, text::tokenizer_from_json(json));
    HEDDLE_TRY(const auto backend, compute::make_backend("cpu", {.threads = options.threads}));
    HEDDLE_TRY(const auto encoder,
               model::Encoder::load(
                   options.folder, *backend,
                   {.arithmetic = options.arithmetic, .tokens_per_step = options.tokens_per_step}));
    fmt::print("{} | loaded in {:.3f} s, {} kB private, {} kB packed\n",
               backend->info().description, seconds_since(start), private_kb(),
               encoder->owned_bytes() / 1024);

    const std::vector<std::string> texts = read_texts(options.texts);
    std::vector<float> vectors(texts.size() * static_cast<std::size_t>(encoder->dimensions()));
    std::size_t tokens = 0;
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
        const auto begin = Clock::now();
        const std::clock_t begin_cpu = std::clock();
        std::vector<std::vector<std::int32_t>> ids;
        std::vector<model::EncoderSequence> batch;
        tokens = 0;
        for (const std::string& text : texts) {
            ids.push_back(tokenizer->encode(text));
            const auto limit = static_cast<std::size_t>(encoder->tokens_max());
            if (ids.back().size() > limit) {  // as sentence-transformers cuts, for comparison
                const std::int32_t last = ids.back().back();
                ids.back().resize(limit);
                ids.back().back() = last;
            }
            tokens += ids.back().size();
        }
        for (const auto& row : ids) batch.push_back({row});
        const double tokenized = seconds_since(begin);
        HEDDLE_TRY_VOID(encoder->embed(batch, vectors));
        fmt::print("run {} seconds {:.4f} cpu {:.4f}, tokenizing {:.4f}, {} tokens\n", repeat,
                   seconds_since(begin),
                   static_cast<double>(std::clock() - begin_cpu) / CLOCKS_PER_SEC, tokenized,
                   tokens);
    }
    fmt::print("{} kB private\n", private_kb());
    std::ofstream(options.vectors, std::ios::binary)
        .write(reinterpret_cast<const char*>(vectors.data()),
               static_cast<std::streamsize>(vectors.size() * sizeof(float)));
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs(
            "bench_embedder MODEL_FOLDER TEXTS VECTORS_OUT [native|bf16|int8] [threads] "
            "[repeats] [tokens per step]\n",
            stderr);
        return 2;
    }
    Options options{argv[1], argv[2], argv[3]};
    const std::string_view kind = argc > 4 ? argv[4] : "native";
    if (kind == "bf16") options.arithmetic = compute::Arithmetic::kBF16;
    if (kind == "int8") options.arithmetic = compute::Arithmetic::kI8;
    if (argc > 5) options.threads = std::atoi(argv[5]);
    if (argc > 6) options.repeats = std::atoi(argv[6]);
    if (argc > 7) options.tokens_per_step = std::atoi(argv[7]);
    const Result<> done = run(options);
    if (!done) {
        fmt::print(stderr, "{}\n", done.error().message());
        return 1;
    }
    return 0;
}
