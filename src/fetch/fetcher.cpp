#include "fetch/fetcher.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "async/gather.h"
#include "async/offload.h"
#include "base/ids.h"
#include "base/log.h"
#include "http/status.h"
#include "markup/charset.h"
#include "markup/html.h"

namespace heddle::fetch {

namespace {

tl::unexpected<Error> failure(ErrorCode code, std::string message, std::string reason) {
    return fail(Error(code, std::move(message)).with_reason(std::move(reason)));
}

// What a reader may be told. Whether a name resolves, a port answers or a certificate fits is
// what a port scan asks; those errors go to the log, and only their number to the reader.
Error public_error(const Error& error, const markup::Url& url) {
    static constexpr std::array kTold =
        std::to_array<std::string_view>({"refused_url", "robots", "too_large", "unsupported_type",
                                         "http_status", "too_many_redirects", "no_text"});
    const std::string id = new_id();
    log::warn("fetch", "page not retrieved",
              {{"id", id},
               {"host", url.host()},
               {"reason", error.reason()},
               {"detail", error.message()}});
    if (std::find(kTold.begin(), kTold.end(), error.reason()) != kTold.end()) return error;
    if (error.code() == ErrorCode::kDeadlineExceeded) {
        return Error(ErrorCode::kDeadlineExceeded, "the page did not arrive in time")
            .with_reason("timeout");
    }
    return Error(ErrorCode::kUpstream, "the page could not be retrieved (" + id + ")")
        .with_reason("not_retrieved");
}

PageOutcome from_cached(const CachedPage& page) {
    PageOutcome out;
    out.url = page.url;
    out.final_url = page.final_url;
    out.title = page.title;
    out.byline = page.byline;
    out.published = page.published;
    out.language = page.language;
    out.text = page.text;
    out.fetched_at_ms = page.fetched_at_ms;
    out.from_cache = true;
    return out;
}

// "max-age=600" in a Cache-Control field; nothing when absent or unreadable.
std::optional<std::int64_t> max_age_s(std::string_view cache_control) {
    constexpr std::string_view kName = "max-age=";
    const auto at = cache_control.find(kName);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view digits = cache_control.substr(at + kName.size());
    std::int64_t seconds = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (error != std::errc() || seconds < 0) return std::nullopt;
    return seconds;
}

std::string last_segment(const markup::Url& url) {
    const auto slash = url.path().rfind('/');
    const std::string name = slash == std::string::npos ? "" : url.path().substr(slash + 1);
    return name.empty() ? url.host() : name;
}

// Runs on a worker, as read_page does.
PageOutcome read_html(std::string_view utf8, const markup::Url& url, const FetchOptions& options) {
    PageOutcome page;
    page.final_url = url.href();
    markup::MainText text =
        markup::extract_main_text(markup::HtmlTree::parse(utf8), {url.href(), options.site_rules});
    page.title = text.title.empty() ? last_segment(url) : std::move(text.title);
    page.byline = std::move(text.byline);
    page.published = std::move(text.published);
    page.language = std::move(text.language);
    page.text = std::move(text.markdown);
    return page;
}

PageOutcome read_page(const GuardedResponse& response, const markup::Url& url,
                      const FetchOptions& options) {
    const bool is_html = response.kind == ContentKind::kHtml;
    const std::string_view type = response.headers.get("Content-Type");
    PageOutcome page;
    page.final_url = url.href();
    page.title = last_segment(url);
    if (response.kind == ContentKind::kPdf) {
        page.pdf = response.body;
        return page;
    }
    markup::DecodedText decoded =
        markup::decode_text(response.body, markup::charset_of(type), is_html);
    if (is_html) return read_html(decoded.utf8, url, options);
    page.text = std::move(decoded.utf8);
    return page;
}

}  // namespace

Fetcher::Fetcher(FetchOptions options, async::WorkerPool& workers, std::optional<PageCache> cache,
                 std::shared_ptr<http::Resolver> resolver,
                 std::shared_ptr<http::Connector> connector, const Clock& clock)
    : options_(std::move(options)),
      workers_(workers),
      cache_(std::move(cache)),
      clock_(clock),
      client_(options_, std::move(resolver), std::move(connector)),
      robots_(client_, options_, clock),
      permits_(async::Semaphore::create(options_.concurrent_max)) {}

async::Task<std::vector<PageOutcome>> Fetcher::fetch_all(std::vector<markup::Url> urls,
                                                         async::Deadline deadline) {
    std::vector<PageOutcome> outcomes(urls.size());
    std::unordered_map<std::string, std::size_t> per_host;
    std::vector<async::Task<PageOutcome>> tasks;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < urls.size(); ++i) {
        if (tasks.size() >= options_.urls_max ||
            per_host[urls[i].host()] >= options_.urls_per_host_max) {
            outcomes[i].url = urls[i].href();
            outcomes[i].error = Error(ErrorCode::kInvalidArgument,
                                      "more pages are named than are read for one question")
                                    .with_reason("too_many_urls");
            continue;
        }
        ++per_host[urls[i].host()];
        places.push_back(i);
        tasks.push_back(fetch_one(urls[i], deadline.sooner(options_.total_timeout)));
    }
    std::vector<PageOutcome> done = co_await async::gather(std::move(tasks));
    for (std::size_t i = 0; i < done.size(); ++i) outcomes[places[i]] = std::move(done[i]);
    co_return outcomes;
}

async::Task<PageOutcome> Fetcher::fetch_one(markup::Url url, async::Deadline deadline) {
    auto page = co_await async::with_deadline(deadline, fetch(url, deadline));
    PageOutcome outcome;
    if (page)
        outcome = std::move(*page);
    else
        outcome.error = public_error(page.error(), url);
    outcome.url = url.href();
    co_return outcome;
}

async::Task<Result<PageOutcome>> Fetcher::fetch(markup::Url url, async::Deadline deadline) {
    HEDDLE_CO_TRY_VOID(check_url(url, options_.allow.has(url)));
    auto cached = co_await find_cached(std::string(url.without_fragment()));
    if (cached && clock_.wall_ms() < cached->fresh_until_ms) co_return from_cached(*cached);
    const auto permit = co_await permits_->acquire();
    co_return co_await follow(std::move(url), std::move(cached), deadline);
}

async::Task<Result<PageOutcome>> Fetcher::follow(markup::Url url, std::optional<CachedPage> cached,
                                                 async::Deadline deadline) {
    // Only hosts that the user named, or that such a host leads to, profit from the operator's
    // list: a public page must not send anyone inside.
    Hop hop{url, options_.allow.has(url)};
    for (std::size_t redirects = 0;; ++redirects) {
        const CachedPage* known =
            cached && cached->final_url == hop.url.href() ? &*cached : nullptr;
        HEDDLE_CO_TRY(auto response, co_await ask(hop, known, deadline));
        if (response.status == 304 && known != nullptr) {
            cached->fetched_at_ms = clock_.wall_ms();
            cached->fresh_until_ms = fresh_until_ms(response.headers);
            const auto stored = co_await cache_->store(*cached);
            if (!stored) log::warn("fetch", "page cache", {{"detail", stored.error().message()}});
            co_return from_cached(*cached);
        }
        if (response.status == 200) {
            co_return co_await read(std::move(url), std::move(hop.url), std::move(response),
                                    deadline);
        }
        if (!http::is_redirect(response.status)) {
            co_return failure(ErrorCode::kUpstream,
                              "the server answered " + std::to_string(response.status),
                              "http_status");
        }
        if (redirects >= options_.redirects_max) {
            co_return failure(ErrorCode::kUpstream, "the page redirects too often",
                              "too_many_redirects");
        }
        auto next = markup::Url::parse(response.headers.get("Location"), &hop.url);
        if (!next) co_return failure(ErrorCode::kUpstream, "a redirect to no URL", "bad_redirect");
        if (hop.url.scheme() == "https" && next->scheme() != "https") {
            co_return failure(ErrorCode::kUpstream, "a redirect out of TLS", "bad_redirect");
        }
        const bool allowed = hop.allowed_by_operator && options_.allow.has(*next);
        hop = Hop{std::move(*next), allowed};
    }
}

async::Task<Result<GuardedResponse>> Fetcher::ask(Hop hop, const CachedPage* cached,
                                                  async::Deadline deadline) {
    HEDDLE_CO_TRY_VOID(check_url(hop.url, hop.allowed_by_operator));
    const auto permits = host_permits(hop.url.host());
    const auto permit = co_await permits->acquire();
    if (options_.obey_robots) {
        const RobotsVerdict verdict =
            co_await robots_.check(hop.url, hop.allowed_by_operator, deadline);
        if (!verdict.allowed) {
            co_return failure(ErrorCode::kPermissionDenied,
                              "the site asks not to be read by programs (" + verdict.rule + ")",
                              "robots");
        }
    }
    GuardedRequest request{hop.url, hop.allowed_by_operator};
    if (cached != nullptr) {
        request.if_none_match = cached->etag;
        request.if_modified_since = cached->last_modified;
    }
    co_return co_await client_.get(std::move(request), deadline);
}

async::Task<Result<PageOutcome>> Fetcher::read(markup::Url asked, markup::Url final_url,
                                               GuardedResponse response, async::Deadline deadline) {
    const auto extract = [&] { return read_page(response, final_url, options_); };
    PageOutcome page = co_await async::offload(workers_, extract);
    const bool thin = response.kind == ContentKind::kHtml &&
                      page.text.size() < options_.thin_text_bytes &&
                      response.body.find("<script") != std::string::npos;
    if (thin && browser_) page = co_await render(std::move(page), final_url, deadline);
    page.url = std::string(asked.without_fragment());
    page.fetched_at_ms = clock_.wall_ms();
    if (page.text.empty() && page.pdf.empty()) {
        co_return failure(ErrorCode::kUpstream,
                          "the page has no text of its own; it may need a browser", "no_text");
    }
    if (page.pdf.empty()) co_await keep(page, std::move(response.headers));
    co_return page;
}

async::Task<PageOutcome> Fetcher::render(PageOutcome page, markup::Url url,
                                         async::Deadline deadline) {
    const auto rendered = co_await browser_->render(url, deadline);
    if (!rendered) {
        log::info("fetch", "a page was not rendered",
                  {{"host", url.host()}, {"detail", rendered.error().message()}});
        co_return page;
    }
    const auto extract = [&] { return read_html(rendered->html, url, options_); };
    PageOutcome drawn = co_await async::offload(workers_, extract);
    co_return drawn.text.size() > page.text.size() ? std::move(drawn) : std::move(page);
}

async::Task<> Fetcher::keep(PageOutcome page, http::Headers headers) {
    if (!cache_ || headers.has_token("Cache-Control", "no-store")) co_return;
    CachedPage row;
    row.url = std::move(page.url);
    row.final_url = std::move(page.final_url);
    row.title = std::move(page.title);
    row.byline = std::move(page.byline);
    row.published = std::move(page.published);
    row.language = std::move(page.language);
    row.text = std::move(page.text);
    row.etag = std::string(headers.get("ETag"));
    row.last_modified = std::string(headers.get("Last-Modified"));
    row.fetched_at_ms = page.fetched_at_ms;
    row.fresh_until_ms = fresh_until_ms(headers);
    const auto stored = co_await cache_->store(std::move(row));
    if (!stored) log::warn("fetch", "page cache", {{"detail", stored.error().message()}});
}

async::Task<std::optional<CachedPage>> Fetcher::find_cached(std::string url) {
    if (!cache_) co_return std::nullopt;
    auto found = co_await cache_->find(std::move(url));
    if (!found) {
        log::warn("fetch", "page cache", {{"detail", found.error().message()}});
        co_return std::nullopt;
    }
    co_return std::move(*found);
}

std::shared_ptr<async::Semaphore> Fetcher::host_permits(const std::string& host) {
    const std::lock_guard lock(hosts_mutex_);
    std::erase_if(hosts_, [](const auto& entry) { return entry.second.expired(); });
    auto permits = hosts_[host].lock();
    if (!permits) {
        permits = async::Semaphore::create(options_.per_host_max);
        hosts_[host] = permits;
    }
    return permits;
}

std::int64_t Fetcher::fresh_until_ms(const http::Headers& headers) const {
    const std::string_view control = headers.get("Cache-Control");
    std::int64_t seconds = max_age_s(control).value_or(options_.fresh_default.count());
    if (headers.has_token("Cache-Control", "no-cache")) seconds = 0;
    seconds = std::min<std::int64_t>(seconds, options_.fresh_max.count());
    return clock_.wall_ms() + 1000 * seconds;
}

}  // namespace heddle::fetch
