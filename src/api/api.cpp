#include "api/api.h"

#include <chrono>
#include <utility>

#include "api/error_response.h"
#include "api/openapi.h"
#include "api/routes.h"
#include "base/log.h"

namespace heddle::api {
namespace {

bool is_unsafe(http::Method method) {
    return method != http::Method::kGet && method != http::Method::kHead &&
           method != http::Method::kOptions;
}

void set_default(http::Response& response, std::string_view name, std::string value) {
    if (!response.headers.has(name)) response.headers.add(std::string(name), std::move(value));
}

}  // namespace

struct Api::Instruments {
    explicit Instruments(Metrics& metrics)
        : requests_ok(counter(metrics, "2xx")),
          requests_refused(counter(metrics, "4xx")),
          requests_failed(counter(metrics, "5xx")),
          seconds(metrics.histogram(
              "http_request_duration_seconds",
              "Time until the head of a response was ready, streams' bodies not counted",
              {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60})) {}

    static Counter& counter(Metrics& metrics, const char* statuses) {
        return metrics.counter("http_requests_total", "Responses by class of status",
                               {{"status", statuses}});
    }

    void record(int status, std::chrono::duration<double> took) {
        Counter& refused_or_failed = status < 500 ? requests_refused : requests_failed;
        (status < 400 ? requests_ok : refused_or_failed).add();
        seconds.observe(took.count());
    }

    Counter& requests_ok;
    Counter& requests_refused;
    Counter& requests_failed;
    Histogram& seconds;
};

void add_security_headers(http::Response& response) {
    set_default(response, "X-Content-Type-Options", "nosniff");
    set_default(response, "X-Frame-Options", "DENY");
    set_default(response, "Referrer-Policy", "no-referrer");
    set_default(response, "Cross-Origin-Resource-Policy", "same-origin");
    set_default(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    set_default(response, "Cache-Control", "no-store");
}

http::Response respond_to_error(const http::Request& request, const Error& error) {
    http::Response response = error_response(request, error);
    add_security_headers(response);
    return response;
}

Api::Api(ApiOptions options, ApiServices services, async::WorkerPool& workers, Metrics& metrics)
    : context_{std::move(options), std::move(services), workers, nullptr, {}, {}},
      authenticator_(context_.services.keys, Clock::system()),
      endpoints_(routes(context_.options)),
      router_(error_response),
      instruments_(std::make_unique<Instruments>(metrics)) {
    context_.authenticator = &authenticator_;
    context_.openapi = openapi_document(endpoints_, context_.options);
    if (context_.options.demo) {
        // As many workers as the chapter's framework gives to synchronous handlers.
        const async::RuntimeOptions threads{.io_threads = 1, .worker_threads = 40};
        context_.demo_runtime = std::make_unique<async::Runtime>(threads);
    }
    for (const Endpoint& endpoint : endpoints_) {
        const auto cap = endpoint.is_upload ? context_.options.upload_bytes_max
                                            : context_.options.json_bytes_max;
        // Multipart headers and other fields come on top of the file itself.
        const std::uint64_t allowance = endpoint.is_upload ? std::uint64_t{64} << 10 : 0;
        router_.add({endpoint.method, std::string(endpoint.pattern),
                     [this, &endpoint](http::Request& request) { return run(endpoint, request); },
                     cap + allowance});
    }
}

Api::~Api() = default;

void Api::add_open_route(http::Route route) {
    router_.add(std::move(route));
}

async::Task<http::Response> Api::handle(http::Request& request) {
    const auto begun = std::chrono::steady_clock::now();
    http::Response response = co_await router_.handle(request);
    add_security_headers(response);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    instruments_->record(response.status, took);
    if (log::enabled(log::Level::kDebug)) {
        log::debug("api", "request",
                   {{"id", request.id()},
                    {"method", to_string(request.method())},
                    {"path", request.target().path},
                    {"status", response.status},
                    {"ms", took.count() * 1000}});
    }
    co_return response;
}

async::Task<http::Response> Api::run(const Endpoint& endpoint, http::Request& request) {
    if (endpoint.is_open) {
        const service::Identity nobody;
        co_return co_await endpoint.run(context_, Call{request, nobody});
    }
    const bool changes_state = is_unsafe(request.method()) || endpoint.starts_work;
    const auto identity = authenticator_.identify(request, changes_state);
    if (!identity) co_return error_response(request, identity.error());
    if (endpoint.for_admins && identity->role != service::KeyRole::kAdmin) {
        Error refusal(ErrorCode::kPermissionDenied, "this needs the key of an administrator");
        co_return error_response(request, std::move(refusal).with_reason("admin_only"));
    }
    co_return co_await endpoint.run(context_, Call{request, *identity});
}

}  // namespace heddle::api
