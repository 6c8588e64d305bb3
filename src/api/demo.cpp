// The chapter's lesson, served only with --demo: the same question asked by a handler that blocks
// the event loop (/block), by one that blocks a worker (/slow), and by one that blocks nobody
// (/fast); /sync and /async take a bare JSON string and return one.
#include <utility>

#include "api/answer_json.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "async/offload.h"

namespace heddle::api {
namespace {

constexpr std::size_t kPromptBytesMax = std::size_t{1} << 20;

service::AnswerRequest question(const Context& context, const Call& call, std::string prompt) {
    service::AnswerRequest request;
    request.owner = call.identity.owner;
    request.messages.push_back({service::Role::kUser, std::move(prompt)});
    request.grounding.enabled = false;
    request.deadline = async::Deadline::after(context.options.answer_timeout);
    return request;
}

// Holds the calling thread until the answer is here. On an I/O thread that stops every client of
// the thread: this is what is being shown, and done nowhere else.
Result<CollectedAnswer> ask_blocking(Context& context, service::AnswerRequest request) {
    return context.demo_runtime->run(collect_answer(context.services.answerer, std::move(request)));
}

http::Response text_response(const Call& call, const Result<CollectedAnswer>& answer) {
    if (!answer) return error_response(call.request, answer.error());
    std::string body;
    append_quoted(body, answer->text());
    return http::Response::json(200, std::move(body));
}

std::string prompt_of(const Call& call) {
    return std::string(call.request.query("prompt").value_or("Tell me a joke"));
}

async::Task<http::Response> block(Context& context, Call call) {
    co_return text_response(call, ask_blocking(context, question(context, call, prompt_of(call))));
}

async::Task<http::Response> on_worker(Context& context, Call call, std::string prompt) {
    const auto ask = [&context, request = question(context, call, std::move(prompt))] {
        return ask_blocking(context, request);
    };
    // Not the server's own workers: the answer needs those, and would wait for itself.
    const auto answer = co_await async::offload(context.demo_runtime->workers(), ask);
    co_return text_response(call, answer);
}

async::Task<http::Response> asynchronously(Context& context, Call call, std::string prompt) {
    const auto answer = co_await collect_answer(context.services.answerer,
                                                question(context, call, std::move(prompt)));
    co_return text_response(call, answer);
}

async::Task<http::Response> slow(Context& context, Call call) {
    co_return co_await on_worker(context, call, prompt_of(call));
}

async::Task<http::Response> fast(Context& context, Call call) {
    co_return co_await asynchronously(context, call, prompt_of(call));
}

// "…", or {"prompt": "…"}.
async::Task<Result<std::string>> read_prompt(http::Request& request) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(request));
    std::string_view bare;
    if (body.root().get(bare) == simdjson::SUCCESS) {
        if (bare.empty()) {
            co_return field_error("", "String should have at least 1 character",
                                  "string_too_short");
        }
        co_return std::string(bare);
    }
    HEDDLE_CO_TRY(const JsonObject object, body.object());
    co_return object.required_text("prompt", {1, kPromptBytesMax});
}

async::Task<http::Response> sync(Context& context, Call call) {
    auto prompt = co_await read_prompt(call.request);
    if (!prompt) co_return error_response(call.request, prompt.error());
    co_return co_await on_worker(context, call, std::move(*prompt));
}

async::Task<http::Response> asynchronous(Context& context, Call call) {
    auto prompt = co_await read_prompt(call.request);
    if (!prompt) co_return error_response(call.request, prompt.error());
    co_return co_await asynchronously(context, call, std::move(*prompt));
}

Endpoint get_demo(std::string_view pattern, Endpoint::Run run, std::string_view summary) {
    return {.method = http::Method::kGet,
            .pattern = pattern,
            .run = run,
            .summary = summary,
            .tag = "demo",
            .starts_work = true,
            .query = {{"prompt", "string", "What to ask"}}};
}

Endpoint post_demo(std::string_view pattern, Endpoint::Run run, std::string_view summary) {
    return {.method = http::Method::kPost,
            .pattern = pattern,
            .run = run,
            .summary = summary,
            .tag = "demo",
            .request_schema = R"({"type": "string"})"};
}

}  // namespace

Endpoint block_endpoint() {
    return get_demo("/block", block, "Asks while holding the event loop");
}

Endpoint slow_endpoint() {
    return get_demo("/slow", slow, "Asks while holding a worker thread");
}

Endpoint fast_endpoint() {
    return get_demo("/fast", fast, "Asks without holding any thread");
}

Endpoint sync_endpoint() {
    return post_demo("/sync", sync, "A bare JSON string in and out, by a blocking client");
}

Endpoint async_endpoint() {
    return post_demo("/async", asynchronous, "A bare JSON string in and out, asynchronously");
}

}  // namespace heddle::api
