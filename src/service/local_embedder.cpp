#include "service/local_embedder.h"

#include <fmt/format.h>
#include <pthread.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

#include "async/offload.h"
#include "async/waiter.h"
#include "compute/backends.h"
#include "model/encoder.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace heddle::service {
namespace {

using Vectors = std::vector<std::vector<float>>;
using TokenLists = std::vector<std::vector<text::TokenId>>;

// One caller's texts. The caller owns it together with the model thread, so that a cancelled
// caller may leave at any time.
struct Request {
    TokenLists inputs;
    Vectors vectors;  // written by the model thread, read after done
    std::size_t next = 0;
    std::size_t tokens = 0;
    std::optional<Error> error;
    std::atomic<bool> abandoned{false};
    async::Waiter done;
};

// Dropped when its caller leaves.
struct Ticket {
    std::shared_ptr<Request> request = std::make_shared<Request>();
    ~Ticket() { request->abandoned = true; }
};

Result<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    if (!file) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("the embedding model has no {}", path.filename().string()));
    }
    return std::move(bytes).str();
}

Result<std::shared_ptr<const text::Tokenizer>> load_tokenizer(const std::filesystem::path& folder) {
    HEDDLE_TRY(const std::string json, read_file(folder / "tokenizer.json"));
    // Optional: it only names the special tokens.
    const auto config = read_file(folder / "tokenizer_config.json");
    return text::tokenizer_from_json(json, config ? std::string_view(*config) : std::string_view());
}

}  // namespace

struct LocalEmbedder::Impl {
    Impl(LocalEmbedderOptions given, async::WorkerPool& pool, Metrics& metrics)
        : options(std::move(given)),
          workers(pool),
          queued_tokens(metrics.gauge("embed_queued_tokens", "Tokens that wait to be embedded")),
          embedded_tokens(metrics.counter("embed_tokens_total", "Tokens embedded")),
          step_seconds(metrics.histogram("embed_step_seconds", "One step of the embedding model",
                                         {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1})) {}

    void run();
    bool step(std::unique_lock<std::mutex>& lock);
    std::shared_ptr<Request> first_live(std::deque<std::shared_ptr<Request>>& queue);
    void drop(const std::shared_ptr<Request>& request);
    Result<> compute(const std::vector<std::shared_ptr<Request>>& owners,
                     const std::vector<std::size_t>& indices);

    const LocalEmbedderOptions options;
    async::WorkerPool& workers;
    Gauge& queued_tokens;
    Counter& embedded_tokens;
    Histogram& step_seconds;
    search::EmbedderInfo info;
    std::string query_prompt;
    std::string passage_prompt;
    std::shared_ptr<const text::Tokenizer> tokenizer;
    std::unique_ptr<compute::Backend> backend;  // the model thread's
    std::unique_ptr<model::Encoder> encoder;    // the model thread's

    std::mutex mutex;
    std::condition_variable wake;
    std::array<std::deque<std::shared_ptr<Request>>, 2> queues;  // questions, passages
    std::size_t waiting_tokens = 0;
    bool stopping = false;
    std::thread thread;
};

// With the lock held: the oldest request that still has a reader.
std::shared_ptr<Request> LocalEmbedder::Impl::first_live(
    std::deque<std::shared_ptr<Request>>& queue) {
    while (!queue.empty() && queue.front()->abandoned) {
        drop(queue.front());
        queue.pop_front();
    }
    return queue.empty() ? nullptr : queue.front();
}

void LocalEmbedder::Impl::drop(const std::shared_ptr<Request>& request) {
    for (std::size_t i = request->next; i < request->inputs.size(); ++i)
        waiting_tokens -= request->inputs[i].size();
    request->next = request->inputs.size();
}

Result<> LocalEmbedder::Impl::compute(const std::vector<std::shared_ptr<Request>>& owners,
                                      const std::vector<std::size_t>& indices) {
    std::vector<model::EncoderSequence> batch;
    for (std::size_t i = 0; i < owners.size(); ++i)
        batch.push_back({.tokens = owners[i]->inputs[indices[i]]});
    const std::size_t dimensions = info.dimensions;
    std::vector<float> out(batch.size() * dimensions);
    HEDDLE_TRY_VOID(encoder->embed(batch, out));
    for (std::size_t i = 0; i < owners.size(); ++i) {
        const auto begin = out.begin() + static_cast<std::ptrdiff_t>(i * dimensions);
        owners[i]->vectors[indices[i]].assign(begin,
                                              begin + static_cast<std::ptrdiff_t>(dimensions));
    }
    return {};
}

// Takes inputs of about one step, computes them without the lock, and wakes who is complete.
bool LocalEmbedder::Impl::step(std::unique_lock<std::mutex>& lock) {
    std::vector<std::shared_ptr<Request>> owners;
    std::vector<std::size_t> indices;
    std::int64_t tokens = 0;
    for (auto& queue : queues) {
        while (tokens < options.tokens_per_step) {
            const std::shared_ptr<Request> request = first_live(queue);
            if (!request) break;
            const auto size = static_cast<std::int64_t>(request->inputs[request->next].size());
            if (tokens > 0 && tokens + size > options.tokens_per_step) break;
            tokens += size;
            waiting_tokens -= static_cast<std::size_t>(size);
            owners.push_back(request);
            indices.push_back(request->next++);
            if (request->next == request->inputs.size()) queue.pop_front();
        }
    }
    if (owners.empty()) return false;
    queued_tokens.set(static_cast<double>(waiting_tokens));
    lock.unlock();
    const auto start = std::chrono::steady_clock::now();
    const Result<> outcome = compute(owners, indices);
    step_seconds.observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    embedded_tokens.add(static_cast<double>(tokens));
    for (std::size_t i = 0; i < owners.size(); ++i) {
        if (!outcome && !owners[i]->error) owners[i]->error = outcome.error();
        if (indices[i] + 1 == owners[i]->inputs.size()) owners[i]->done.notify();
    }
    lock.lock();
    return true;
}

void LocalEmbedder::Impl::run() {
    pthread_setname_np(pthread_self(), "embedder");
    std::unique_lock lock(mutex);
    for (;;) {
        const auto has_work = [&] { return stopping || !queues[0].empty() || !queues[1].empty(); };
        wake.wait(lock, has_work);
        if (stopping) break;
        while (!stopping && step(lock)) {
        }
    }
    for (auto& queue : queues) {
        for (const std::shared_ptr<Request>& request : queue) {
            request->error = Error(ErrorCode::kUnavailable, "the server is shutting down");
            request->done.notify();
        }
        queue.clear();
    }
}

LocalEmbedder::LocalEmbedder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
    impl_->thread = std::thread([state = impl_.get()] { state->run(); });
}

LocalEmbedder::~LocalEmbedder() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_one();
    impl_->thread.join();
}

Result<std::shared_ptr<LocalEmbedder>> LocalEmbedder::load(LocalEmbedderOptions options,
                                                           async::WorkerPool& workers,
                                                           Metrics& metrics) {
    const std::filesystem::path folder = options.folder;
    std::string name = options.name;
    if (name.empty()) {
        name = folder.filename().string();
        if (name.empty()) name = folder.parent_path().filename().string();
    }
    auto impl = std::make_unique<Impl>(std::move(options), workers, metrics);
    const compute::BackendConfig config{.threads = impl->options.threads};
    HEDDLE_TRY(impl->tokenizer, load_tokenizer(folder));
    HEDDLE_TRY(impl->backend, compute::make_backend("cpu", config));
    HEDDLE_TRY(impl->encoder,
               model::Encoder::load(folder, *impl->backend,
                                    {.tokens_per_step = impl->options.tokens_per_step}));
    impl->query_prompt = impl->encoder->settings().query_prompt;
    impl->passage_prompt = impl->encoder->settings().passage_prompt;
    impl->info.id = name + "/f32";
    impl->info.dimensions = static_cast<std::size_t>(impl->encoder->dimensions());
    impl->info.tokens_max = static_cast<std::size_t>(impl->encoder->tokens_max());
    impl->info.tokens_added = impl->tokenizer->added_special_count() +
                              impl->tokenizer->count(impl->passage_prompt, {.add_special = false});
    impl->info.score_threshold = impl->options.score_threshold;
    return std::shared_ptr<LocalEmbedder>(new LocalEmbedder(std::move(impl)));
}

const search::EmbedderInfo& LocalEmbedder::info() const {
    return impl_->info;
}

std::size_t LocalEmbedder::count_tokens(std::string_view text) const {
    return impl_->tokenizer->count(text, {.add_special = false, .parse_special = false});
}

async::Task<Result<Vectors>> LocalEmbedder::embed(std::vector<std::string> texts,
                                                  search::EmbedPurpose purpose) {
    if (texts.empty()) co_return Vectors();
    const Ticket ticket;
    const std::shared_ptr<Request> request = ticket.request;
    const bool question = purpose == search::EmbedPurpose::kQuery;
    const std::string& prompt = question ? impl_->query_prompt : impl_->passage_prompt;
    const auto tokenise = [&]() -> Result<> {
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto ids = impl_->tokenizer->encode(prompt + texts[i], {.parse_special = false});
            if (ids.size() > impl_->info.tokens_max) {
                return fail(Error(ErrorCode::kInvalidArgument,
                                  fmt::format("text {} has {} tokens; the model reads {}", i,
                                              ids.size(), impl_->info.tokens_max))
                                .with_reason("input_too_long"));
            }
            request->tokens += ids.size();
            request->inputs.push_back(std::move(ids));
        }
        return {};
    };
    HEDDLE_CO_TRY_VOID(co_await async::offload(impl_->workers, tokenise));
    request->vectors.resize(texts.size());
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->stopping || impl_->waiting_tokens > impl_->options.queued_tokens_max) {
            co_return fail(Error(ErrorCode::kUnavailable, "the embedding model is busy")
                               .with_reason("server_overloaded")
                               .with_retry_after(2));
        }
        impl_->waiting_tokens += request->tokens;
        impl_->queues[question ? 0 : 1].push_back(request);
    }
    impl_->wake.notify_one();
    co_await request->done.wait();
    if (request->error) co_return fail(*request->error);
    co_return std::move(request->vectors);
}

}  // namespace heddle::service
