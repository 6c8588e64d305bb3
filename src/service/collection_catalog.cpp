#include "service/collection_catalog.h"

#include <utility>

namespace heddle::service {

async::Task<Result<std::vector<search::CollectionInfo>>> CollectionCatalog::list(
    std::string owner) {
    co_return co_await collections_.list(std::move(owner));
}

async::Task<Result<search::CollectionInfo>> CollectionCatalog::get(std::string owner,
                                                                   std::string name) {
    co_return co_await collections_.get(std::move(owner), std::move(name));
}

async::Task<Result<search::CollectionInfo>> CollectionCatalog::create(std::string owner,
                                                                      std::string name) {
    co_return co_await collections_.ensure(std::move(owner), std::move(name), embedder_.info());
}

async::Task<Result<>> CollectionCatalog::remove(std::string owner, std::string name) {
    HEDDLE_CO_TRY(const auto collection, co_await collections_.get(owner, name));
    if (collection.documents > 0) {
        co_return fail(Error(ErrorCode::kConflict, "the collection still holds documents")
                           .with_reason("collection_not_empty"));
    }
    co_return co_await collections_.remove(std::move(owner), std::move(name));
}

async::Task<Result<std::vector<search::Passage>>> CollectionCatalog::search(
    search::SearchRequest request) {
    co_return co_await searcher_.search(std::move(request));
}

}  // namespace heddle::service
