#include "compute/cpu/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace heddle::compute::cpu {
namespace {

struct Registers {
    unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
    Registers r;
    if (__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d) == 0) return {};
    return r;
}

std::uint64_t enabled_state() {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (std::uint64_t{high} << 32) | low;
}

bool bit(unsigned value, int index) {
    return ((value >> index) & 1U) != 0;
}

// Linux hands out the 8 KiB of tile state only to processes that ask.
bool request_amx() {
    constexpr long kArchReqXcompPerm = 0x1023;
    constexpr long kXfeatureXtiledata = 18;
    return syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureXtiledata) == 0;
}

IsaLevel probe() {
    const Registers basic = cpuid(1, 0);
    const bool os_saves = bit(basic.c, 27);
    if (!os_saves) return IsaLevel::kPortable;
    const std::uint64_t state = enabled_state();
    const bool ymm = (state & 0x6) == 0x6;
    const bool zmm = (state & 0xe6) == 0xe6;
    const bool tiles = (state & 0x60000) == 0x60000;
    const Registers seven = cpuid(7, 0);
    const Registers seven_one = cpuid(7, 1);

    const bool avx2 = bit(seven.b, 5) && bit(basic.c, 12) && bit(basic.c, 29);
    if (!ymm || !avx2) return IsaLevel::kPortable;
    // F, DQ, BW, VL
    const bool avx512 =
        bit(seven.b, 16) && bit(seven.b, 17) && bit(seven.b, 30) && bit(seven.b, 31);
    if (!zmm || !avx512) return IsaLevel::kAvx2;
    if (!bit(seven.c, 11)) return IsaLevel::kAvx512;
    if (!bit(seven_one.a, 5)) return IsaLevel::kAvx512Vnni;
    // AMX tile, int8, bf16
    const bool amx = bit(seven.d, 24) && bit(seven.d, 25) && bit(seven.d, 22);
    if (!tiles || !amx || !request_amx()) return IsaLevel::kAvx512Bf16;
    return IsaLevel::kAmx;
}

}  // namespace

std::string_view to_string(IsaLevel level) {
    switch (level) {
        case IsaLevel::kPortable:
            return "portable";
        case IsaLevel::kAvx2:
            return "avx2";
        case IsaLevel::kAvx512:
            return "avx512";
        case IsaLevel::kAvx512Vnni:
            return "avx512_vnni";
        case IsaLevel::kAvx512Bf16:
            return "avx512_bf16";
        case IsaLevel::kAmx:
            return "amx";
        case IsaLevel::kBest:
            return "best";
    }
    return "unknown";
}

IsaLevel detect_isa() {
    static const IsaLevel level = probe();
    return level;
}

std::vector<IsaLevel> available_isas() {
    std::vector<IsaLevel> levels;
    for (int i = 0; i <= static_cast<int>(detect_isa()); ++i) {
        levels.push_back(static_cast<IsaLevel>(i));
    }
    return levels;
}

}  // namespace heddle::compute::cpu
