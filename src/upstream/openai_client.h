// Any server that speaks OpenAI's API, asked over the pooled client.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/deadline.h"
#include "async/semaphore.h"
#include "async/task.h"
#include "base/result.h"
#include "http/client.h"
#include "upstream/openai_wire.h"

namespace heddle::upstream {

struct UpstreamOptions {
    std::string base_url;  // ends in /v1
    std::string key;       // sent as a bearer token; empty: none
    // Calls at once; the rest wait in line.
    std::size_t concurrent_max = 256;
    // More attempts after a failure that came before the first piece of text.
    int retries_max = 2;
    std::chrono::milliseconds retry_delay{200};  // doubled each time, with jitter
    std::chrono::milliseconds head_timeout{120'000};
    std::size_t event_bytes_max = std::size_t{1} << 20;
    std::size_t answer_bytes_max = std::size_t{16} << 20;
};

// Takes what the answers grow by; false when nobody wants more.
using PieceSink = std::function<async::Task<bool>(ChoicePiece piece)>;

struct ChatResult {
    std::string finish_reason;
    ChatUsage usage;
    bool usage_known = false;
};

// Thread-safe; runs on the caller's I/O thread.
class OpenAiClient {
public:
    // kInvalidArgument when the base URL is not one.
    static Result<std::shared_ptr<OpenAiClient>> create(UpstreamOptions options,
                                                        std::shared_ptr<http::Client> client);

    // Streams the answers into `out`. Cancelling closes the connection, which is how these servers
    // learn that nobody listens any more.
    async::Task<Result<ChatResult>> chat(ChatCall call, PieceSink out, async::Deadline deadline);
    async::Task<Result<std::vector<UpstreamModel>>> models(async::Deadline deadline);
    async::Task<Result<std::vector<std::vector<float>>>> embed(std::string model,
                                                               std::vector<std::string> inputs,
                                                               async::Deadline deadline);

    // The host, for logs and `owned_by`.
    [[nodiscard]] const std::string& host() const { return base_.origin.host; }

private:
    OpenAiClient(UpstreamOptions options, http::Url base, std::shared_ptr<http::Client> client);

    struct Progress {
        bool text_sent = false;
        std::size_t bytes = 0;
        std::map<std::uint32_t, bool> ended;  // the answers that have begun
    };
    [[nodiscard]] http::ClientRequest request(http::Method method, std::string_view path,
                                              std::string body, async::Deadline deadline) const;
    async::Task<Result<http::ClientResponse>> send_checked(http::ClientRequest request);
    async::Task<Result<ChatResult>> chat_once(std::string_view path, std::string body,
                                              PieceSink out, async::Deadline deadline,
                                              Progress& progress);
    async::Task<Result<ChatResult>> read_events(http::ClientResponse response, PieceSink out,
                                                Progress& progress);
    async::Task<Result<>> hand_on(ChatPiece piece, const PieceSink& out, ChatResult& result,
                                  Progress& progress);
    async::Task<Result<std::string>> fetch_body(http::Method method, std::string_view path,
                                                std::string body, async::Deadline deadline,
                                                std::size_t bytes_max);
    async::Task<> pause_before_retry(int attempt, const Error& error,
                                     async::Deadline deadline) const;

    const UpstreamOptions options_;
    const http::Url base_;
    const std::shared_ptr<http::Client> client_;
    const std::shared_ptr<async::Semaphore> slots_;
};

}  // namespace heddle::upstream
