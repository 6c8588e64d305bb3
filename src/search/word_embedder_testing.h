// An embedder that needs no model: each word has a pseudo-random direction, a text is their sum.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "search/embedder.h"

namespace heddle::search {

class WordEmbedder final : public Embedder {
public:
    explicit WordEmbedder(std::string id = "words/f32", std::size_t dimensions = 64)
        : info_{.id = std::move(id),
                .dimensions = dimensions,
                .tokens_max = 64,
                .tokens_added = 2,
                .score_threshold = 0.3F} {}

    [[nodiscard]] const EmbedderInfo& info() const override { return info_; }
    [[nodiscard]] std::size_t count_tokens(std::string_view text) const override {
        return words(text).size();
    }
    async::Task<Result<std::vector<std::vector<float>>>> embed(std::vector<std::string> texts,
                                                               EmbedPurpose) override {
        std::vector<std::vector<float>> out;
        for (const std::string& text : texts) {
            if (count_tokens(text) + info_.tokens_added > info_.tokens_max) {
                co_return fail(ErrorCode::kInvalidArgument, "the text is too long");
            }
            out.push_back(vector(text));
        }
        co_return out;
    }
    [[nodiscard]] std::vector<float> vector(std::string_view text) const {
        std::vector<float> sum(info_.dimensions, 0.001F);
        for (const std::string& word : words(text)) {
            Rng rng(std::hash<std::string>()(word));
            for (float& x : sum) x += static_cast<float>(rng.uniform() - 0.5);
        }
        float norm = 0;
        for (const float x : sum) norm += x * x;
        for (float& x : sum) x /= std::sqrt(norm);
        return sum;
    }

private:
    static std::vector<std::string> words(std::string_view text) {
        std::vector<std::string> out{""};
        for (const char c : text) {
            if (c == ' ') {
                out.emplace_back();
            } else {
                out.back() += c;
            }
        }
        std::erase(out, "");
        return out;
    }
    EmbedderInfo info_;
};

}  // namespace heddle::search
