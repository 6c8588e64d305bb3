// Search results as texts that an answer can cite.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "search/searcher.h"
#include "service/answerer.h"
#include "service/source.h"

namespace heddle::service {

struct PassageOptions {
    std::size_t limit = 3;
    std::optional<float> score_threshold;  // default: the embedder's
};

// Passages of the owner's documents for a question, best first; none when the collection does not
// exist yet. `searcher` outlives the task.
async::Task<Result<std::vector<GroundedText>>> find_passages(search::Searcher& searcher,
                                                             PassageOptions defaults,
                                                             std::string owner,
                                                             std::string question,
                                                             GroundingOptions options);

// Where pages begin in a passage's text, from the boxes that ingestion stored with it.
[[nodiscard]] std::vector<std::pair<std::size_t, std::uint32_t>> page_starts_of(
    const std::string& boxes);

}  // namespace heddle::service
