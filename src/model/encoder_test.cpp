#include "model/encoder.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compute/backends.h"
#include "model/cross_encoder.h"
#include "model/golden_testing.h"

namespace heddle::model {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<compute::Backend> make_test_backend() {
    return std::move(*compute::make_backend("cpu", {.threads = 1}));
}

EncoderSequence sequence_of(const GoldenInput& input) {
    return {input.ids, input.second_segment};
}

class GoldenEncoder : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        golden_ = load_golden(GetParam());
        write_model(golden_, folder_);
        auto encoder = Encoder::load(folder_.path(), *backend_, {});
        ASSERT_TRUE(encoder.has_value()) << encoder.error().message();
        encoder_ = std::move(*encoder);
    }

    Golden golden_;
    TemporaryFolder folder_;
    std::unique_ptr<compute::Backend> backend_ = make_test_backend();
    std::unique_ptr<Encoder> encoder_;
};

TEST_P(GoldenEncoder, TokenStatesEqualTransformers) {
    const auto width = static_cast<std::size_t>(encoder_->dimensions());
    for (std::size_t i = 0; i < golden_.inputs.size(); ++i) {
        const GoldenInput& input = golden_.inputs[i];
        std::vector<float> states(input.ids.size() * width);
        ASSERT_TRUE(encoder_->token_states(sequence_of(input), states).has_value());
        const std::vector<float> first(states.begin(), states.begin() + encoder_->dimensions());
        const std::vector<float> last(states.end() - encoder_->dimensions(), states.end());
        EXPECT_LT(relative_error(first, golden_.states[2 * i]), 1e-4) << "input " << i;
        EXPECT_LT(relative_error(last, golden_.states[2 * i + 1]), 1e-4) << "input " << i;
    }
}

TEST_P(GoldenEncoder, EmbeddingsDoNotDependOnTheBatch) {
    const auto width = static_cast<std::size_t>(encoder_->dimensions());
    std::vector<EncoderSequence> batch;
    for (const GoldenInput& input : golden_.inputs) batch.push_back(sequence_of(input));
    std::vector<float> together(batch.size() * width);
    ASSERT_TRUE(encoder_->embed(batch, together).has_value());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        std::vector<float> alone(width);
        ASSERT_TRUE(encoder_->embed({&batch[i], 1}, alone).has_value());
        EXPECT_EQ(std::memcmp(alone.data(), together.data() + i * width, width * 4), 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Architectures, GoldenEncoder,
                         ::testing::Values("bert", "bert_reranker", "roberta", "jina_bert",
                                           "jina_bert_6_heads"),
                         [](const auto& info) { return info.param; });

class GoldenCrossEncoder : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenCrossEncoder, ScoresEqualTransformers) {
    const Golden golden = load_golden(GetParam());
    const TemporaryFolder folder;
    write_model(golden, folder);
    const auto backend = make_test_backend();
    const auto encoder = CrossEncoder::load(folder.path(), *backend, {});
    ASSERT_TRUE(encoder.has_value()) << encoder.error().message();
    ASSERT_EQ((*encoder)->labels(), 1);
    std::vector<EncoderSequence> batch;
    for (const GoldenInput& input : golden.inputs) batch.push_back(sequence_of(input));
    std::vector<float> scores(batch.size());
    ASSERT_TRUE((*encoder)->score(batch, scores).has_value());
    for (std::size_t i = 0; i < scores.size(); ++i) {
        EXPECT_NEAR(scores[i], golden.scores[i][0], 1e-4 * (1 + std::abs(golden.scores[i][0])));
    }
}

INSTANTIATE_TEST_SUITE_P(Architectures, GoldenCrossEncoder,
                         ::testing::Values("bert_reranker", "xlm_roberta_reranker"),
                         [](const auto& info) { return info.param; });

// A folder of a tiny BERT with the files that sentence-transformers puts beside it.
class SentenceFolder : public ::testing::Test {
protected:
    void SetUp() override { write_model(load_golden("bert"), folder_); }

    Result<std::unique_ptr<Encoder>> load() { return Encoder::load(folder_.path(), *backend_, {}); }
    void write_modules(std::string_view types) { folder_.write("modules.json", types); }

    TemporaryFolder folder_;
    std::unique_ptr<compute::Backend> backend_ = make_test_backend();
};

TEST_F(SentenceFolder, PoolsNormalizesAndLimitsAsItsFilesSay) {
    write_modules(R"([{"type":"sentence_transformers.models.Transformer","path":""},
        {"type":"sentence_transformers.models.Pooling","path":"1_Pooling"},
        {"type":"sentence_transformers.models.Normalize","path":"2_Normalize"}])");
    folder_.write("1_Pooling/config.json", R"({"pooling_mode_cls_token":true})");
    folder_.write("sentence_bert_config.json", R"({"max_seq_length":12})");
    folder_.write("config_sentence_transformers.json", R"({"prompts":{"query":"q: "}})");
    const auto encoder = load();
    ASSERT_TRUE(encoder.has_value()) << encoder.error().message();
    EXPECT_EQ((*encoder)->tokens_max(), 12);
    EXPECT_EQ((*encoder)->settings().query_prompt, "q: ");
    EXPECT_EQ((*encoder)->settings().pooling, Pooling::kCls);

    const std::vector<std::int32_t> ids = {5, 6, 7};
    const auto width = static_cast<std::size_t>((*encoder)->dimensions());
    std::vector<float> vector(width), states(3 * width);
    const EncoderSequence sequence{ids};
    ASSERT_TRUE((*encoder)->embed({&sequence, 1}, vector).has_value());
    ASSERT_TRUE((*encoder)->token_states(sequence, states).has_value());
    const float length =
        std::sqrt(std::inner_product(states.begin(), states.begin() + 64, states.begin(), 0.0F));
    for (std::size_t i = 0; i < width; ++i) EXPECT_NEAR(vector[i], states[i] / length, 1e-6);
}

TEST_F(SentenceFolder, RefusesInputsItWouldHaveToCut) {
    folder_.write("sentence_bert_config.json", R"({"max_seq_length":4})");
    const auto encoder = load();
    ASSERT_TRUE(encoder.has_value());
    std::vector<float> out(static_cast<std::size_t>((*encoder)->dimensions()));
    const auto error_of = [&](std::vector<std::int32_t> ids) {
        const EncoderSequence sequence{ids};
        const auto embedded = (*encoder)->embed({&sequence, 1}, out);
        return embedded ? std::string("none") : embedded.error().message();
    };
    EXPECT_EQ(error_of({1, 2, 3, 4}), "none");
    EXPECT_THAT(error_of({1, 2, 3, 4, 5}), HasSubstr("over the encoder's limit of 4"));
    EXPECT_THAT(error_of({}), HasSubstr("no tokens"));
    EXPECT_THAT(error_of({320}), HasSubstr("outside the vocabulary"));
    EXPECT_THAT(error_of({-1}), HasSubstr("outside the vocabulary"));
}

TEST_F(SentenceFolder, RefusesFilesItCannotFollow) {
    struct Case {
        std::string modules;
        std::string pooling;
        std::string message;
    };
    const std::string pooling_module =
        R"([{"type":"sentence_transformers.models.Pooling","path":"1_Pooling"}])";
    const std::vector<Case> cases = {
        {"{}", "", "not a valid JSON array"},
        {R"([{"type":3,"path":""}])", "", "must list modules"},
        {R"([{"type":"a.b.Dense","path":"2_Dense"}])", "", "Dense is not supported"},
        {R"([{"type":"a.Pooling","path":"../x"}])", "", "no plain folder name"},
        {pooling_module, R"({"pooling_mode_max_tokens":true})", "only mean or cls"},
        {pooling_module, R"({})", "only mean or cls"},
        {pooling_module, R"({"pooling_mode_cls_token":3})", "true or false"},
    };
    for (const Case& c : cases) {
        write_modules(c.modules);
        folder_.write("1_Pooling/config.json", c.pooling);
        const auto encoder = load();
        ASSERT_FALSE(encoder.has_value()) << c.modules;
        EXPECT_THAT(encoder.error().message(), HasSubstr(c.message));
    }
}

TEST_F(SentenceFolder, NamesWhatTheWeightsLack) {
    Golden golden = load_golden("bert");
    const auto norm =
        std::ranges::find(golden.tensors, "embeddings.LayerNorm.bias", &Golden::TensorShape::name);
    ASSERT_NE(norm, golden.tensors.end());
    norm->shape.back() += 1;
    write_model(golden, folder_);
    EXPECT_THAT(load().error().message(), HasSubstr("the configuration asks for"));
    Golden fewer = load_golden("bert");
    std::erase_if(fewer.tensors, [](const auto& tensor) {
        return tensor.name == "encoder.layer.1.output.dense.weight";
    });
    write_model(fewer, folder_);
    EXPECT_THAT(load().error().message(),
                HasSubstr("tensor encoder.layer.1.output.dense.weight is missing"));
}

}  // namespace
}  // namespace heddle::model
