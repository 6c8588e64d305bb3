// Questions in words: embeds them and searches a collection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "search/collections.h"
#include "search/embedder.h"

namespace heddle::search {

struct SearchRequest {
    std::string owner;
    std::string collection = "knowledgebase";
    std::string query;
    std::size_t limit = 3;
    // Cosine below which a passage is left out; the embedder's own when not given.
    std::optional<float> score_threshold;
    SearchFilter filter;
    SearchSettings settings;
};

// Thread-safe. Collections and embedder outlive it.
class Searcher {
public:
    Searcher(Collections& collections, Embedder& embedder)
        : collections_(collections), embedder_(embedder) {}

    // Best first. kNotFound for a collection that is not there, kConflict (reason
    // "embedder_changed") for one of another embedder, kInvalidArgument for an empty question or
    // a limit outside 1 to 1000. A question longer than the embedder reads is searched by its
    // end, where the question of a long prompt usually stands.
    async::Task<Result<std::vector<Passage>>> search(SearchRequest request);

private:
    Collections& collections_;
    Embedder& embedder_;
};

}  // namespace heddle::search
