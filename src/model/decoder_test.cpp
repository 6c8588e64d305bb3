#include "model/decoder.h"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compute/backends.h"
#include "model/golden_testing.h"

namespace heddle::model {
namespace {

// Gives each sequence blocks of its own, scattered over the cache, and lays out steps.
class Runner {
public:
    explicit Runner(Decoder& decoder, std::int64_t blocks = 256) : decoder_(decoder) {
        auto cache =
            decoder.backend().make_kv_cache(decoder.kv_shape(blocks, compute::DType::kF32));
        HEDDLE_CHECK(cache.has_value(), "the cache fits");
        cache_ = std::move(*cache);
        free_.resize(static_cast<std::size_t>(blocks));
        std::iota(free_.begin(), free_.end(), 0);
        std::ranges::reverse(free_);
    }

    struct Chunk {
        std::size_t sequence = 0;
        std::vector<std::int32_t> tokens;
    };

    // Runs the chunks as one step; the logits of each chunk's last token.
    std::vector<std::vector<float>> step(const std::vector<Chunk>& chunks) {
        std::vector<std::int32_t> tokens, positions, slots, starts = {0}, lengths, wanted;
        const std::int64_t block_tokens = decoder_.options().block_tokens;
        std::size_t width = 1;
        for (const Chunk& chunk : chunks) {
            Sequence& sequence = sequences_[chunk.sequence];
            for (const std::int32_t token : chunk.tokens) {
                const auto offset = static_cast<std::int32_t>(sequence.length % block_tokens);
                if (offset == 0) {
                    sequence.blocks.push_back(free_.back());
                    free_.pop_back();
                }
                tokens.push_back(token);
                positions.push_back(static_cast<std::int32_t>(sequence.length++));
                slots.push_back(sequence.blocks.back() * static_cast<std::int32_t>(block_tokens) +
                                offset);
            }
            starts.push_back(static_cast<std::int32_t>(tokens.size()));
            lengths.push_back(static_cast<std::int32_t>(sequence.length));
            wanted.push_back(static_cast<std::int32_t>(tokens.size()) - 1);
            width = std::max(width, sequence.blocks.size());
        }
        std::vector<std::int32_t> tables;
        for (const Chunk& chunk : chunks) {
            const auto& blocks = sequences_[chunk.sequence].blocks;
            tables.insert(tables.end(), blocks.begin(), blocks.end());
            tables.insert(tables.end(), width - blocks.size(), -1);
        }
        const auto logits = decoder_.forward({tokens, positions, slots, starts, lengths, tables,
                                              static_cast<std::int64_t>(width), wanted},
                                             *cache_);
        std::vector<std::vector<float>> rows;
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            const float* row = logits.row<float>(static_cast<std::int64_t>(i));
            rows.emplace_back(row, row + logits.cols());
        }
        return rows;
    }

private:
    struct Sequence {
        std::int64_t length = 0;
        std::vector<std::int32_t> blocks;
    };

    Decoder& decoder_;
    std::unique_ptr<compute::KvCache> cache_;
    std::vector<std::int32_t> free_;
    std::array<Sequence, 8> sequences_;
};

std::int32_t best_token(const std::vector<float>& logits) {
    return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

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
    Runner runner(*decoder_);
    std::vector<Runner::Chunk> chunks;
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
    Runner alone(*decoder_);
    const auto whole = alone.step({{0, prompt}}).front();
    Runner runner(*decoder_);
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
