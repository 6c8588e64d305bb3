#include "fetch/robots_cache.h"

#include <algorithm>
#include <utility>

#include "http/status.h"

namespace heddle::fetch {

namespace {

constexpr std::size_t kOriginsMax = 1'024;
constexpr auto kKnown = std::chrono::hours(24);
// A server in trouble is asked again sooner.
constexpr auto kUnknown = std::chrono::minutes(5);

}  // namespace

std::shared_ptr<const RobotsRules> RobotsCache::find(const std::string& origin) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(origin);
    if (found == entries_.end() || found->second.until <= clock_.steady()) return nullptr;
    return found->second.rules;
}

void RobotsCache::keep(const std::string& origin, Entry entry) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= kOriginsMax) {
        const auto oldest = std::min_element(
            entries_.begin(), entries_.end(),
            [](const auto& a, const auto& b) { return a.second.until < b.second.until; });
        entries_.erase(oldest);
    }
    entries_[origin] = std::move(entry);
}

async::Task<RobotsCache::Entry> RobotsCache::ask(markup::Url url, bool allowed_by_operator,
                                                 async::Deadline deadline) {
    const Entry nothing{std::make_shared<const RobotsRules>(RobotsRules::nothing()),
                        clock_.steady() + kUnknown};
    auto at = markup::Url::parse("/robots.txt", &url);
    for (std::size_t hop = 0; at && hop <= options_.redirects_max; ++hop) {
        GuardedRequest request{*at, allowed_by_operator && options_.allow.has(*at)};
        request.is_robots = true;
        const auto answer = co_await client_.get(std::move(request), deadline);
        if (!answer) co_return nothing;
        if (http::is_redirect(answer->status)) {
            auto next = markup::Url::parse(answer->headers.get("Location"), &*at);
            if (next && at->scheme() == "https" && next->scheme() != "https") co_return nothing;
            at = std::move(next);
            continue;
        }
        if (answer->status >= 500 || answer->status == 429) co_return nothing;
        auto rules = answer->status == 200 ? RobotsRules::parse(answer->body, options_.product)
                                           : RobotsRules();
        co_return Entry{std::make_shared<const RobotsRules>(std::move(rules)),
                        clock_.steady() + kKnown};
    }
    co_return nothing;
}

async::Task<RobotsVerdict> RobotsCache::check(markup::Url url, bool allowed_by_operator,
                                              async::Deadline deadline) {
    const std::string origin = url.origin();
    auto rules = find(origin);
    if (!rules) {
        Entry entry = co_await ask(url, allowed_by_operator, deadline);
        rules = entry.rules;
        keep(origin, std::move(entry));
    }
    co_return rules->check(url.target());
}

}  // namespace heddle::fetch
