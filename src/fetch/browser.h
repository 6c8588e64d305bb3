// Pages that are drawn by scripts, read with a headless Chromium: one process and one profile for
// each page, driven over a pipe (the DevTools protocol), all of its traffic through a guard proxy
// of its own. Nothing else reaches the network: no QUIC, no WebRTC, no service of the browser's
// maker.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "async/deadline.h"
#include "async/runtime.h"
#include "async/semaphore.h"
#include "async/task.h"
#include "base/result.h"
#include "fetch/guard_proxy.h"
#include "markup/url.h"

namespace heddle::fetch {

struct BrowserOptions {
    std::string executable;  // Chromium's
    // As root Chromium has no sandbox of its own. It is refused unless this is set.
    bool as_root = false;
    std::size_t pages_at_once = 2;
    std::chrono::milliseconds page_timeout{12'000};
    // After the page has loaded, for the scripts that draw it.
    std::chrono::milliseconds settle{1'000};
    std::size_t html_bytes_max = 8U << 20;
    std::string user_agent = "Heddle/0.1";
    GuardProxyOptions proxy;
};

struct RenderedPage {
    std::string html;       // of the document as it stands after its scripts
    std::string final_url;  // where it ended
};

// Thread-safe.
class Browser {
public:
    // kNotFound where there is no such program; kPermissionDenied for root without `as_root`.
    static Result<std::unique_ptr<Browser>> create(BrowserOptions options,
                                                   async::WorkerPool& workers,
                                                   std::shared_ptr<http::Resolver> resolver,
                                                   std::shared_ptr<http::Connector> connector);

    // `url` has passed check_url. Errors with reason "not_rendered". Cancelling ends the browser.
    async::Task<Result<RenderedPage>> render(markup::Url url, async::Deadline deadline);

private:
    Browser(BrowserOptions options, async::WorkerPool& workers,
            std::shared_ptr<http::Resolver> resolver, std::shared_ptr<http::Connector> connector);

    async::Task<Result<RenderedPage>> drive(markup::Url url, std::uint16_t proxy_port);

    const BrowserOptions options_;
    async::WorkerPool& workers_;
    const std::shared_ptr<http::Resolver> resolver_;
    const std::shared_ptr<http::Connector> connector_;
    const std::shared_ptr<async::Semaphore> permits_;
};

}  // namespace heddle::fetch
