// What a decoder takes of the device: weights, work space, and keys and values from the rest.
#include <algorithm>
#include <cstdio>
#include <string>

#include "compute/cuda/device/decoder.h"

namespace heddle::compute::cuda {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
// The library's kernels, captured graphs, and what the allocator rounds up.
constexpr std::uint64_t kMarginBytes = std::uint64_t{512} << 20;

void require(bool holds, const char* rule) {
    if (!holds) throw DeviceFailure(kHeddleCudaInvalid, rule);
}

void check_model(const HeddleCudaModel& m) {
    require(m.layers > 0 && m.hidden > 0 && m.intermediate > 0 && m.vocabulary > 0,
            "a model has layers");
    require(m.tokens > 0 && m.tokens <= m.vocabulary, "tokens are in the vocabulary");
    require(m.heads > 0 && m.kv_heads > 0 && m.heads % m.kv_heads == 0,
            "query heads are a multiple of key heads");
    require(m.heads / m.kv_heads <= 16, "at most 16 query heads share a key head");
    require(m.head_dim == 64 || m.head_dim == 96 || m.head_dim == 128 || m.head_dim == 256,
            "heads of 64, 96, 128 or 256 elements are built for this device");
    require(m.rotary_dim >= 0 && m.rotary_dim <= m.head_dim && m.rotary_dim % 2 == 0,
            "the rotated part of a head is even");
    require(m.hidden % 8 == 0 && m.hidden <= 16'384 && m.intermediate % 8 == 0,
            "rows are a multiple of eight elements");
}

void check_limits(const HeddleCudaLimits& l) {
    require(l.rows_max >= 1 && l.rows_max <= 65'536, "a step has 1 to 65,536 rows");
    require(l.sequences_max >= 1 && l.sequences_max <= 4'096 && l.sequences_max <= l.rows_max,
            "a step has 1 to 4,096 sequences, and a row for each");
    require(l.block_tokens >= 16 && l.block_tokens <= 256 &&
                (l.block_tokens & (l.block_tokens - 1)) == 0,
            "a block holds 16 to 256 tokens, a power of two");
    require(l.memory_fraction > 0 && l.memory_fraction <= 1, "a fraction of the memory");
}

}  // namespace

DeviceDecoder::DeviceDecoder(const HeddleCudaModel& model, const HeddleCudaLimits& limits,
                             HeddleCudaMemory& memory)
    : model_(model), limits_(limits), windows_(model.windows, model.windows + model.layers) {
    check_model(model_);
    check_limits(limits_);
    model_.windows = windows_.data();
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || limits.device < 0 ||
        limits.device >= devices) {
        throw DeviceFailure(kHeddleCudaUnavailable,
                            "no such CUDA device; " + std::to_string(devices) + " are there");
    }
    check(cudaSetDevice(limits.device), "device");
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, limits.device), "device");
    if (properties.major != 9) {
        throw DeviceFailure(
            kHeddleCudaUnavailable,
            std::string("the kernels are built for Hopper, not for ") + properties.name);
    }
    std::snprintf(memory.device_name, sizeof(memory.device_name), "%s", properties.name);
    std::size_t free_bytes = 0;
    std::size_t device_bytes = 0;
    check(cudaMemGetInfo(&free_bytes, &device_bytes), "device memory");
    memory.free_bytes = free_bytes;
    memory.device_bytes = device_bytes;
    fit(memory);
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream");
    prepare_attention();
    prepare_skinny();
    products_ = std::make_unique<MatrixProducts>();
    weights_ = std::make_unique<DecoderWeights>(model_, memory_);
    take_work(memory_);
    const std::int64_t elements = static_cast<std::int64_t>(model_.layers) * block_count_ *
                                  model_.kv_heads * limits_.block_tokens * model_.head_dim;
    keys_ = memory_.take<bf16>(elements);
    values_ = memory_.take<bf16>(elements);
    // What was zeroed is so before other streams write.
    check(cudaDeviceSynchronize(), "device memory");
}

// The cache gets what the fraction leaves, and the message says what does not fit.
void DeviceDecoder::fit(HeddleCudaMemory& memory) {
    memory.weight_bytes = DecoderWeights::bytes(model_);
    memory.work_bytes = work_bytes() + MatrixProducts::kWorkspaceBytes + kMarginBytes;
    const std::uint64_t block_bytes = 4ULL * static_cast<std::uint64_t>(model_.layers) *
                                      static_cast<std::uint64_t>(model_.kv_heads) *
                                      static_cast<std::uint64_t>(model_.head_dim) *
                                      static_cast<std::uint64_t>(limits_.block_tokens);
    const std::uint64_t taken = memory.weight_bytes + memory.work_bytes;
    const auto allowed = static_cast<std::uint64_t>(limits_.memory_fraction *
                                                    static_cast<double>(memory.device_bytes));
    const std::uint64_t used = memory.device_bytes - memory.free_bytes;
    const std::uint64_t room = allowed > used + taken ? allowed - used - taken : 0;
    const auto fitting = static_cast<std::int64_t>(room / block_bytes);
    block_count_ = limits_.block_count > 0 ? limits_.block_count : fitting;
    memory.block_count = block_count_;
    memory.kv_bytes = static_cast<std::uint64_t>(block_count_) * block_bytes;
    const std::int64_t blocks_min =
        limits_.block_count > 0
            ? limits_.block_count
            : (model_.context_max + limits_.block_tokens - 1) / limits_.block_tokens;
    if (fitting >= blocks_min) return;
    char text[400];
    std::snprintf(text, sizeof(text),
                  "the model does not fit: weights %.2f GiB + work space %.2f GiB + keys and "
                  "values of %lld blocks of %d tokens %.2f GiB, but %.0f %% of %.2f GiB less "
                  "%.2f GiB in use leaves %.2f GiB; serve a shorter context, a smaller step or "
                  "a larger memory fraction",
                  static_cast<double>(memory.weight_bytes) / kGiB,
                  static_cast<double>(memory.work_bytes) / kGiB, static_cast<long long>(blocks_min),
                  limits_.block_tokens,
                  static_cast<double>(static_cast<std::uint64_t>(blocks_min) * block_bytes) / kGiB,
                  limits_.memory_fraction * 100, static_cast<double>(memory.device_bytes) / kGiB,
                  static_cast<double>(used) / kGiB,
                  static_cast<double>(allowed > used ? allowed - used : 0) / kGiB);
    throw DeviceFailure(kHeddleCudaUnavailable, text);
}

std::uint64_t DeviceDecoder::work_bytes() const {
    const HeddleCudaModel& m = model_;
    const auto rows = static_cast<std::uint64_t>(limits_.rows_max);
    const auto samples = static_cast<std::uint64_t>(limits_.sequences_max);
    const auto width = static_cast<std::uint64_t>(
        3 * m.hidden + (2 * m.heads + 2 * m.kv_heads) * m.head_dim + 3 * m.intermediate);
    const auto per_sample = static_cast<std::uint64_t>(2 * m.hidden + 4 * m.vocabulary);
    const std::uint64_t split =
        static_cast<std::uint64_t>((132 * 6 / m.kv_heads + limits_.sequences_max + 32) * m.heads) *
        static_cast<std::uint64_t>(m.head_dim + 2) * 4;
    return rows * width * sizeof(bf16) + samples * per_sample + split +
           packed_words_max(m, limits_) * 4;
}

void DeviceDecoder::take_work(DeviceMemory& memory) {
    const HeddleCudaModel& m = model_;
    const std::int64_t rows = limits_.rows_max;
    const std::int64_t samples = limits_.sequences_max;
    const std::int64_t query_width = static_cast<std::int64_t>(m.heads) * m.head_dim;
    const std::int64_t kv_width = static_cast<std::int64_t>(m.kv_heads) * m.head_dim;
    work_.stream = memory.take<bf16>(rows * m.hidden);
    work_.normed = memory.take<bf16>(rows * m.hidden);
    work_.update = memory.take<bf16>(rows * m.hidden);
    work_.qkv = memory.take<bf16>(rows * (query_width + 2 * kv_width));
    work_.attended = memory.take<bf16>(rows * query_width);
    work_.both = memory.take<bf16>(rows * 2 * m.intermediate);
    work_.inner = memory.take<bf16>(rows * m.intermediate);
    work_.last = memory.take<bf16>(samples * m.hidden);
    work_.logits = memory.take<float>(samples * m.vocabulary);
    const std::size_t words = packed_words_max(m, limits_);
    work_.inputs = memory.take<std::int32_t>(static_cast<std::int64_t>(words));
    work_.kept = memory.take<std::int32_t>(2 * samples);
    work_.chosen = memory.take<std::int32_t>(samples);
    // splits() gives at most this many parts for any number of sequences.
    std::int64_t parts = 0;
    for (int count = 1; count <= limits_.sequences_max; ++count) {
        parts = std::max<std::int64_t>(parts, static_cast<std::int64_t>(count) * splits(count));
    }
    work_.split.partials = memory.take<float>(parts * m.heads * (m.head_dim + 2));
    work_.split.arrivals = memory.take<std::int32_t>(samples * m.kv_heads);
    for (Flight& flight : flights_) {
        flight.inputs = PinnedMemory(words * sizeof(std::int32_t));
        flight.tokens = PinnedMemory(static_cast<std::size_t>(samples) * sizeof(std::int32_t));
        check(cudaEventCreate(&flight.begin), "event");
        check(cudaEventCreate(&flight.end), "event");
    }
}

DeviceDecoder::~DeviceDecoder() {
    cudaSetDevice(limits_.device);
    cudaDeviceSynchronize();
    for (const auto& [batch, graph] : graphs_) cudaGraphExecDestroy(graph);
    for (const Flight& flight : flights_) {
        if (flight.begin != nullptr) cudaEventDestroy(flight.begin);
        if (flight.end != nullptr) cudaEventDestroy(flight.end);
    }
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

}  // namespace heddle::compute::cuda
