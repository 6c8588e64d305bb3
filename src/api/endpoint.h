// What an endpoint is: a place in the route table, its documentation, and a coroutine from call to
// response. One file each; routes.cpp lists them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/metrics.h"
#include "http/request.h"
#include "http/response.h"
#include "service/answerer.h"
#include "service/collection_catalog.h"
#include "service/conversation_answers.h"
#include "service/conversations.h"
#include "service/documents.h"
#include "service/embeddings.h"
#include "service/keys.h"
#include "service/local_models.h"
#include "service/local_reranker.h"
#include "service/model_status.h"

namespace heddle::api {

class Authenticator;

struct ApiOptions {
    std::string version = "0.1.0";
    std::uint64_t json_bytes_max = std::uint64_t{2} << 20;
    std::uint64_t upload_bytes_max = std::uint64_t{50} << 20;
    std::chrono::milliseconds answer_timeout{300'000};
    // Browser origins beside the server's own that may open a WebSocket.
    std::vector<std::string> origins;
    // Session cookies only over TLS.
    bool secure_cookies = false;
    // The chapter's comparison of blocking and asynchronous handlers.
    bool demo = false;
};

struct Readiness {
    bool ready = true;
    std::string reason;  // fit for anybody: "loading", "draining", "the queue is full"
};

// A warning or an error that the server has logged.
struct LogLine {
    std::int64_t at_ms = 0;
    bool is_error = false;
    std::string room;
    std::string message;
    std::vector<std::pair<std::string, std::string>> fields;
};

// What an operator sees and does; each may be empty.
struct Operation {
    std::function<std::vector<service::ModelStatus>()> models;
    // Load (true) or unload a model by its name; returns when it is done.
    std::function<async::Task<Result<>>(std::string, bool)> change_model;
    std::function<std::uint64_t()> resident_bytes;
    // Newest first.
    std::function<std::vector<LogLine>()> recent_errors;
};

// The use cases behind the endpoints. All thread-safe; null where a build or a test has none,
// which the endpoint answers with 503.
struct ApiServices {
    std::shared_ptr<service::Answerer> answerer;
    std::shared_ptr<service::Documents> documents;
    std::shared_ptr<service::CollectionCatalog> collections;
    std::shared_ptr<service::Embeddings> embeddings;
    std::shared_ptr<service::LocalModels> models;
    std::shared_ptr<service::LocalReranker> reranker;
    std::shared_ptr<service::Conversations> conversations;
    std::shared_ptr<service::ConversationAnswers> conversation_answers;
    std::shared_ptr<service::Keys> keys;  // null: everybody is the local owner
    std::function<Readiness()> readiness;
    std::function<std::string()> metrics_text;
    Operation operation;
};

// What endpoints share. Lives as long as the Api.
struct Context {
    ApiOptions options;
    ApiServices services;
    async::WorkerPool& workers;
    // A second runtime for /block and /slow, which wait for an answer without giving up their
    // thread; null unless options.demo.
    std::unique_ptr<async::Runtime> demo_runtime;
    std::string openapi;  // the document, made at start
    Authenticator* authenticator = nullptr;
};

struct Call {
    http::Request& request;
    const service::Identity& identity;
};

// A query parameter, for the documentation.
struct QueryParameter {
    std::string_view name;
    std::string_view type;  // JSON schema type
    std::string_view description;
};

struct Endpoint {
    using Run = async::Task<http::Response> (*)(Context& context, Call call);

    http::Method method = http::Method::kGet;
    std::string_view pattern;
    Run run = nullptr;
    std::string_view summary;
    std::string_view tag;
    bool is_open = false;  // answers without a key
    // A GET that starts work is refused when another site's page makes the browser send it.
    bool starts_work = false;
    std::string_view request_schema = {};  // JSON schema of the body; empty: no JSON body
    std::string_view request_type = "application/json";
    std::string_view response_type = "application/json";
    int success_status = 200;
    std::vector<QueryParameter> query = {};
    bool for_admins = false;  // 403 for keys of the role "user"
    bool is_upload = false;   // its body cap is options.upload_bytes_max
};

}  // namespace heddle::api
