// A tile of sums is rows x 16 fp32; each step adds 32 columns: activations as rows x 64 bytes and
// the panel's 16 pairs of columns as 16 x 64 bytes, which is how a bf16 panel is stored.
#include "compute/cpu/halves_amx.h"

#include <immintrin.h>

#include "compute/cpu/panels.h"

namespace heddle::compute::cpu::amx {
namespace {

constexpr int kSums = 0;
constexpr int kActivations = 1;
constexpr int kWeights = 2;

// The memory operand of ldtilecfg (Intel's manual, volume 1, chapter 18).
struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t bytes_a_row[16] = {};
    std::uint8_t rows[16] = {};
};

void configure(int rows) {
    TileConfig config;
    const auto set = [&](int tile, int count) {
        config.bytes_a_row[tile] = 64;
        config.rows[tile] = static_cast<std::uint8_t>(count);
    };
    set(kSums, rows);
    set(kActivations, rows);
    set(kWeights, 16);
    _tile_loadconfig(&config);
}

}  // namespace

void tile_halves(const std::uint16_t* a, const std::uint16_t* b, std::int64_t k, int rows,
                 float* c) {
    configure(rows);
    _tile_loadd(kSums, c, kPanelRows * 4);
    std::int64_t i = 0;
    for (; i + 32 <= k; i += 32) {
        _tile_loadd(kActivations, a + i * rows, 64);
        _tile_loadd(kWeights, b + i * kPanelRows, 64);
        _tile_dpbf16ps(kSums, kActivations, kWeights);
    }
    if (i < k) {
        // The last columns end the weight's memory: what is missing is zero.
        alignas(64) std::uint16_t rest[32 * kPanelRows] = {};
        __builtin_memcpy(rest, b + i * kPanelRows,
                         static_cast<std::size_t>((k - i + 1) / 2 * kPanelRows * 4));
        _tile_loadd(kActivations, a + i * rows, 64);
        _tile_loadd(kWeights, rest, 64);
        _tile_dpbf16ps(kSums, kActivations, kWeights);
    }
    _tile_stored(kSums, c, kPanelRows * 4);
    _tile_release();
}

}  // namespace heddle::compute::cpu::amx
