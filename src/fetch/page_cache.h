// Pages that were read, by the URL that was asked for: served while fresh, revalidated after.
// Rows of the table fetch_pages; what a page says is public, so rows belong to nobody.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "storage/database.h"

namespace heddle::fetch {

struct CachedPage {
    std::string url;
    std::string final_url;
    std::string title;
    std::string byline;
    std::string published;
    std::string language;
    std::string text;
    std::string etag;
    std::string last_modified;
    std::int64_t fetched_at_ms = 0;  // when the server last said that this is its page
    std::int64_t fresh_until_ms = 0;
};

// Thread-safe.
class PageCache {
public:
    // Creates the table. The database outlives the cache.
    [[nodiscard]] static Result<PageCache> open(storage::Database& database, std::size_t pages_max);

    async::Task<Result<std::optional<CachedPage>>> find(std::string url);
    // Replaces the page of that URL and forgets the oldest beyond the limit.
    async::Task<Result<>> store(CachedPage page);
    async::Task<Result<>> forget(std::string url);

private:
    PageCache(storage::Database& database, std::size_t pages_max)
        : database_(&database), pages_max_(pages_max) {}

    storage::Database* database_;
    std::size_t pages_max_;
};

}  // namespace heddle::fetch
