// How near the CPU kernels come to what the machine can do. For each weight type and number of
// rows: the time of a linear over weights that no cache holds, the bytes of weights read a second
// as a share of a plain read loop, and the operations a second as a share of a loop of fp32
// multiply-adds. Loops and kernels are measured in turn, so that a busy machine slows both.
//
//   bench_kernels [--threads N] [--isa avx2|…] [--seconds S] [--filter q4_K] [--rows M]
#include <immintrin.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "compute/backends.h"
#include "compute/half.h"
#include "compute/quant_blocks.h"
#include "compute/thread_pool.h"

namespace heddle::compute {
namespace {

constexpr std::int64_t kRows = 5632;  // TinyLlama's feed-forward
constexpr std::int64_t kCols = 2048;
constexpr std::int64_t kTasks = 16;  // of the loops, as a linear's panels are shared

double now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(since).count();
}

// One thread is measured by its processor time, which a busy machine does not stretch.
double work_time(int threads) {
    if (threads > 1) return now();
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Options {
    int threads = 2;
    cpu::IsaLevel isa = cpu::IsaLevel::kBest;
    double seconds = 0.5;
    std::string filter;
    std::int64_t rows = 0;  // 0 for all
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// Bytes a second of summing 512 MiB, all threads.
double read_loop(ThreadPool& pool, const std::vector<std::uint64_t>& data) {
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(pool.threads()) * 8);
    const double start = work_time(pool.threads());
    pool.run(kTasks, [&](std::int64_t task, int worker) {
        const Range range = split_evenly(static_cast<std::int64_t>(data.size() / 8), kTasks, task);
        std::uint64_t sum[8] = {};
        for (std::int64_t i = range.begin * 8; i < range.end * 8; i += 8) {
            for (int l = 0; l < 8; ++l) sum[l] += data[static_cast<std::size_t>(i + l)];
        }
        for (int l = 0; l < 8; ++l) sums[static_cast<std::size_t>(worker * 8)] += sum[l];
    });
    const double seconds = work_time(pool.threads()) - start;
    __asm__ volatile("" : : "m"(sums[0]) : "memory");
    return static_cast<double>(data.size() * 8) / seconds;
}

// Operations a second of independent fp32 multiply-adds in AVX2, all threads.
__attribute__((target("avx2,fma"))) void fma_loop(int rounds) {
    __m256 sums[12];
    for (auto& sum : sums) sum = _mm256_set1_ps(1.0F);
    __m256 a = _mm256_set1_ps(0.999F);
    __m256 b = _mm256_set1_ps(0.001F);
    for (int i = 0; i < rounds; ++i) {
        for (auto& sum : sums) sum = _mm256_fmadd_ps(sum, a, b);
        __asm__ volatile("" : "+x"(a), "+x"(b));
    }
    for (auto& sum : sums) __asm__ volatile("" : : "x"(sum));
}

double fma_rate(ThreadPool& pool) {
    constexpr int kRounds = 1'600'000;
    const double start = work_time(pool.threads());
    pool.run(kTasks, [](std::int64_t, int) { fma_loop(kRounds / kTasks); });
    return 12.0 * 16 * kRounds / (work_time(pool.threads()) - start);
}

std::vector<std::byte> random_weights(DType dtype, Rng& rng) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(kRows * row_bytes(dtype, kCols)));
    for (auto& byte : bytes) byte = static_cast<std::byte>(rng.next() & 0x3F);
    return bytes;
}

struct Sample {
    double seconds;
    double read;
    double fma;
};

class Bench {
public:
    explicit Bench(const Options& options)
        : options_(options),
          pool_(options.threads),
          backend_(std::move(make_backend("cpu", {options.threads, options.isa})).value()),
          data_(std::size_t{1} << 26, 1) {}

    void run() {
        std::printf("%s; linear [m, %ld] x [%ld, %ld]^T\n", backend_->info().description.c_str(),
                    kCols, kRows, kCols);
        std::printf("%-6s %4s %9s %9s %8s %9s %8s\n", "type", "m", "ms", "GB/s", "of read", "Gop/s",
                    "of fma");
        for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0,
                                  DType::kQ4_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
            if (!options_.filter.empty() && to_string(dtype) != options_.filter) continue;
            measure_type(dtype);
        }
    }

private:
    void measure_type(DType dtype) {
        Rng rng(1);
        const std::vector<std::byte> bytes = random_weights(dtype, rng);
        // As many copies as no cache holds.
        std::vector<WeightPtr> weights;
        const std::size_t copies = 1 + (std::size_t{128} << 20) / bytes.size();
        for (std::size_t i = 0; i < copies; ++i) {
            weights.push_back(std::move(backend_->prepare_linear({bytes, dtype, kRows, kCols},
                                                                 Arithmetic::kNative))
                                  .value());
        }
        for (const std::int64_t m : {1, 4, 16, 64, 512}) {
            if (options_.rows == 0 || options_.rows == m) measure(dtype, m, bytes.size(), weights);
        }
    }

    void measure(DType dtype, std::int64_t m, std::size_t bytes,
                 const std::vector<WeightPtr>& weights) {
        std::vector<float> x(static_cast<std::size_t>(m * kCols), 0.5F);
        std::vector<float> y(static_cast<std::size_t>(m * kRows));
        const ConstTensor in(x.data(), DType::kF32, {m, kCols});
        const Tensor out(y.data(), DType::kF32, {m, kRows});
        std::vector<Sample> samples;
        const double end = now() + options_.seconds;
        std::size_t next = 0;
        do {
            Sample sample{};
            const int repeats = m == 1 ? static_cast<int>(weights.size()) : 1;
            const double start = work_time(pool_.threads());
            for (int i = 0; i < repeats; ++i) {
                backend_->linear(out, in, *weights[next++ % weights.size()], {});
            }
            sample.seconds = (work_time(pool_.threads()) - start) / repeats;
            sample.read = read_loop(pool_, data_);
            sample.fma = fma_rate(pool_);
            samples.push_back(sample);
        } while (now() < end || samples.size() < 5);
        report(dtype, m, bytes, samples);
    }

    void report(DType dtype, std::int64_t m, std::size_t bytes,
                const std::vector<Sample>& samples) {
        const double ops = 2.0 * static_cast<double>(m * kRows * kCols);
        std::vector<double> seconds;
        std::vector<double> of_read;
        std::vector<double> of_fma;
        for (const Sample& s : samples) {
            seconds.push_back(s.seconds);
            of_read.push_back(static_cast<double>(bytes) / s.seconds / s.read);
            of_fma.push_back(ops / s.seconds / s.fma);
        }
        const double best = *std::min_element(seconds.begin(), seconds.end());
        std::printf("%-6s %4ld %9.3f %9.2f %7.0f%% %9.1f %7.0f%%\n",
                    std::string(to_string(dtype)).c_str(), m, 1e3 * best,
                    static_cast<double>(bytes) / best / 1e9, 100 * median(of_read),
                    ops / best / 1e9, 100 * median(of_fma));
        std::fflush(stdout);
    }

    Options options_;
    ThreadPool pool_;
    std::unique_ptr<Backend> backend_;
    std::vector<std::uint64_t> data_;
};

cpu::IsaLevel parse_isa(const std::string& name) {
    for (const cpu::IsaLevel level : cpu::available_isas()) {
        if (name == to_string(level)) return level;
    }
    std::fprintf(stderr, "this processor has no %s\n", name.c_str());
    std::exit(2);
}

}  // namespace
}  // namespace heddle::compute

int main(int argc, char** argv) {
    heddle::compute::Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string flag = argv[i];
        const std::string value = argv[i + 1];
        if (flag == "--threads") options.threads = std::max(1, std::atoi(value.c_str()));
        if (flag == "--seconds") options.seconds = std::atof(value.c_str());
        if (flag == "--filter") options.filter = value;
        if (flag == "--rows") options.rows = std::atoll(value.c_str());
        if (flag == "--isa") options.isa = heddle::compute::parse_isa(value);
    }
    heddle::compute::Bench(options).run();
}
