// Views address what they say, strided or not; buffers are aligned.
#include "compute/tensor.h"

#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace heddle::compute {
namespace {

TEST(Tensor, ViewsShareMemoryAndKeepStrides) {
    std::vector<float> data(6 * 12);
    std::iota(data.begin(), data.end(), 0.0F);
    const Tensor whole(data.data(), DType::kF32, {6, 12});
    EXPECT_TRUE(whole.contiguous());
    EXPECT_EQ(whole.row<float>(2)[3], 27.0F);

    const Tensor part = whole.slice(1, 4).columns(4, 8);
    EXPECT_EQ(part.rows(), 4);
    EXPECT_EQ(part.cols(), 8);
    EXPECT_FALSE(part.contiguous());
    EXPECT_EQ(part.row<float>(0)[0], 16.0F);

    const Tensor heads = part.split_columns(2);
    EXPECT_EQ(heads.rank(), 3);
    EXPECT_EQ(heads.rows(), 8);
    EXPECT_EQ(heads.row<float>(3)[1], 12.0F * 2 + 4 + 4 + 1);

    const ConstTensor constant = heads;
    EXPECT_EQ(constant.row<float>(3), heads.row<float>(3));
    EXPECT_TRUE(constant.same_shape(heads));
}

TEST(Tensor, DefaultIsEmpty) {
    EXPECT_TRUE(Tensor().empty());
    EXPECT_EQ(Tensor().rows(), 0);
    std::vector<float> none;
    EXPECT_TRUE(Tensor(none.data(), DType::kF32, {0, 5}).empty());
}

TEST(Buffer, IsAligned) {
    for (const std::size_t bytes : {0, 1, 63, 64, 1000}) {
        const Buffer buffer = allocate_host(bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment, 0U);
        EXPECT_EQ(buffer.bytes(), bytes);
    }
    EXPECT_THROW((void)allocate_host(SIZE_MAX), std::bad_alloc);
}

}  // namespace
}  // namespace heddle::compute
