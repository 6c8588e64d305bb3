// The Api over a real server, with a scripted generator behind it and documents in memory.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.h"
#include "http/client.h"
#include "http/server.h"
#include "service/conversations_testing.h"
#include "service/keys_testing.h"

namespace heddle::api {

// Says its pieces, then fails if it is told to.
class ScriptedGenerator final : public service::Generator {
public:
    [[nodiscard]] std::vector<service::ModelInfo> models() const override {
        return {{.id = "scripted", .owned_by = "test", .context_tokens = 4096}};
    }
    async::Task<Result<service::Completion>> generate(
        service::GenerateRequest request, std::shared_ptr<service::TextStream> out) override;
    [[nodiscard]] std::uint32_t count_tokens(const std::string& /*model*/,
                                             std::string_view text) const override {
        return static_cast<std::uint32_t>(text.size() / 4 + 1);
    }

    std::vector<std::string> pieces{"Hello ", "\"wörld\"\n"};
    std::vector<service::TextPiece> exact;  // in place of `pieces`, when not empty
    service::GenerateRequest seen;          // the latest request
    std::optional<Error> failure;
    std::atomic<bool> cancelled{false};
    bool waits_for_ever = false;
};

// Keeps what is uploaded in memory; every document is ready at once.
class MemoryDocuments final : public service::Documents {
public:
    async::Task<Result<std::unique_ptr<service::Upload>>> upload(
        service::UploadRequest request) override;
    async::Task<Result<std::vector<service::DocumentInfo>>> list(
        std::string owner, service::DocumentQuery query) override;
    async::Task<Result<service::DocumentInfo>> get(std::string owner, std::string id) override;
    async::Task<Result<>> remove(std::string owner, std::string id) override;
    async::Task<Result<std::unique_ptr<service::DocumentWatch>>> watch(std::string owner,
                                                                       std::string id) override;
    async::Task<Result<std::unique_ptr<service::DocumentFile>>> open_file(std::string owner,
                                                                          std::string id) override;
    // A picture that says what was asked for.
    async::Task<Result<std::string>> page_picture(std::string owner, std::string id,
                                                  service::PictureRequest request) override;
    async::Task<Result<std::vector<service::ChunkInfo>>> chunks(std::string owner, std::string id,
                                                                std::size_t first,
                                                                std::size_t limit) override;

    struct Stored {
        std::string owner;
        service::DocumentInfo info;
        std::string bytes;
    };
    std::map<std::string, Stored> stored;  // by id; one I/O thread
};

struct Reply {
    int status = 0;
    http::Headers headers;
    std::string body;
};

class TestApi {
public:
    // Without keys everybody is the local owner.
    explicit TestApi(std::vector<std::string> keys = {}, ApiOptions options = {});
    ~TestApi();

    Reply request(http::Method method, const std::string& target, const std::string& body = "",
                  http::Headers headers = {});
    Reply get(const std::string& target, http::Headers headers = {}) {
        return request(http::Method::kGet, target, "", std::move(headers));
    }
    Reply post(const std::string& target, const std::string& body, http::Headers headers = {}) {
        return request(http::Method::kPost, target, body, std::move(headers));
    }

    [[nodiscard]] Api& api() { return *api_; }
    [[nodiscard]] ScriptedGenerator& generator() { return *generator_; }
    [[nodiscard]] MemoryDocuments& documents() { return *documents_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

    // After which a request is given up; its reply then has status 0.
    std::chrono::milliseconds patience{20'000};

private:
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    std::shared_ptr<ScriptedGenerator> generator_ = std::make_shared<ScriptedGenerator>();
    std::shared_ptr<MemoryDocuments> documents_ = std::make_shared<MemoryDocuments>();
    std::unique_ptr<service::TestConversations> conversations_;
    std::unique_ptr<service::TestKeys> keys_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<http::Server> server_;
    std::unique_ptr<http::Client> client_;
    std::uint16_t port_ = 0;
};

}  // namespace heddle::api
