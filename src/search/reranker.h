// What search needs of a model that reads a question and a passage together and says how well one
// answers the other (a cross-encoder). Implemented above search, over local and upstream models.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"

namespace heddle::search {

// Thread-safe.
class Reranker {
public:
    virtual ~Reranker() = default;

    // One score for each passage, in order; higher is better, and only the order means something
    // across models. A passage longer than the model reads is judged by its beginning.
    virtual async::Task<Result<std::vector<float>>> score(std::string question,
                                                          std::vector<std::string> passages) = 0;
};

}  // namespace heddle::search
