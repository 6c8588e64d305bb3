// Reads the pages that a user names: guarded, polite, cached, concurrently and within a deadline.
// A page that cannot be read is an outcome like any other.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/deadline.h"
#include "async/runtime.h"
#include "async/semaphore.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "fetch/browser.h"
#include "fetch/checked_connector.h"
#include "fetch/guarded_client.h"
#include "fetch/options.h"
#include "fetch/page_cache.h"
#include "fetch/robots_cache.h"

namespace heddle::fetch {

struct PageOutcome {
    std::string url;        // as asked for
    std::string final_url;  // after redirects
    std::string title;
    std::string byline;
    std::string published;
    std::string language;
    std::string text;  // Markdown without links
    // A PDF comes as it is, for the document pipeline; `text` is then empty.
    std::string pdf;
    std::int64_t fetched_at_ms = 0;
    bool from_cache = false;
    // With a reason: refused_url, robots, too_many_urls, too_large, unsupported_type, http_status,
    // too_many_redirects, no_text, timeout, or not_retrieved, which says no more than that.
    std::optional<Error> error;
};

// Thread-safe; called on I/O threads. What it is given outlives it.
class Fetcher {
public:
    // Without a cache every page is asked for anew.
    Fetcher(FetchOptions options, async::WorkerPool& workers, std::optional<PageCache> cache,
            std::shared_ptr<http::Resolver> resolver = http::system_resolver(),
            std::shared_ptr<http::Connector> connector = checked_connector(),
            const Clock& clock = Clock::system());

    // For pages whose text is too thin without their scripts. Before the first call.
    void use_browser(std::unique_ptr<Browser> browser) { browser_ = std::move(browser); }

    // In the order of the URLs, one outcome each, all at once. Never fails as a whole; cancellable.
    async::Task<std::vector<PageOutcome>> fetch_all(std::vector<markup::Url> urls,
                                                    async::Deadline deadline);

private:
    struct Hop {
        markup::Url url;
        bool allowed_by_operator = false;
    };

    async::Task<PageOutcome> fetch_one(markup::Url url, async::Deadline deadline);
    async::Task<Result<PageOutcome>> fetch(markup::Url url, async::Deadline deadline);
    async::Task<Result<PageOutcome>> follow(markup::Url url, std::optional<CachedPage> cached,
                                            async::Deadline deadline);
    async::Task<Result<GuardedResponse>> ask(Hop hop, const CachedPage* cached,
                                             async::Deadline deadline);
    async::Task<Result<PageOutcome>> read(markup::Url asked, markup::Url final_url,
                                          GuardedResponse response, async::Deadline deadline);
    // The page with what its scripts draw, when that is more; else as it is.
    async::Task<PageOutcome> render(PageOutcome page, markup::Url url, async::Deadline deadline);
    async::Task<> keep(PageOutcome page, http::Headers headers);
    async::Task<std::optional<CachedPage>> find_cached(std::string url);
    std::shared_ptr<async::Semaphore> host_permits(const std::string& host);
    [[nodiscard]] std::int64_t fresh_until_ms(const http::Headers& headers) const;

    const FetchOptions options_;
    async::WorkerPool& workers_;
    std::optional<PageCache> cache_;
    const Clock& clock_;
    GuardedClient client_;
    RobotsCache robots_;
    std::unique_ptr<Browser> browser_;  // null: none
    std::shared_ptr<async::Semaphore> permits_;
    std::mutex hosts_mutex_;
    // Guarded by hosts_mutex_; a host without fetches is forgotten.
    std::unordered_map<std::string, std::weak_ptr<async::Semaphore>> hosts_;
};

}  // namespace heddle::fetch
