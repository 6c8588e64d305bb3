// An owner's collections, for clients that search them directly. Documents go in and out by
// service/documents.h alone.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "search/collections.h"
#include "search/embedder.h"
#include "search/searcher.h"

namespace heddle::service {

// Thread-safe. What it is given outlives it.
class CollectionCatalog {
public:
    CollectionCatalog(search::Collections& collections, search::Embedder& embedder)
        : collections_(collections), embedder_(embedder), searcher_(collections, embedder) {}

    async::Task<Result<std::vector<search::CollectionInfo>>> list(std::string owner);
    async::Task<Result<search::CollectionInfo>> get(std::string owner, std::string name);
    // The collection of that name, made when absent, for the embedder in use.
    async::Task<Result<search::CollectionInfo>> create(std::string owner, std::string name);
    // kConflict while documents are in it: they are deleted one by one, with their files.
    async::Task<Result<>> remove(std::string owner, std::string name);
    // Best first.
    async::Task<Result<std::vector<search::Passage>>> search(search::SearchRequest request);

private:
    search::Collections& collections_;
    search::Embedder& embedder_;
    search::Searcher searcher_;
};

}  // namespace heddle::service
