#include "model/decoder.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compute/backends.h"
#include "model/decoder_testing.h"
#include "model/golden_testing.h"

namespace heddle::model {
namespace {

class GoldenDecoder : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        golden_ = load_golden(GetParam());
        write_model(golden_, folder_);
        backend_ = std::move(*compute::make_backend("cpu", {.threads = 1}));
        auto files = ModelFiles::open(folder_.path());
        ASSERT_TRUE(files.has_value()) << files.error().message();
        auto decoder = Decoder::load(*files, *backend_,
                                     {.rows_max = 64, .sequences_max = 8, .logit_rows_max = 8});
        ASSERT_TRUE(decoder.has_value()) << decoder.error().message();
        decoder_ = std::move(*decoder);
    }

    Golden golden_;
    TemporaryFolder folder_;
    std::unique_ptr<compute::Backend> backend_;
    std::unique_ptr<Decoder> decoder_;
};

// All prompts side by side: greedy text token by token as transformers has it, and the logits
// at its beginning and its end.
TEST_P(GoldenDecoder, EqualsTransformers) {
    StepRunner runner(*decoder_);
    std::vector<StepRunner::Chunk> chunks;
    for (std::size_t s = 0; s < golden_.prompts.size(); ++s) {
        chunks.push_back({s, golden_.prompts[s]});
    }
    const std::size_t steps = golden_.greedy.front().size();
    for (std::size_t step = 0; step < steps; ++step) {
        const auto logits = runner.step(chunks);
        for (std::size_t s = 0; s < chunks.size(); ++s) {
            if (step == 0) EXPECT_LT(relative_error(logits[s], golden_.logits[2 * s]), 1e-4);
            if (step + 1 == steps) {
                EXPECT_LT(relative_error(logits[s], golden_.logits[2 * s + 1]), 1e-4);
            }
            const std::int32_t token = best_token(logits[s]);
            ASSERT_EQ(token, golden_.greedy[s][step]) << "prompt " << s << ", token " << step;
            chunks[s].tokens = {token};
        }
    }
}

// A prompt in chunks beside other sequences gives bit for bit what it gives alone.
TEST_P(GoldenDecoder, DoesNotDependOnItsBatch) {
    const auto& prompt = golden_.prompts.back();
    StepRunner alone(*decoder_);
    const auto whole = alone.step({{0, prompt}}).front();
    StepRunner runner(*decoder_);
    const std::vector<std::int32_t> head(prompt.begin(), prompt.begin() + 17);
    const std::vector<std::int32_t> tail(prompt.begin() + 17, prompt.end());
    (void)runner.step({{1, golden_.prompts[1]}, {0, head}});
    const auto mixed = runner.step({{1, {9}}, {2, golden_.prompts[0]}, {0, tail}}).back();
    EXPECT_EQ(mixed, whole);
}

INSTANTIATE_TEST_SUITE_P(Architectures, GoldenDecoder,
                         ::testing::Values("llama", "llama_bias", "llama_linear", "llama_dynamic",
                                           "llama_llama3", "llama_yarn", "mistral", "qwen2",
                                           "qwen3", "gemma2", "gemma3", "phi3", "phi3_long"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace heddle::model
