#include "search/searcher.h"

#include <utility>

#include "text/utf8.h"

namespace heddle::search {
namespace {

constexpr std::size_t kLimitMax = 1000;

// The longest end of the text that the embedder reads whole.
std::string readable_end(const Embedder& embedder, std::string text) {
    const std::size_t tokens_max = embedder.info().tokens_max - embedder.info().tokens_added;
    // A token has a byte at least, and few have more than 16: so much is surely enough.
    const std::size_t bytes_max = tokens_max * 16;
    if (text.size() > bytes_max) {
        text.erase(0, text::floor_utf8(text, text.size() - bytes_max));
    }
    while (!text.empty() && embedder.count_tokens(text) > tokens_max) {
        text.erase(0, std::max<std::size_t>(1, text::floor_utf8(text, text.size() / 8)));
    }
    return text;
}

}  // namespace

async::Task<Result<std::vector<Passage>>> Searcher::search(SearchRequest request) {
    if (request.query.empty()) {
        co_return fail(
            Error(ErrorCode::kInvalidArgument, "query must not be empty").with_param("query"));
    }
    if (request.limit < 1 || request.limit > kLimitMax) {
        co_return fail(
            Error(ErrorCode::kInvalidArgument, "limit must be 1 to 1000").with_param("limit"));
    }
    const EmbedderInfo& info = embedder_.info();
    HEDDLE_CO_TRY(const auto collection,
                  co_await collections_.get(request.owner, request.collection));
    if (collection.embedder != info.id) {
        co_return fail(Error(ErrorCode::kConflict, "this collection was embedded with " +
                                                       collection.embedder +
                                                       "; its documents must be embedded again")
                           .with_reason("embedder_changed"));
    }
    VectorQuery query{.owner = std::move(request.owner),
                      .collection = std::move(request.collection),
                      .text = std::move(request.query),
                      .limit = request.limit,
                      .score_threshold = request.score_threshold.value_or(info.score_threshold),
                      .filter = std::move(request.filter),
                      .settings = request.settings};
    std::vector<std::string> texts;
    texts.push_back(readable_end(embedder_, text::to_valid_utf8(query.text)));
    HEDDLE_CO_TRY(auto vectors, co_await embedder_.embed(std::move(texts), EmbedPurpose::kQuery));
    query.vector = std::move(vectors.at(0));
    co_return co_await collections_.search(std::move(query));
}

}  // namespace heddle::search
