// Kernels of unpack_avx2.cpp and row_avx2.cpp that the AVX-512 tables use too.
#pragma once

#include "compute/cpu/kernels.h"

namespace heddle::compute::cpu::avx2 {

void row_words(const WordTile& a, const std::byte* packed, std::int64_t kc, float* c);
void row_bytes(PanelFormat format, const ByteTile& a, const std::byte* packed, std::int64_t kc,
               float* c);
void unpack_words(const std::byte* packed, std::int64_t kc, WordChunk& out);
void unpack_bytes(PanelFormat format, const std::byte* packed, std::int64_t kc, ByteChunk& out);
float quantize_words(const float* x, std::int64_t kc, std::int64_t stride, std::int16_t* words);
float quantize_bytes(const float* x, std::int64_t kc, std::int64_t stride, std::int8_t* bytes);
void widen_f16(const std::uint16_t* x, std::int64_t n, float* out);
void widen_bf16(const std::uint16_t* x, std::int64_t n, float* out);

}  // namespace heddle::compute::cpu::avx2
