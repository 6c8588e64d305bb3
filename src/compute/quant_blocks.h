// Block layouts of GGUF's quantised weights, as ggml defines them (ggml-common.h; the GGUF
// specification names the types). All fields are little-endian; a block may lie at any address.
#pragma once

#include <cstdint>

namespace heddle::compute {

#pragma pack(push, 1)

// 32 weights: d * q
struct BlockQ8_0 {
    std::uint16_t d;  // f16
    std::int8_t q[32];
};

// 32 weights: d * (q - 8); byte i holds weight i low and weight i + 16 high
struct BlockQ4_0 {
    std::uint16_t d;
    std::uint8_t q[16];
};

// 256 weights in 8 sub-blocks of 32: d * scale * q - dmin * min. Scales and mins have 6 bits,
// packed as sub_scale_min() of dequantize.h reads them. Bytes 32i … of q hold sub-block 2i low and
// 2i + 1 high.
struct BlockQ4K {
    std::uint16_t d;
    std::uint16_t dmin;
    std::uint8_t scales[12];
    std::uint8_t q[128];
};

// As BlockQ4K with a fifth bit: bit s of high[i] belongs to weight i of sub-block s.
struct BlockQ5K {
    std::uint16_t d;
    std::uint16_t dmin;
    std::uint8_t scales[12];
    std::uint8_t high[32];
    std::uint8_t q[128];
};

// 256 weights in 16 sub-blocks of 16: d * scale * (q - 32), q of 6 bits. Each half of 128 weights
// takes 64 bytes of `low` (weights 0-31, 32-63 low nibbles; 64-95, 96-127 high) and 32 of `high`
// (two bits for each of the four groups).
struct BlockQ6K {
    std::uint8_t low[128];
    std::uint8_t high[64];
    std::int8_t scales[16];
    std::uint16_t d;
};

#pragma pack(pop)

static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4K) == 144 &&
              sizeof(BlockQ5K) == 176 && sizeof(BlockQ6K) == 210);

}  // namespace heddle::compute
