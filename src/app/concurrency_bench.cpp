#include "app/concurrency_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "async/gather.h"

namespace heddle::app {
namespace {

using Clock = std::chrono::steady_clock;

struct Endpoint {
    const char* path;
    const char* what;
};
constexpr Endpoint kEndpoints[] = {
    {"/block", "a blocking call on the event loop"},
    {"/slow", "a blocking call on the worker pool"},
    {"/fast", "an asynchronous call"},
};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

async::Task<Span> timed_get(std::shared_ptr<http::Client> client, http::Url url,
                            Clock::time_point origin) {
    Span span;
    span.start_s = seconds_since(origin);
    http::ClientRequest request;
    request.url = std::move(url);
    request.deadline = async::Deadline::after(std::chrono::minutes(5));
    auto response = co_await client->send(std::move(request));
    span.ok = response && response->status() == 200;
    if (response) {
        const auto body = co_await response->read_all(std::size_t{1} << 20);
        span.ok = span.ok && body.has_value();
    }
    span.end_s = seconds_since(origin);
    co_return span;
}

// Asks /healthz again and again until the requests are through.
async::Task<std::vector<Span>> probe(std::shared_ptr<http::Client> client, http::Url url,
                                     Clock::time_point origin, const bool* done,
                                     std::chrono::milliseconds every) {
    std::vector<Span> spans;
    while (!*done) {
        spans.push_back(co_await timed_get(client, url, origin));
        co_await async::sleep_for(every);
    }
    co_return spans;
}

async::Task<std::vector<Span>> all_at_once(std::shared_ptr<http::Client> client, http::Url url,
                                           int count, Clock::time_point origin, bool* done) {
    std::vector<async::Task<Span>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(timed_get(client, url, origin));
    std::vector<Span> spans = co_await async::gather(std::move(tasks));
    *done = true;
    co_return spans;
}

std::string svg_text(double x, double y, std::string_view text, std::string_view style = "") {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, style, text);
}

double duration_of(const std::vector<EndpointRun>& runs) {
    double longest = 0.1;
    for (const EndpointRun& run : runs)
        for (const Span& span : run.requests) longest = std::max(longest, span.end_s);
    return longest;
}

constexpr double kLeft = 20;
constexpr double kWidth = 760;
constexpr double kBar = 6;
constexpr double kHead = 34;

std::string panel(const EndpointRun& run, double top, double seconds) {
    const auto x_of = [&](double t) { return kLeft + t / seconds * kWidth; };
    std::vector<Span> bars = run.requests;
    std::sort(bars.begin(), bars.end(),
              [](const Span& a, const Span& b) { return a.end_s < b.end_s; });
    const double health = latency_quantile_ms(run.probes, 0.99);
    std::string out = svg_text(
        kLeft, top + 14,
        fmt::format("{}: {} · answers p50 {:.0f} ms, p99 {:.0f} ms · /healthz p99 {:.1f} ms",
                    run.path, run.what, latency_quantile_ms(run.requests, 0.5),
                    latency_quantile_ms(run.requests, 0.99), health),
        "font-weight=\"600\"");
    double y = top + kHead - 10;
    for (const Span& bar : bars) {
        out += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n",
            x_of(bar.start_s), y, std::max(1.0, x_of(bar.end_s) - x_of(bar.start_s)), kBar - 2,
            bar.ok ? "#4c78a8" : "#b22222");
        y += kBar;
    }
    for (const Span& dot : run.probes) {
        const double ms = (dot.end_s - dot.start_s) * 1000;
        out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.2\" fill=\"{}\"/>\n",
                           std::min(x_of(dot.end_s), kLeft + kWidth), y + 5,
                           ms < 50 ? "#2e8b57" : "#e4572e");
    }
    return out;
}

}  // namespace

double latency_quantile_ms(const std::vector<Span>& spans, double q) {
    if (spans.empty()) return 0;
    std::vector<double> all;
    for (const Span& span : spans) all.push_back((span.end_s - span.start_s) * 1000);
    std::sort(all.begin(), all.end());
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(all.size())));
    return all[std::min(all.size() - 1, rank == 0 ? 0 : rank - 1)];
}

async::Task<Result<std::vector<EndpointRun>>> run_concurrency(
    ConcurrencyOptions options, std::shared_ptr<http::Client> client) {
    using namespace boost::asio::experimental::awaitable_operators;
    HEDDLE_CO_TRY(const http::Url base, http::parse_url(options.url));
    std::vector<EndpointRun> runs;
    for (const Endpoint& endpoint : kEndpoints) {
        http::Url target{base.origin, endpoint.path};
        http::Url health{base.origin, "/healthz"};
        bool done = false;
        const auto origin = Clock::now();
        auto [requests, probes] =
            co_await (all_at_once(client, target, options.requests, origin, &done) &&
                      probe(client, health, origin, &done, options.probe_every));
        const bool failed =
            std::any_of(requests.begin(), requests.end(), [](const Span& s) { return !s.ok; });
        if (failed) {
            co_return fail(ErrorCode::kUpstream,
                           fmt::format("{} did not answer; is the server running with --demo?",
                                       endpoint.path));
        }
        runs.push_back({endpoint.path, endpoint.what, std::move(requests), std::move(probes)});
    }
    co_return runs;
}

std::string concurrency_table(const std::vector<EndpointRun>& runs) {
    std::string out = fmt::format("{:<8} {:<36} {:>9} {:>9} {:>9} {:>13} {:>13}\n", "path", "what",
                                  "all, s", "p50, ms", "p99, ms", "healthz p50", "healthz p99");
    for (const EndpointRun& run : runs) {
        double end = 0;
        for (const Span& span : run.requests) end = std::max(end, span.end_s);
        out += fmt::format("{:<8} {:<36} {:>9.2f} {:>9.0f} {:>9.0f} {:>10.1f} ms {:>10.1f} ms\n",
                           run.path, run.what, end, latency_quantile_ms(run.requests, 0.5),
                           latency_quantile_ms(run.requests, 0.99),
                           latency_quantile_ms(run.probes, 0.5),
                           latency_quantile_ms(run.probes, 0.99));
    }
    return out;
}

std::string concurrency_svg(const std::vector<EndpointRun>& runs) {
    const double seconds = duration_of(runs);
    double top = 30;
    std::string body;
    for (const EndpointRun& run : runs) {
        body += panel(run, top, seconds);
        top += kHead + kBar * static_cast<double>(run.requests.size()) + 26;
    }
    body += fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" y2=\"{1}\" stroke=\"#888\"/>\n",
                        kLeft, top, kLeft + kWidth);
    for (int tick = 0; tick <= 4; ++tick) {
        body += svg_text(kLeft + kWidth * tick / 4, top + 16,
                         fmt::format("{:.1f} s", seconds * tick / 4),
                         tick == 4 ? "text-anchor=\"end\"" : "");
    }
    body += svg_text(kLeft, top + 38,
                     "bars: requests sent at once · dots: /healthz meanwhile, green under 50 ms");
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 {0:.0f}\" width=\"800\" "
        "height=\"{0:.0f}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{1}</svg>\n",
        top + 52, body);
}

}  // namespace heddle::app
