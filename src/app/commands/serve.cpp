// heddle serve: the service.
#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <cstdio>

#include "api/api.h"
#include "api/client_files.h"
#include "app/commands/commands.h"
#include "app/house.h"
#include "app/logging.h"
#include "app/operation.h"
#include "app/recent_errors.h"
#include "app/version.h"
#include "http/server.h"
#include "service/collection_catalog.h"

namespace heddle::app {
namespace {

// Signals are taken by main alone, with sigwait: threads that are started later inherit the mask.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
    return signals;
}

Result<> check_exposure(const Config& config, const ListenAddress& address, const House& house) {
    if (address.loopback() || house.keys->required() || config.insecure_no_auth) return {};
    return fail(Error(ErrorCode::kInvalidArgument,
                      fmt::format("{} can be reached from other machines and there is no key: make "
                                  "one with `heddle keys create NAME`, or pass --api-key-file "
                                  "(--insecure-no-auth serves everybody)",
                                  config.listen)));
}

Result<http::ServerOptions> server_options(const Config& config, const ListenAddress& address) {
    http::ServerOptions options;
    const bool any_address = address.host == "0.0.0.0" || address.host == "::";
    // A server for everybody is known by names we cannot guess; its keys guard it.
    if (!any_address || !config.public_hosts.empty()) {
        options.hosts = {"localhost", "127.0.0.1", "[::1]"};
        options.hosts.push_back(address.host);
        options.hosts.insert(options.hosts.end(), config.public_hosts.begin(),
                             config.public_hosts.end());
    }
    if (config.tls_certificate.empty() != config.tls_key.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "--tls-certificate and --tls-key are given together or not at all");
    }
    if (!config.tls_certificate.empty()) {
        HEDDLE_TRY(options.tls,
                   http::TlsContext::for_server(config.tls_certificate, config.tls_key));
    }
    return options;
}

api::ApiOptions api_options(const Config& config) {
    api::ApiOptions options;
    options.version = kVersion;
    options.upload_bytes_max = config.upload_bytes_max;
    options.answer_timeout = config.answer_timeout;
    options.secure_cookies = !config.tls_certificate.empty();
    options.demo = config.demo;
    return options;
}

api::ApiServices services_of(House& house, std::shared_ptr<std::atomic<bool>> draining,
                             std::shared_ptr<RecentErrors> errors) {
    api::ApiServices services;
    services.answerer = house.answerer;
    services.documents = house.documents;
    services.embeddings = house.embeddings;
    services.models = house.models;
    services.reranker = house.reranker;
    services.keys = house.keys;
    services.conversations = house.conversations;
    services.conversation_answers = house.conversation_answers;
    services.operation = operation_of(house, std::move(errors));
    if (house.embedder) {
        services.collections =
            std::make_shared<service::CollectionCatalog>(*house.collections, *house.embedder);
    }
    services.readiness = [draining, models = house.models] {
        if (*draining) return api::Readiness{false, "draining"};
        return models->healthy() ? api::Readiness{} : api::Readiness{false, "a model is stuck"};
    };
    services.metrics_text = [&house] { return house.metrics.expose(); };
    return services;
}

void greet(const Config& config, const ListenAddress& address, std::uint16_t port,
           const House& house) {
    const char* scheme = config.tls_certificate.empty() ? "http" : "https";
    const std::string host =
        address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]";
    const std::vector<service::ModelInfo> models = house.answerer->models();
    std::printf("Heddle is serving on %s://%s:%u (Ctrl-C stops)\n", scheme, host.c_str(), port);
    std::fflush(stdout);
    log::info("app", "ready",
              {{"data", config.data},
               {"model", models.empty() ? "none" : models.front().id},
               {"embedder", house.embedder ? house.embedder->info().id : "none"},
               {"keys", house.keys->required() ? "required" : "not required (loopback)"}});
}

Result<> serve(const Config& config, const sigset_t& signals,
               std::shared_ptr<RecentErrors> errors) {
    HEDDLE_TRY(const ListenAddress address, parse_listen(config.listen));
    HEDDLE_TRY(const std::unique_ptr<House> house, House::open(config));
    HEDDLE_TRY_VOID(check_exposure(config, address, *house));
    HEDDLE_TRY(http::ServerOptions options, server_options(config, address));
    const auto draining = std::make_shared<std::atomic<bool>>(false);
    api::Api api(api_options(config), services_of(*house, draining, std::move(errors)),
                 house->runtime->workers(), house->metrics);
    HEDDLE_TRY_VOID(api::serve_client(api, api::embedded_client()));
    http::Server server(
        *house->runtime, std::move(options),
        [&api](http::Request& request) { return api.handle(request); }, api::respond_to_error);
    HEDDLE_TRY(const std::uint16_t port, server.listen(address.host, address.port));
    house->start_workers();
    greet(config, address, port, *house);

    int received = 0;
    sigwait(&signals, &received);
    log::info("app", "stopping; a second signal ends at once", {{"signal", strsignal(received)}});
    // The second one kills, as signals do by default.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    *draining = true;
    server.stop(config.drain);
    return {};
}

int run(const SettingFlags& flags) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    const auto errors = std::make_shared<RecentErrors>(
        make_log_sink(config->log_format == "json" ? LogFormat::kJson : LogFormat::kText));
    log::set_sink(errors);
    log::set_level(parse_log_level(config->log_level));
    const sigset_t signals = block_signals();
    const auto served = serve(*config, signals, errors);
    return served ? kExitOk : report(served.error());
}

std::function<int()> set_up(CLI::App& command) {
    const SettingFlags flags(command);
    return [=] { return run(flags); };
}

}  // namespace

Command serve_command() {
    return {"serve", "run the service", set_up};
}

}  // namespace heddle::app
