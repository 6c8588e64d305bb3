// One search from the question to ranked passages, in one read transaction:
// dense and keyword candidates → fusion → exact scores and threshold → diversification → texts.
#pragma once

#include <vector>

#include "search/collection_rows.h"
#include "search/collections.h"
#include "search/flat_index.h"
#include "storage/session.h"

namespace heddle::search {

// kInvalidArgument when the vector's length is not the collection's. On a database thread.
Result<std::vector<Passage>> retrieve(storage::Session& session, const CollectionRow& collection,
                                      const FlatIndex::View& view, const VectorQuery& query);

}  // namespace heddle::search
