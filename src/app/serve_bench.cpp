#include "app/serve_bench.h"

#include <fmt/format.h>

#include <utility>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "async/gather.h"
#include "async/semaphore.h"
#include "base/random.h"
#include "upstream/openai_client.h"

namespace heddle::app {
namespace {

namespace dom = simdjson::dom;
using Clock = std::chrono::steady_clock;

struct Shared {
    ServeBenchOptions options;
    http::Url url;
    std::shared_ptr<http::Client> client;
    std::shared_ptr<async::Semaphore> places;
    Clock::time_point start;
};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Words of two letters: one token each in most vocabularies.
std::string random_prompt(Rng& rng, std::size_t words) {
    std::string text;
    for (std::size_t i = 0; i < words; ++i) {
        if (i > 0) text += ' ';
        for (int letter = 0; letter < 2; ++letter)
            text += static_cast<char>('a' + static_cast<char>(rng.below(26)));
    }
    return text;
}

std::string body_of(const ServeBenchOptions& options, const BenchRequest& wanted, Rng& rng) {
    nlohmann::ordered_json body = {{"model", options.model},
                                   {"max_tokens", wanted.output_tokens},
                                   {"temperature", 0},
                                   {"stream", true},
                                   {"stream_options", {{"include_usage", true}}}};
    if (options.ignore_eos) body["ignore_eos"] = true;
    const std::string prompt = random_prompt(rng, wanted.prompt_tokens);
    if (options.chat) {
        body["messages"] = {{{"role", "user"}, {"content", prompt}}};
    } else {
        body["prompt"] = prompt;
    }
    return body.dump();
}

// What one event brought.
struct Piece {
    bool text = false;
    std::optional<std::uint64_t> prompt_tokens, output_tokens;
    std::string error;
};

std::optional<std::uint64_t> count_at(const dom::element& object, std::string_view key) {
    std::uint64_t value = 0;
    if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
}

Piece decode(dom::parser& parser, const std::string& data) {
    Piece piece;
    dom::element root;
    if (parser.parse(data).get(root) != simdjson::SUCCESS) {
        piece.error = "an event is not JSON";
        return piece;
    }
    dom::element part;
    if (root["error"].get(part) == simdjson::SUCCESS && !part.is_null())
        piece.error = "the server sent an error event";
    if (root["usage"].get(part) == simdjson::SUCCESS && part.is_object()) {
        piece.prompt_tokens = count_at(part, "prompt_tokens");
        piece.output_tokens = count_at(part, "completion_tokens");
    }
    std::string_view text;
    dom::element choice;
    if (root["choices"].at(0).get(choice) == simdjson::SUCCESS) {
        const bool found = choice["delta"]["content"].get(text) == simdjson::SUCCESS ||
                           choice["text"].get(text) == simdjson::SUCCESS;
        piece.text = found && !text.empty();
    }
    return piece;
}

void note(BenchRun& run, const Piece& piece, double now) {
    if (piece.prompt_tokens) run.prompt_tokens = *piece.prompt_tokens;
    if (piece.output_tokens) run.output_tokens = *piece.output_tokens;
    if (!piece.text) return;
    if (run.first_s == 0) {
        run.first_s = now;
    } else {
        run.gaps_s.push_back(static_cast<float>(now - run.last_s));
    }
    run.last_s = now;
}

async::Task<Result<>> stream(std::shared_ptr<Shared> shared, std::string body, BenchRun& run) {
    http::ClientRequest request;
    request.method = http::Method::kPost;
    request.url = shared->url;
    request.headers.set("Content-Type", "application/json");
    if (!shared->options.key.empty())
        request.headers.set("Authorization", "Bearer " + shared->options.key);
    request.body = std::move(body);
    request.deadline = async::Deadline::after(shared->options.timeout);
    run.sent_s = seconds_since(shared->start);
    HEDDLE_CO_TRY(http::ClientResponse response, co_await shared->client->send(std::move(request)));
    if (response.status() != 200)
        co_return fail(ErrorCode::kUpstream, fmt::format("status {}", response.status()));
    http::SseReader events(std::move(response));
    dom::parser parser;
    for (;;) {
        HEDDLE_CO_TRY(const std::optional<http::SseEvent> event, co_await events.next());
        if (!event || event->data == "[DONE]") break;
        const Piece piece = decode(parser, event->data);
        if (!piece.error.empty()) co_return fail(ErrorCode::kUpstream, piece.error);
        note(run, piece, seconds_since(shared->start));
    }
    if (run.first_s == 0) co_return fail(ErrorCode::kUpstream, "no text came");
    // Without a count of the server's: a token a piece.
    if (run.output_tokens == 0) run.output_tokens = run.gaps_s.size() + 1;
    co_return Result<>();
}

async::Task<BenchRun> ask(std::shared_ptr<Shared> shared, BenchRequest wanted, std::uint64_t seed) {
    Rng rng(seed);
    std::string body = body_of(shared->options, wanted, rng);
    co_await async::sleep_until(shared->start +
                                std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(wanted.arrives_s)));
    BenchRun run;
    run.prompt_tokens = wanted.prompt_tokens;
    const async::Semaphore::Permit place = co_await shared->places->acquire();
    const Result<> streamed = co_await stream(shared, std::move(body), run);
    if (!streamed) run.error = streamed.error().message();
    co_return run;
}

// The first model of the list, when none was named.
async::Task<Result<std::string>> first_model(ServeBenchOptions options,
                                             std::shared_ptr<http::Client> client) {
    upstream::UpstreamOptions upstream;
    upstream.base_url = options.base_url;
    upstream.key = options.key;
    HEDDLE_CO_TRY(const auto api, upstream::OpenAiClient::create(upstream, std::move(client)));
    HEDDLE_CO_TRY(const auto models,
                  co_await api->models(async::Deadline::after(std::chrono::seconds(30))));
    if (models.empty()) co_return fail(ErrorCode::kNotFound, "the server lists no model");
    co_return models.front().id;
}

}  // namespace

async::Task<Result<std::vector<BenchRun>>> run_serve_bench(ServeBenchOptions options,
                                                           std::vector<BenchRequest> requests,
                                                           std::shared_ptr<http::Client> client) {
    auto url = http::parse_url(options.base_url);
    if (!url) co_return fail(std::move(url).error().with_context("--base-url"));
    while (url->target.ends_with('/')) url->target.pop_back();
    url->target += options.chat ? "/chat/completions" : "/completions";
    if (options.model.empty()) {
        HEDDLE_CO_TRY(options.model, co_await first_model(options, client));
    }
    const std::size_t places =
        options.concurrent_max == 0 ? requests.size() : options.concurrent_max;
    const auto shared = std::make_shared<Shared>(
        Shared{options, *url, std::move(client), async::Semaphore::create(places), Clock::now()});
    std::vector<async::Task<BenchRun>> tasks;
    for (std::size_t i = 0; i < requests.size(); ++i)
        tasks.push_back(ask(shared, requests[i], options.seed * 1'000'003 + i));
    co_return co_await async::gather(std::move(tasks));
}

}  // namespace heddle::app
