#include "fetch/page_cache.h"

#include <utility>

namespace heddle::fetch {

namespace {

const storage::Schema kSchema{"fetch",
                              {{R"(CREATE TABLE fetch_pages (
           url TEXT PRIMARY KEY,
           final_url TEXT NOT NULL,
           title TEXT NOT NULL,
           byline TEXT NOT NULL,
           published TEXT NOT NULL,
           language TEXT NOT NULL,
           body TEXT NOT NULL,
           etag TEXT NOT NULL,
           last_modified TEXT NOT NULL,
           fetched_at BIGINT NOT NULL,
           fresh_until BIGINT NOT NULL);
         CREATE INDEX fetch_pages_by_age ON fetch_pages (fetched_at);)",
                                "", ""}}};

CachedPage read_page(const storage::Row& row) {
    CachedPage page;
    page.url = row.string(0);
    page.final_url = row.string(1);
    page.title = row.string(2);
    page.byline = row.string(3);
    page.published = row.string(4);
    page.language = row.string(5);
    page.text = row.string(6);
    page.etag = row.string(7);
    page.last_modified = row.string(8);
    page.fetched_at_ms = row.integer(9);
    page.fresh_until_ms = row.integer(10);
    return page;
}

}  // namespace

Result<PageCache> PageCache::open(storage::Database& database, std::size_t pages_max) {
    HEDDLE_TRY_VOID(database.migrate(kSchema));
    return PageCache(database, pages_max);
}

async::Task<Result<std::optional<CachedPage>>> PageCache::find(std::string url) {
    const auto look = [&url](storage::Session& session) {
        return session.first(
            "SELECT url, final_url, title, byline, published, language, body, etag, "
            "last_modified, fetched_at, fresh_until FROM fetch_pages WHERE url = ?",
            read_page, url);
    };
    co_return co_await database_->read(look);
}

async::Task<Result<>> PageCache::store(CachedPage page) {
    const auto limit = static_cast<std::int64_t>(pages_max_);
    const auto put = [&page, limit](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM fetch_pages WHERE url = ?", page.url));
        HEDDLE_TRY_VOID(tx.execute(
            "INSERT INTO fetch_pages (url, final_url, title, byline, published, "
            "language, body, etag, last_modified, fetched_at, fresh_until) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            page.url, page.final_url, page.title, page.byline, page.published, page.language,
            page.text, page.etag, page.last_modified, page.fetched_at_ms, page.fresh_until_ms));
        HEDDLE_TRY_VOID(
            tx.execute("DELETE FROM fetch_pages WHERE url NOT IN "
                       "(SELECT url FROM fetch_pages ORDER BY fetched_at DESC, url LIMIT ?)",
                       limit));
        return {};
    };
    co_return co_await database_->write(put);
}

async::Task<Result<>> PageCache::forget(std::string url) {
    const auto drop = [&url](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM fetch_pages WHERE url = ?", url));
        return {};
    };
    co_return co_await database_->write(drop);
}

}  // namespace heddle::fetch
