#include "compute/dtype.h"

#include "base/check.h"

namespace heddle::compute {
namespace {

struct DTypeRow {
    std::string_view name;
    std::int64_t block_elements;
    std::int64_t block_bytes;
};

constexpr DTypeRow kRows[] = {
    {"f32", 1, 4},      {"f16", 1, 2},      {"bf16", 1, 2},     {"i8", 1, 1},
    {"i32", 1, 4},      {"i64", 1, 8},      {"q8_0", 32, 34},   {"q4_0", 32, 18},
    {"q4_K", 256, 144}, {"q5_K", 256, 176}, {"q6_K", 256, 210},
};

const DTypeRow& row_of(DType dtype) {
    const auto index = static_cast<std::size_t>(dtype);
    HEDDLE_CHECK(index < std::size(kRows), "dtype is one of the enumerators");
    return kRows[index];
}

}  // namespace

std::string_view to_string(DType dtype) {
    return row_of(dtype).name;
}
std::int64_t block_elements(DType dtype) {
    return row_of(dtype).block_elements;
}
std::int64_t block_bytes(DType dtype) {
    return row_of(dtype).block_bytes;
}

std::int64_t row_bytes(DType dtype, std::int64_t cols) {
    const DTypeRow& row = row_of(dtype);
    HEDDLE_CHECK(cols >= 0 && cols % row.block_elements == 0, "whole blocks in a row");
    return cols / row.block_elements * row.block_bytes;
}

}  // namespace heddle::compute
