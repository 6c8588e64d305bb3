#include "search/dot.h"

#include "compute/cpu/isa.h"

namespace heddle::search {
namespace {

void scan_plain(const std::int8_t* query, const std::int8_t* rows, std::size_t count,
                std::size_t stride, std::int32_t* out) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::int8_t* row = rows + i * stride;
        std::int32_t sum = 0;
        for (std::size_t j = 0; j < stride; ++j) sum += query[j] * row[j];
        out[i] = sum;
    }
}

// Eight sums side by side: one alone would wait for itself at every step.
float dot_plain(const float* a, const float* b, std::size_t count) {
    float sums[8] = {};
    std::size_t j = 0;
    for (; j + 8 <= count; j += 8) {
        for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += a[j + lane] * b[j + lane];
    }
    float sum = 0;
    for (; j < count; ++j) sum += a[j] * b[j];
    for (const float part : sums) sum += part;
    return sum;
}

constexpr DotKernels kPlain{.name = "plain", .scan = scan_plain, .dot = dot_plain};

}  // namespace

const DotKernels& plain_dot_kernels() {
    return kPlain;
}

std::vector<const DotKernels*> available_dot_kernels() {
    using compute::cpu::IsaLevel;
    const IsaLevel level = compute::cpu::detect_isa();
    std::vector<const DotKernels*> kernels{&kPlain};
    if (level >= IsaLevel::kAvx2) kernels.push_back(&impl::kAvx2DotKernels);
    if (level >= IsaLevel::kAvx512Vnni) kernels.push_back(&impl::kVnniDotKernels);
    return kernels;
}

const DotKernels& dot_kernels() {
    static const DotKernels& best = *available_dot_kernels().back();
    return best;
}

}  // namespace heddle::search
