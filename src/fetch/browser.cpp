#include "fetch/browser.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <simdjson.h>

#include "async/offload.h"
#include "base/log.h"
#include "fetch/browser_process.h"

namespace heddle::fetch {
namespace {

namespace asio = boost::asio;

Error not_rendered(std::string message) {
    return Error(ErrorCode::kUpstream, std::move(message)).with_reason("not_rendered");
}

std::vector<std::string> arguments_of(const BrowserOptions& options, std::uint16_t proxy_port) {
    std::vector<std::string> arguments = {
        "--headless=new", "--remote-debugging-pipe",
        fmt::format("--proxy-server=http://127.0.0.1:{}", proxy_port),
        // Loopback too goes through the proxy, which refuses it.
        "--proxy-bypass-list=<-loopback>", "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
        "--disable-domain-reliability", "--disable-extensions", "--disable-sync", "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-features=DnsOverHttps,AsyncDns,MediaRouter,OptimizationHints,Translate",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-first-run",
        "--no-default-browser-check", "--mute-audio", "--blink-settings=imagesEnabled=false",
        "--user-agent=" + options.user_agent};
    if (geteuid() == 0) arguments.emplace_back("--no-sandbox");
    return arguments;
}

// A serialised URL may hold a backslash in its query, and nothing else that JSON minds.
std::string json_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
    return out;
}

// One page in one browser: commands with numbers, answers and events in any order.
class Session {
public:
    Session(BrowserProcess& process, const BrowserOptions& options)
        : process_(process), options_(options) {}

    async::Task<Result<RenderedPage>> render(std::string url) {
        HEDDLE_CO_TRY(const std::string target,
                      co_await ask("Target.createTarget", R"({"url":"about:blank"})", "targetId"));
        HEDDLE_CO_TRY(session_,
                      co_await ask("Target.attachToTarget",
                                   fmt::format(R"({{"targetId":"{}","flatten":true}})", target),
                                   "sessionId"));
        HEDDLE_CO_TRY_VOID(co_await ask("Page.enable", "{}", ""));
        // Nothing is kept of what a page offers for download.
        HEDDLE_CO_TRY_VOID(co_await ask("Page.setDownloadBehavior", R"({"behavior":"deny"})", ""));
        loaded_ = false;
        HEDDLE_CO_TRY_VOID(
            co_await ask("Page.navigate", fmt::format(R"({{"url":"{}"}})", json_text(url)), ""));
        HEDDLE_CO_TRY_VOID(co_await loaded());
        RenderedPage page;
        HEDDLE_CO_TRY(page.final_url, co_await evaluate("location.href"));
        HEDDLE_CO_TRY(page.html, co_await evaluate(
                                     fmt::format("document.documentElement.outerHTML.slice(0,{})",
                                                 options_.html_bytes_max)));
        co_return page;
    }

private:
    // The text `field` of the command's answer; empty without a field.
    async::Task<Result<std::string>> ask(std::string method, std::string parameters,
                                         std::string field) {
        const std::uint64_t number = ++number_;
        const std::string session =
            session_.empty() ? "" : fmt::format(R"(,"sessionId":"{}")", session_);
        HEDDLE_CO_TRY_VOID(co_await process_.send(fmt::format(
            R"({{"id":{},"method":"{}","params":{}{}}})", number, method, parameters, session)));
        for (;;) {
            HEDDLE_CO_TRY(const std::string message, co_await process_.receive());
            simdjson::dom::element json;
            if (parser_.parse(message).get(json) != simdjson::SUCCESS)
                co_return fail(not_rendered("the browser cannot be understood"));
            note_event(json);
            std::uint64_t id = 0;
            if (json["id"].get(id) != simdjson::SUCCESS || id != number) continue;
            simdjson::dom::element result;
            if (json["result"].get(result) != simdjson::SUCCESS)
                co_return fail(not_rendered("the browser refuses " + method));
            // A page that does not open is told of in the answer itself.
            std::string_view text;
            if (result["errorText"].get(text) == simdjson::SUCCESS && !text.empty())
                co_return fail(not_rendered("the page does not open in a browser"));
            if (field.empty()) co_return std::string();
            const bool there = result.at_pointer("/" + field).get(text) == simdjson::SUCCESS;
            if (!there) co_return fail(not_rendered("the browser gives no " + field));
            co_return std::string(text);
        }
    }

    async::Task<Result<std::string>> evaluate(std::string expression) {
        co_return co_await ask(
            "Runtime.evaluate",
            fmt::format(R"({{"expression":"{}","returnByValue":true,"timeout":3000}})", expression),
            "result/value");
    }

    // The page's load event, and a while for what its scripts still fetch.
    async::Task<Result<>> loaded() {
        while (!loaded_) {
            HEDDLE_CO_TRY(const std::string message, co_await process_.receive());
            simdjson::dom::element json;
            if (parser_.parse(message).get(json) == simdjson::SUCCESS) note_event(json);
        }
        co_await async::sleep_for(options_.settle);
        co_return Result<>();
    }

    void note_event(simdjson::dom::element json) {
        std::string_view method;
        if (json["method"].get(method) == simdjson::SUCCESS && method == "Page.loadEventFired")
            loaded_ = true;
    }

    BrowserProcess& process_;
    const BrowserOptions& options_;
    simdjson::dom::parser parser_;
    std::string session_;
    std::uint64_t number_ = 0;
    bool loaded_ = false;
};

}  // namespace

Browser::Browser(BrowserOptions options, async::WorkerPool& workers,
                 std::shared_ptr<http::Resolver> resolver,
                 std::shared_ptr<http::Connector> connector)
    : options_(std::move(options)),
      workers_(workers),
      resolver_(std::move(resolver)),
      connector_(std::move(connector)),
      permits_(async::Semaphore::create(options_.pages_at_once)) {}

Result<std::unique_ptr<Browser>> Browser::create(BrowserOptions options, async::WorkerPool& workers,
                                                 std::shared_ptr<http::Resolver> resolver,
                                                 std::shared_ptr<http::Connector> connector) {
    if (access(options.executable.c_str(), X_OK) != 0) {
        return fail(Error(ErrorCode::kNotFound,
                          "there is no browser to render pages with; Debian's package is chromium")
                        .with_param("render"));
    }
    if (geteuid() == 0 && !options.as_root) {
        return fail(Error(ErrorCode::kPermissionDenied,
                          "a browser has no sandbox when it runs as root; run as another user, or "
                          "set render-as-root")
                        .with_param("render"));
    }
    return std::unique_ptr<Browser>(
        new Browser(std::move(options), workers, std::move(resolver), std::move(connector)));
}

async::Task<Result<RenderedPage>> Browser::render(markup::Url url, async::Deadline deadline) {
    const async::Semaphore::Permit permit = co_await permits_->acquire();
    const auto executor = co_await asio::this_coro::executor;
    GuardProxyOptions proxy_options = options_.proxy;
    // No public page leads inside: the operator's list is for pages that are on it.
    if (!proxy_options.allow.has(url)) proxy_options.allow = AllowList();
    GuardProxy proxy(executor, std::move(proxy_options), resolver_, connector_);
    HEDDLE_CO_TRY(const std::uint16_t port, proxy.start());
    Result<RenderedPage> page = fail(not_rendered("the page was not rendered"));
    std::exception_ptr cancelled;
    try {
        page =
            co_await async::with_deadline(deadline.sooner(options_.page_timeout), drive(url, port));
    } catch (...) {
        cancelled = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await proxy.stop();
    if (cancelled) std::rethrow_exception(cancelled);
    co_return page;
}

async::Task<Result<RenderedPage>> Browser::drive(markup::Url url, std::uint16_t proxy_port) {
    const auto start = [&] {
        return BrowserProcess::start_blocking(
            {options_.executable, arguments_of(options_, proxy_port)});
    };
    HEDDLE_CO_TRY(BrowserProcess::Started started, co_await async::offload(workers_, start));
    const auto executor = co_await asio::this_coro::executor;
    BrowserProcess process(executor, workers_, std::move(started));
    Session session(process, options_);
    co_return co_await session.render(std::string(url.without_fragment()));
}

}  // namespace heddle::fetch
