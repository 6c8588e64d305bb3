// The generator without a model: it quotes. The sentences of the gathered texts that speak about
// the question, by shared words and, where an embedder is at hand, by meaning; each quoted with its
// source. Says so when nothing speaks about it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/offload.h"
#include "search/embedder.h"
#include "service/generator.h"
#include "service/sentence_ranker.h"

namespace heddle::service {

struct ExtractiveOptions {
    std::size_t quotes_max = 4;
    // Sentences whose meaning is compared; the best by words, and the first of each source.
    std::size_t candidates_max = 24;
    // A quote needs this much: words × 0.4 + cosine × 0.6 (or the words alone without embedder).
    double score_min = 0.34;
    double words_min = 0.3;
    // Two quotes that share more of their words than this say the same.
    double overlap_max = 0.7;
};

inline constexpr std::string_view kExtractiveModel = "heddle-extractive";

// Thread-safe.
class ExtractiveGenerator final : public Generator {
public:
    // `embedder` may be null.
    ExtractiveGenerator(std::shared_ptr<search::Embedder> embedder, async::WorkerPool& workers,
                        ExtractiveOptions options);

    [[nodiscard]] std::vector<ModelInfo> models() const override;
    async::Task<Result<Completion>> generate(GenerateRequest request,
                                             std::shared_ptr<TextStream> out) override;
    [[nodiscard]] std::uint32_t count_tokens(const std::string& model,
                                             std::string_view text) const override;

    // The quotes for a question, best first. Public for tests and for the page of a source.
    async::Task<Result<std::vector<RankedSentence>>> quotes(Grounding grounding) const;

private:
    async::Task<Result<>> weigh_by_meaning(std::string question,
                                           std::vector<RankedSentence>& sentences) const;

    std::shared_ptr<search::Embedder> embedder_;
    async::WorkerPool& workers_;
    ExtractiveOptions options_;
};

}  // namespace heddle::service
