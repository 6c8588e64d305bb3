#include "upstream/openai_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace heddle::upstream {
namespace {

constexpr std::size_t kErrorBodyMax = 64 << 10;

// Worth another attempt: the server did nothing yet, or says itself that it may work later.
bool is_transient(const Error& error) {
    return error.code() == ErrorCode::kUnavailable || error.reason() == "connect_failed" ||
           error.reason() == "closed" || error.reason() == "upstream_failed";
}

int seconds_of(std::string_view retry_after) {
    int seconds = 0;
    const auto [end, ec] = std::from_chars(retry_after.begin(), retry_after.end(), seconds);
    return ec == std::errc() && end == retry_after.end() ? std::clamp(seconds, 0, 3600) : 0;
}

Error broke_off() {
    return Error(ErrorCode::kUpstream, "the model server broke off in the middle of the answer")
        .with_reason("upstream_broke_off");
}

std::uint64_t jitter_seed() {
    std::uint64_t seed = 0;
    secure_random(std::as_writable_bytes(std::span(&seed, 1)));
    return seed;
}

}  // namespace

Result<std::shared_ptr<OpenAiClient>> OpenAiClient::create(UpstreamOptions options,
                                                           std::shared_ptr<http::Client> client) {
    auto base = http::parse_url(options.base_url);
    if (!base) {
        return fail(
            std::move(base).error().with_context("upstream address").with_param("upstream"));
    }
    while (base->target.ends_with('/')) base->target.pop_back();
    return std::shared_ptr<OpenAiClient>(
        new OpenAiClient(std::move(options), std::move(*base), std::move(client)));
}

OpenAiClient::OpenAiClient(UpstreamOptions options, http::Url base,
                           std::shared_ptr<http::Client> client)
    : options_(std::move(options)),
      base_(std::move(base)),
      client_(std::move(client)),
      slots_(async::Semaphore::create(options_.concurrent_max)) {}

http::ClientRequest OpenAiClient::request(http::Method method, std::string_view path,
                                          std::string body, async::Deadline deadline) const {
    http::ClientRequest request;
    request.method = method;
    request.url = base_;
    request.url.target += path;
    if (!body.empty()) request.headers.set("Content-Type", "application/json");
    if (!options_.key.empty()) request.headers.set("Authorization", "Bearer " + options_.key);
    request.body = std::move(body);
    request.deadline = deadline.sooner(options_.head_timeout);
    return request;
}

// The response of a 2xx, or its error. A server's own words go to the log only.
async::Task<Result<http::ClientResponse>> OpenAiClient::send_checked(http::ClientRequest request) {
    HEDDLE_CO_TRY(http::ClientResponse response, co_await client_->send(std::move(request)));
    if (response.status() >= 200 && response.status() < 300) co_return response;
    const int status = response.status();
    const int retry_after_s = seconds_of(response.headers().get("Retry-After"));
    const Result<std::string> body = co_await response.read_all(kErrorBodyMax);
    const std::string text = body ? *body : std::string();
    log::warn("upstream", "the model server answered with an error",
              {{"host", host()}, {"status", status}, {"body", text.substr(0, 300)}});
    co_return fail(error_of_status(status, text, retry_after_s));
}

async::Task<> OpenAiClient::pause_before_retry(int attempt, const Error& error,
                                               async::Deadline deadline) const {
    Rng rng(jitter_seed());
    auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(
        options_.retry_delay * (1 << attempt) * (0.5 + rng.uniform()));
    if (error.retry_after_s() > 0)
        pause = std::max(pause, std::chrono::milliseconds(1000) * error.retry_after_s());
    // A retry that would begin after the deadline is no retry; the caller sees the time.
    const auto left = deadline.when() - std::chrono::steady_clock::now();
    co_await async::sleep_for(
        std::min<std::chrono::nanoseconds>(pause, std::max(left, left.zero())));
}

async::Task<Result<ChatResult>> OpenAiClient::chat(ChatCall call, PieceSink out,
                                                   async::Deadline deadline) {
    auto slot = co_await async::with_deadline(deadline, slots_->acquire());
    if (!slot) co_return fail(std::move(slot).error());
    const std::string body = encode_chat(call, true);
    const std::string_view path = call.prompts.empty() ? "/chat/completions" : "/completions";
    Progress progress;
    for (int attempt = 0;; ++attempt) {
        auto result = co_await chat_once(path, body, out, deadline, progress);
        if (result || progress.text_sent || attempt >= options_.retries_max ||
            !is_transient(result.error()) || deadline.passed())
            co_return result;
        log::info("upstream", "asking again", {{"host", host()}, {"attempt", attempt + 2}});
        co_await pause_before_retry(attempt, result.error(), deadline);
    }
}

async::Task<Result<ChatResult>> OpenAiClient::chat_once(std::string_view path, std::string body,
                                                        PieceSink out, async::Deadline deadline,
                                                        Progress& progress) {
    http::ClientRequest call = request(http::Method::kPost, path, std::move(body), deadline);
    call.headers.set("Accept", "text/event-stream");
    HEDDLE_CO_TRY(http::ClientResponse response, co_await send_checked(std::move(call)));
    response.set_deadline(deadline);
    const bool events =
        response.headers().get("Content-Type").find("text/event-stream") != std::string_view::npos;
    if (events) co_return co_await read_events(std::move(response), std::move(out), progress);

    // A server that does not stream answers in one piece.
    HEDDLE_CO_TRY(const std::string whole, co_await response.read_all(options_.answer_bytes_max));
    HEDDLE_CO_TRY(ChatPiece piece, decode_chat(whole));
    if (!piece.error.empty()) co_return fail(error_of_status(500, whole, 0));
    ChatResult result;
    HEDDLE_CO_TRY_VOID(co_await hand_on(std::move(piece), out, result, progress));
    co_return result;
}

// One event's share of every answer goes to the sink.
async::Task<Result<>> OpenAiClient::hand_on(ChatPiece piece, const PieceSink& out,
                                            ChatResult& result, Progress& progress) {
    if (piece.usage) {
        result.usage = *piece.usage;
        result.usage_known = true;
    }
    for (ChoicePiece& choice : piece.choices) {
        bool& ended = progress.ended[choice.index];
        if (!choice.finish_reason.empty()) {
            ended = true;
            result.finish_reason = choice.finish_reason;
        }
        if (choice.empty()) continue;
        progress.bytes += choice.text.size();
        for (const ToolCallText& call : choice.tool_calls) progress.bytes += call.arguments.size();
        if (progress.bytes > options_.answer_bytes_max)
            co_return fail(ErrorCode::kUpstream, "the model server's answer does not end");
        progress.text_sent = true;
        if (!co_await out(std::move(choice)))
            co_return fail(ErrorCode::kCancelled, "the reader has gone");
    }
    co_return Result<>();
}

async::Task<Result<ChatResult>> OpenAiClient::read_events(http::ClientResponse response,
                                                          PieceSink out, Progress& progress) {
    http::SseReader reader(std::move(response), options_.event_bytes_max);
    ChatResult result;
    for (;;) {
        HEDDLE_CO_TRY(const std::optional<http::SseEvent> event, co_await reader.next());
        if (!event || event->data == "[DONE]") break;
        HEDDLE_CO_TRY(ChatPiece piece, decode_chat(event->data));
        if (!piece.error.empty()) {
            log::warn("upstream", "the model server failed in mid-answer",
                      {{"host", host()}, {"error", piece.error.substr(0, 300)}});
            co_return fail(broke_off());
        }
        HEDDLE_CO_TRY_VOID(co_await hand_on(std::move(piece), out, result, progress));
    }
    // An answer without a reason for its end was cut off, whatever the connection says.
    const bool all_ended =
        std::ranges::all_of(progress.ended, [](auto& one) { return one.second; });
    if (result.finish_reason.empty() || !all_ended) co_return fail(broke_off());
    co_return result;
}

async::Task<Result<std::string>> OpenAiClient::fetch_body(http::Method method,
                                                          std::string_view path, std::string body,
                                                          async::Deadline deadline,
                                                          std::size_t bytes_max) {
    for (int attempt = 0;; ++attempt) {
        auto response = co_await send_checked(request(method, path, body, deadline));
        if (response) co_return co_await response->read_all(bytes_max);
        if (attempt >= options_.retries_max || !is_transient(response.error()) || deadline.passed())
            co_return fail(std::move(response).error());
        co_await pause_before_retry(attempt, response.error(), deadline);
    }
}

async::Task<Result<std::vector<UpstreamModel>>> OpenAiClient::models(async::Deadline deadline) {
    HEDDLE_CO_TRY(const std::string body, co_await fetch_body(http::Method::kGet, "/models", "",
                                                              deadline, std::size_t{4} << 20));
    co_return decode_models(body);
}

async::Task<Result<std::vector<std::vector<float>>>> OpenAiClient::embed(
    std::string model, std::vector<std::string> inputs, async::Deadline deadline) {
    const std::size_t count = inputs.size();
    HEDDLE_CO_TRY(const std::string body, co_await fetch_body(http::Method::kPost, "/embeddings",
                                                              encode_embeddings(model, inputs),
                                                              deadline, std::size_t{256} << 20));
    co_return decode_embeddings(body, count);
}

}  // namespace heddle::upstream
