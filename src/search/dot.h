// Dot products over vectors, for the instruction sets of the machine. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace heddle::search {

// Rows of int8 codes are padded with zeros to a multiple of this many bytes.
inline constexpr std::size_t kCodeStride = 64;

struct DotKernels {
    std::string_view name;
    // out[i] = Σ query[j] · rows[i · stride + j] for `count` rows. Codes are -127 to 127 (never
    // -128), `stride` is a multiple of kCodeStride; both arrays start on 64 bytes. Exact.
    void (*scan)(const std::int8_t* query, const std::int8_t* rows, std::size_t count,
                 std::size_t stride, std::int32_t* out);
    // Σ a[j] · b[j]; the order of summation differs between kernels.
    float (*dot)(const float* a, const float* b, std::size_t count);
};

// The fastest for this machine.
[[nodiscard]] const DotKernels& dot_kernels();
// Plain C++, the measure for the others.
[[nodiscard]] const DotKernels& plain_dot_kernels();
// Everything that this machine can run, plain first.
[[nodiscard]] std::vector<const DotKernels*> available_dot_kernels();

namespace impl {
extern const DotKernels kAvx2DotKernels;
extern const DotKernels kVnniDotKernels;
}  // namespace impl

}  // namespace heddle::search
