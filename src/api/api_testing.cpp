#include "api/api_testing.h"

#include <algorithm>
#include <utility>

#include <boost/system/system_error.hpp>

#include "base/ids.h"

namespace heddle::api {
namespace {

tl::unexpected<Error> not_found() {
    return fail(ErrorCode::kNotFound, "there is no such document");
}

class MemoryUpload final : public service::Upload {
public:
    MemoryUpload(MemoryDocuments& documents, service::UploadRequest request)
        : documents_(documents), request_(std::move(request)) {}

    async::Task<Result<>> write(std::string bytes) override {
        bytes_ += bytes;
        co_return Result<>();
    }
    async::Task<Result<service::UploadOutcome>> finish() override {
        service::DocumentInfo info;
        info.id = new_id();
        info.collection = request_.collection;
        info.name = request_.name;
        info.title = request_.name;
        info.content_type = request_.content_type;
        info.bytes = bytes_.size();
        info.sha256 = "0123";
        info.state = service::DocumentState::kReady;
        documents_.stored[info.id] = {request_.owner, info, bytes_};
        co_return service::UploadOutcome{info, false};
    }

private:
    MemoryDocuments& documents_;
    service::UploadRequest request_;
    std::string bytes_;
};

class MemoryWatch final : public service::DocumentWatch {
public:
    explicit MemoryWatch(service::DocumentInfo info) : info_(std::move(info)) {}
    async::Task<Result<std::optional<service::DocumentInfo>>> next() override {
        co_return std::exchange(info_, std::nullopt);
    }

private:
    std::optional<service::DocumentInfo> info_;
};

class MemoryFile final : public service::DocumentFile {
public:
    explicit MemoryFile(MemoryDocuments::Stored stored) : stored_(std::move(stored)) {}
    [[nodiscard]] const service::DocumentInfo& document() const override { return stored_.info; }
    async::Task<Result<std::string>> read(std::uint64_t offset, std::size_t bytes) override {
        co_return stored_.bytes.substr(offset, std::min<std::size_t>(bytes, 3));
    }

private:
    MemoryDocuments::Stored stored_;
};

async::Task<Result<Reply>> exchange(http::Client* client, http::ClientRequest request) {
    HEDDLE_CO_TRY(http::ClientResponse response, co_await client->send(std::move(request)));
    HEDDLE_CO_TRY(std::string body, co_await response.read_all(std::size_t{16} << 20));
    co_return Reply{response.status(), response.headers(), std::move(body)};
}

}  // namespace

async::Task<Result<service::Completion>> ScriptedGenerator::generate(
    service::GenerateRequest request, std::shared_ptr<service::TextStream> out) {
    seen = std::move(request);
    for (const service::TextPiece& piece : exact) {
        if (!co_await out->push(piece)) co_return fail(ErrorCode::kCancelled, "gone");
    }
    if (!exact.empty()) co_return service::Completion{service::FinishReason::kStop, {7, 5, 3}};
    for (const std::string& piece : pieces) {
        if (!co_await out->push({.text = piece})) co_return fail(ErrorCode::kCancelled, "gone");
    }
    if (failure) co_return fail(*failure);
    if (waits_for_ever) {
        try {
            co_await async::sleep_for(std::chrono::hours(1));
        } catch (const boost::system::system_error&) {
            cancelled = true;
            throw;
        }
    }
    co_return service::Completion{service::FinishReason::kStop, {7, pieces.size()}};
}

async::Task<Result<std::unique_ptr<service::Upload>>> MemoryDocuments::upload(
    service::UploadRequest request) {
    if (request.content_type != "application/pdf") {
        co_return fail(ErrorCode::kInvalidArgument, "Only uploading PDF documents are supported");
    }
    co_return std::make_unique<MemoryUpload>(*this, std::move(request));
}

async::Task<Result<std::vector<service::DocumentInfo>>> MemoryDocuments::list(
    std::string owner, service::DocumentQuery query) {
    std::vector<service::DocumentInfo> found;
    for (const auto& [id, document] : stored) {
        const bool wanted = !query.collection || *query.collection == document.info.collection;
        if (document.owner == owner && wanted) found.push_back(document.info);
    }
    co_return found;
}

async::Task<Result<service::DocumentInfo>> MemoryDocuments::get(std::string owner, std::string id) {
    const auto found = stored.find(id);
    if (found == stored.end() || found->second.owner != owner) co_return not_found();
    co_return found->second.info;
}

async::Task<Result<>> MemoryDocuments::remove(std::string owner, std::string id) {
    HEDDLE_CO_TRY(const auto info, co_await get(owner, id));
    stored.erase(info.id);
    co_return Result<>();
}

async::Task<Result<std::unique_ptr<service::DocumentWatch>>> MemoryDocuments::watch(
    std::string owner, std::string id) {
    HEDDLE_CO_TRY(auto info, co_await get(owner, id));
    co_return std::make_unique<MemoryWatch>(std::move(info));
}

async::Task<Result<std::unique_ptr<service::DocumentFile>>> MemoryDocuments::open_file(
    std::string owner, std::string id) {
    HEDDLE_CO_TRY(const auto info, co_await get(owner, id));
    co_return std::make_unique<MemoryFile>(stored[info.id]);
}

async::Task<Result<std::string>> MemoryDocuments::page_picture(std::string owner, std::string id,
                                                               service::PictureRequest request) {
    HEDDLE_CO_TRY(const auto info, co_await get(owner, id));
    if (request.page > 2) co_return fail(ErrorCode::kNotFound, "the document has no such page");
    co_return "page " + std::to_string(request.page) + " width " + std::to_string(request.width) +
        " mark " + request.highlight;
}

async::Task<Result<std::vector<service::ChunkInfo>>> MemoryDocuments::chunks(
    std::string owner, std::string id, std::size_t /*first*/, std::size_t /*limit*/) {
    HEDDLE_CO_TRY(const auto info, co_await get(owner, id));
    service::ChunkInfo chunk;
    chunk.document = info.id;
    chunk.text = "text";
    std::vector<service::ChunkInfo> all{chunk};
    co_return all;
}

TestApi::TestApi(std::vector<std::string> keys, ApiOptions options) {
    service::GroundingSources sources;
    sources.without_addresses = [](std::string_view prompt) { return std::string(prompt); };
    std::vector<std::shared_ptr<service::Generator>> generators{generator_};
    ApiServices services;
    services.answerer = std::make_shared<service::Answerer>(
        std::make_shared<service::Generators>(std::move(generators)), std::move(sources),
        runtime_.workers(), service::AnswererOptions{}, Metrics::none());
    services.documents = documents_;
    conversations_ = std::make_unique<service::TestConversations>(services.answerer,
                                                                  runtime_.io(0).get_executor());
    services.conversations = conversations_->conversations();
    services.conversation_answers = conversations_->answers();
    if (!keys.empty()) {
        keys_ = std::make_unique<service::TestKeys>(std::move(keys));
        services.keys = keys_->keys();
    }
    services.metrics_text = [] { return std::string("heddle:up 1\n"); };
    api_ = std::make_unique<Api>(std::move(options), std::move(services), runtime_.workers(),
                                 Metrics::none());
    http::ServerOptions server_options;
    server_options.tick = std::chrono::milliseconds(10);
    server_ = std::make_unique<http::Server>(
        runtime_, server_options, [this](http::Request& request) { return api_->handle(request); },
        respond_to_error);
    port_ = *server_->listen("127.0.0.1", 0);
    client_ = std::make_unique<http::Client>(http::ClientOptions{});
}

TestApi::~TestApi() {
    server_->stop(std::chrono::milliseconds(0));
    runtime_.run(conversations_->answers()->shut_down());
}

Reply TestApi::request(http::Method method, const std::string& target, const std::string& body,
                       http::Headers headers) {
    http::ClientRequest request;
    request.method = method;
    request.url.origin = {false, "127.0.0.1", port_};
    request.url.target = target;
    request.headers = std::move(headers);
    request.body = body;
    request.deadline = async::Deadline::after(patience);
    auto reply = runtime_.run(exchange(client_.get(), std::move(request)));
    if (!reply) return {0, {}, reply.error().message()};
    return std::move(*reply);
}

}  // namespace heddle::api
