#include "model/random_model.h"

#include <gtest/gtest.h>

#include "model/model_file_testing.h"
#include "model/model_files.h"
#include "model/model_text.h"

namespace heddle::model {
namespace {

TEST(RandomModel, IsReadAsItWasMeant) {
    const TemporaryFolder folder;
    for (const compute::DType dtype : {compute::DType::kF32, compute::DType::kF16,
                                       compute::DType::kBF16, compute::DType::kQ8_0}) {
        const auto path = folder.path() / "random.gguf";
        const ModelShape shape = *find_shape("tiny");
        ASSERT_TRUE(write_random_model(path, shape, dtype, 1));
        const auto files = ModelFiles::open(path);
        ASSERT_TRUE(files) << files.error().message();
        EXPECT_EQ((*files)->config().hidden, shape.hidden);
        EXPECT_EQ((*files)->config().kv_heads, shape.kv_heads);
        EXPECT_EQ((*files)->config().vocabulary, shape.vocabulary);
        const StoredTensor* down = (*files)->tensors().find("blk.1.ffn_down.weight");
        ASSERT_NE(down, nullptr);
        EXPECT_EQ(down->dtype, dtype);
        const auto tokenizer = load_tokenizer(**files);
        ASSERT_TRUE(tokenizer) << tokenizer.error().message();
    }
    EXPECT_FALSE(
        write_random_model(folder.path() / "x", *find_shape("tiny"), compute::DType::kQ4_K, 1))
        << "rows of 64 are no blocks of 256";
    EXPECT_FALSE(find_shape("enormous"));
}

}  // namespace
}  // namespace heddle::model
