// What the processor can do, asked once through cpuid, and the ladder of kernel paths built on it.
#pragma once

#include <string_view>
#include <vector>

namespace heddle::compute::cpu {

// Each level has all that the ones before it have. kBest stands for the highest the CPU offers.
enum class IsaLevel {
    kPortable,    // plain C++
    kAvx2,        // AVX2, FMA, F16C
    kAvx512,      // AVX-512 F, BW, VL, DQ
    kAvx512Vnni,  // and VNNI (8-bit dot products)
    kAvx512Bf16,  // and bf16 dot products
    kAmx,         // and AMX int8 and bf16 tiles, if the kernel grants their state
    kBest,
};

[[nodiscard]] std::string_view to_string(IsaLevel level);

// The highest level that this processor and operating system support. Asking for AMX requests
// the tile state for the process (arch_prctl), once.
[[nodiscard]] IsaLevel detect_isa();

// kPortable up to detect_isa(), for tests.
[[nodiscard]] std::vector<IsaLevel> available_isas();

}  // namespace heddle::compute::cpu
