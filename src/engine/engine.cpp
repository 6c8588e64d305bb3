#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/random.h"

namespace heddle::engine {
namespace {

constexpr std::size_t kStopsMax = 4;
constexpr std::size_t kStopBytesMax = 64;
// How long an idle engine sleeps before it looks at deadlines again.
constexpr auto kIdleWait = std::chrono::milliseconds(20);

std::uint64_t draw_seed() {
    std::uint64_t seed = 0;
    secure_random(std::as_writable_bytes(std::span(&seed, 1)));
    return seed;
}

bool contains(const std::vector<TokenId>& ids, TokenId id) {
    return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

struct Engine::Request {
    std::uint64_t id = 0;
    GenerationRequest asked;
    std::size_t tokens_max = 0;
    Sink sink;
    std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
};

// One answer on its way out.
struct Engine::Stream {
    std::shared_ptr<Request> request;
    SequenceId sequence = 0;
    std::uint32_t answer = 0;
    TextAssembler assembler;
    std::vector<TokenId> end_ids;
    std::vector<GeneratedToken> unreported;
    TokenUsage usage;
    SteadyTime arrived;
    SteadyTime started;
    SteadyTime first_token;
    SteadyTime last_token;
    bool queued = true;

    Stream(std::shared_ptr<Request> of, std::uint32_t number)
        : request(std::move(of)), answer(number), assembler(request->asked.stops) {}
};

Engine::Engine(EngineConfig config, const TokenTable& tokens, std::unique_ptr<Executor> executor,
               const Clock& clock, Metrics& metrics)
    : config_(std::move(config)),
      tokens_(tokens),
      clock_(clock),
      queue_(config_.queue),
      scheduler_(config_.scheduler),
      executor_(std::move(executor)),
      metrics_(metrics),
      thread_([this] { loop(); }) {}

Engine::~Engine() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

Result<std::size_t> Engine::check(const GenerationRequest& request) const {
    const auto invalid = [](const char* param, std::string message) {
        return fail(Error(ErrorCode::kInvalidArgument, std::move(message)).with_param(param));
    };
    if (request.answers < 1 || request.answers > config_.answers_max) {
        return invalid("n", fmt::format("n must be between 1 and {}", config_.answers_max));
    }
    HEDDLE_TRY_VOID(validate(request.sampling, tokens_.size()));
    if (request.stops.size() > kStopsMax) {
        return invalid("stop", fmt::format("stop has more than {} entries", kStopsMax));
    }
    for (const std::string& stop : request.stops) {
        if (stop.empty() || stop.size() > kStopBytesMax) {
            return invalid("stop", fmt::format("a stop string has 1 to {} bytes", kStopBytesMax));
        }
    }
    if (request.echo && request.sampling.logprobs) {
        return invalid("echo", "echo cannot be combined with logprobs");
    }
    // A constrained answer that is whole can only end.
    if (request.grammar && request.sampling.ignore_end) {
        return invalid("ignore_eos", "a constrained answer cannot ignore its end");
    }
    for (const TokenId token : request.prompt) {
        if (!tokens_.contains(token)) return invalid("prompt", "the prompt has an unknown token");
    }
    const std::size_t window = config_.scheduler.context_tokens_max;
    const std::size_t room = window > request.prompt.size() ? window - request.prompt.size() : 1;
    const std::size_t tokens_max = request.tokens_max.value_or(room);
    HEDDLE_TRY_VOID(scheduler_.feasible(request.prompt.size(), tokens_max));
    return tokens_max;
}

Result<Generation> Engine::submit(GenerationRequest asked, Sink sink) {
    HEDDLE_TRY(const std::size_t tokens_max, check(asked));
    auto request = std::make_shared<Request>();
    request->id = ++requests_;
    request->tokens_max = tokens_max;
    request->asked = std::move(asked);
    request->sink = std::move(sink);
    const GenerationRequest& kept = request->asked;
    const std::size_t tokens = kept.prompt.size() * kept.answers;
    {
        const std::lock_guard lock(mutex_);
        if (draining_ || stopping_) {
            return fail(Error(ErrorCode::kUnavailable, "the server is shutting down")
                            .with_reason("server_overloaded")
                            .with_retry_after(5));
        }
        HEDDLE_TRY_VOID(queue_.enter(kept.key, kept.answers, tokens));
        inbox_.push_back(request);
        woken_ = true;
    }
    changed_.notify_all();
    return Generation(*this, request->id, request->cancelled);
}

void Engine::drain() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
}

EngineStats Engine::stats() const {
    EngineStats stats;
    {
        const std::lock_guard lock(mutex_);
        stats = published_;
    }
    stats.queued = queue_.requests();
    return stats;
}

bool Engine::healthy() const {
    if (!busy_.load()) return true;
    const auto now = clock_.steady().time_since_epoch();
    return now - std::chrono::nanoseconds(last_beat_ns_.load()) < config_.stuck_after;
}

void Engine::beat(bool busy) {
    last_beat_ns_.store(std::chrono::nanoseconds(clock_.steady().time_since_epoch()).count());
    busy_.store(busy);
}

void Engine::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    changed_.notify_all();
}

void Engine::resume(std::uint64_t request) {
    {
        const std::lock_guard lock(mutex_);
        resumed_.push_back(request);
    }
    wake();
}

// Takes what came in; false when the engine is to stop.
bool Engine::take_inbox(bool may_sleep) {
    std::vector<std::shared_ptr<Request>> arrived;
    std::vector<std::uint64_t> resumed;
    {
        std::unique_lock lock(mutex_);
        if (may_sleep) {
            changed_.wait_for(lock, scheduler_.idle() ? std::chrono::hours(1) : kIdleWait,
                              [this] { return woken_ || stopping_; });
        }
        if (stopping_) return false;
        woken_ = false;
        arrived.swap(inbox_);
        resumed.swap(resumed_);
    }
    for (const auto& request : arrived) add(request);
    for (const std::uint64_t id : resumed) {
        for (const auto& [sequence, stream] : streams_) {
            if (stream->request->id == id) scheduler_.set_paused(sequence, false);
        }
    }
    return true;
}

void Engine::add(const std::shared_ptr<Request>& request) {
    const GenerationRequest& asked = request->asked;
    const SteadyTime now = clock_.steady();
    const std::uint64_t seed = asked.sampling.seed ? *asked.sampling.seed : draw_seed();
    const SequenceId leader = ids_ + 1;
    for (std::uint32_t answer = 0; answer < asked.answers; ++answer) {
        SequenceRequest wanted;
        wanted.id = ++ids_;
        wanted.leader = answer == 0 ? 0 : leader;
        wanted.key = asked.key;
        wanted.salt = asked.salt.empty() ? asked.key : asked.salt;
        wanted.priority = asked.priority;
        wanted.prompt = asked.prompt;
        wanted.new_tokens_max = request->tokens_max;
        wanted.deadline = asked.deadline;
        wanted.cancelled = request->cancelled;

        auto stream = std::make_unique<Stream>(request, answer);
        stream->sequence = wanted.id;
        if (!asked.sampling.ignore_end) stream->end_ids = config_.end_ids;
        stream->end_ids.insert(stream->end_ids.end(), asked.sampling.stop_ids.begin(),
                               asked.sampling.stop_ids.end());
        stream->usage.prompt = asked.prompt.size();
        stream->arrived = stream->last_token = now;
        // The first answer to a seed is the same with and without others beside it.
        starts_.push_back({wanted.id, asked.prompt, asked.sampling, seed + answer, stream->end_ids,
                           asked.grammar});
        streams_.emplace(wanted.id, std::move(stream));
        scheduler_.add(std::move(wanted), now);
    }
}

void Engine::loop() {
    bool moved = false;
    while (take_inbox(!moved)) {
        const bool planned = inflight_.size() < executor_->depth() && submit_step();
        // With nothing new to plan there is only waiting for what is in flight.
        const bool collect =
            !inflight_.empty() && (!planned || inflight_.size() >= executor_->depth());
        if (collect) collect_step();
        moved = planned || collect;
        beat(moved);
        publish_stats();
    }
    end_everything();
}

// Plans the next step and hands it over; false when there is nothing to compute now.
bool Engine::submit_step() {
    const SteadyTime now = clock_.steady();
    StepPlan plan = scheduler_.plan(now);
    after_plan(now);
    if (plan.empty()) return false;
    std::vector<SequenceStart> starts;
    std::erase_if(starts_, [&](SequenceStart& start) {
        const Sequence* sequence = scheduler_.find(start.sequence);
        if (sequence == nullptr) return true;
        if (!sequence->started) return false;
        starts.push_back(std::move(start));
        return true;
    });
    auto shared = std::make_shared<const StepPlan>(std::move(plan));
    inflight_.push_back({shared});
    beat(true);
    executor_->submit(std::move(shared), std::move(starts));
    return true;
}

// Who started leaves the bounded queue; who ended by itself hears of it.
void Engine::after_plan(SteadyTime now) {
    for (const SequenceId id : scheduler_.take_started()) {
        const auto at = streams_.find(id);
        if (at == streams_.end()) continue;
        Stream& stream = *at->second;
        stream.queued = false;
        queue_.leave(stream.request->asked.key, 1, stream.usage.prompt);
        stream.started = now;
        metrics_.started(now - stream.arrived);
        if (const Sequence* sequence = scheduler_.find(id)) {
            stream.usage.cached = sequence->cached_tokens;
        }
        if (stream.request->asked.echo) {
            GenerationEvent event;
            for (const TokenId token : stream.request->asked.prompt) {
                if (!tokens_.is_special(token)) event.text += tokens_.bytes(token);
            }
            deliver(stream, std::move(event));
        }
    }
    for (const FinishedSequence& done : scheduler_.take_finished()) {
        GenerationEvent last;
        if (const auto at = streams_.find(done.sequence); at != streams_.end()) {
            last.text = at->second->assembler.finish();
        }
        if (done.reason == FinishReason::kFailed) {
            last.error = Error(ErrorCode::kInternal, "the answer could not be computed");
        } else if (done.reason == FinishReason::kDeadline) {
            last.error = Error(ErrorCode::kDeadlineExceeded, "the answer took too long");
        }
        finish(done.sequence, done.reason, std::move(last));
    }
}

void Engine::collect_step() {
    StepResult result = executor_->collect_blocking();
    const InFlight step = std::move(inflight_.front());
    inflight_.pop_front();
    ++counted_.steps;
    if (result.error) {
        ++counted_.steps_failed;
        scheduler_.abandon(*step.plan);
        after_plan(clock_.steady());
        return;
    }
    take_outputs(*step.plan, std::move(result));
}

void Engine::take_outputs(const StepPlan& plan, StepResult result) {
    std::vector<SampledToken> sampled;
    sampled.reserve(result.outputs.size());
    for (const StepOutput& output : result.outputs) {
        sampled.push_back({output.sequence, output.sample.token});
    }
    scheduler_.complete(plan, sampled);
    for (StepOutput& output : result.outputs) {
        // Nobody listens to a sequence that ended while this step was in flight.
        const auto at = streams_.find(output.sequence);
        if (at == streams_.end()) continue;
        if (!output.error && !tokens_.contains(output.sample.token)) {
            output.error = Error(ErrorCode::kInternal, "the model gave an unknown token");
        }
        if (output.error) {
            GenerationEvent last;
            last.error = std::move(output.error);
            finish(output.sequence, FinishReason::kFailed, std::move(last));
        } else {
            on_token(*at->second, std::move(output));
        }
    }
}

void Engine::on_token(Stream& stream, StepOutput output) {
    const SteadyTime now = clock_.steady();
    const TokenId token = output.sample.token;
    ++counted_.tokens_generated;
    ++stream.usage.generated;
    if (stream.usage.generated == 1) {
        stream.first_token = now;
        metrics_.first_token(now - stream.arrived, now - stream.started);
    } else {
        metrics_.next_token(now - stream.last_token);
    }
    stream.last_token = now;

    GenerationEvent event;
    if (contains(stream.end_ids, token)) {
        event.text = stream.assembler.finish();
        finish(stream.sequence, FinishReason::kStop, std::move(event));
        return;
    }
    stream.unreported.push_back({token, output.sample.logprob, std::move(output.sample.top)});
    const bool hidden = tokens_.is_special(token) && !stream.request->asked.keep_special;
    const std::string_view bytes = hidden ? "" : tokens_.bytes(token);
    const bool may_stop = stream.usage.generated > stream.request->asked.sampling.tokens_min;
    TextAssembler::Piece piece = stream.assembler.push(bytes, may_stop);
    event.text = std::move(piece.text);
    if (piece.stop) {
        event.stop = std::move(*piece.stop);
        finish(stream.sequence, FinishReason::kStop, std::move(event));
    } else if (stream.usage.generated == stream.request->tokens_max) {
        event.text += stream.assembler.finish();
        finish(stream.sequence, FinishReason::kLength, std::move(event));
    } else if (!event.text.empty()) {
        deliver(stream, std::move(event));
    }
}

void Engine::deliver(Stream& stream, GenerationEvent event) {
    event.answer = stream.answer;
    event.tokens = std::exchange(stream.unreported, {});
    try {
        if (stream.request->sink(std::move(event)) == Appetite::kEnough) {
            scheduler_.set_paused(stream.sequence, true);
        }
    } catch (const std::exception& failure) {
        // A reader that fails is a reader that left.
        log::warn("engine", "a reader failed", {{"reason", failure.what()}});
        stream.request->cancelled->store(true);
    }
}

// The end of one answer, for whatever reason. Unknown ids ended before.
void Engine::finish(SequenceId id, FinishReason reason, GenerationEvent last) {
    const auto at = streams_.find(id);
    if (at == streams_.end()) return;
    const std::unique_ptr<Stream> stream = std::move(at->second);
    streams_.erase(at);
    scheduler_.finish(id, reason);
    if (stream->queued) queue_.leave(stream->request->asked.key, 1, stream->usage.prompt);
    const SteadyTime now = clock_.steady();
    const bool written = stream->usage.generated > 0;
    metrics_.finished(reason, stream->usage, now - stream->arrived,
                      written ? now - stream->first_token : SteadyTime::duration::zero());
    last.finish = reason;
    last.usage = stream->usage;
    deliver(*stream, std::move(last));
}

void Engine::end_everything() {
    while (!inflight_.empty()) collect_step();
    std::vector<std::shared_ptr<Request>> unseen;
    {
        const std::lock_guard lock(mutex_);
        unseen.swap(inbox_);
    }
    for (const auto& request : unseen) add(request);
    std::vector<SequenceId> left;
    for (const auto& [id, stream] : streams_) left.push_back(id);
    std::ranges::sort(left);
    for (const SequenceId id : left) finish(id, FinishReason::kCancelled, {});
    beat(false);
    publish_stats();
}

void Engine::publish_stats() {
    counted_.scheduler = scheduler_.stats();
    metrics_.scheduled(counted_.scheduler);
    const std::lock_guard lock(mutex_);
    published_ = counted_;
}

Generation::Generation(Engine& engine, std::uint64_t request,
                       std::shared_ptr<std::atomic<bool>> cancelled)
    : engine_(&engine), request_(request), cancelled_(std::move(cancelled)) {}

Generation::Generation(Generation&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)),
      request_(other.request_),
      cancelled_(std::move(other.cancelled_)) {}

Generation& Generation::operator=(Generation&& other) noexcept {
    if (this != &other) {
        cancel();
        engine_ = std::exchange(other.engine_, nullptr);
        request_ = other.request_;
        cancelled_ = std::move(other.cancelled_);
    }
    return *this;
}

void Generation::cancel() {
    if (engine_ == nullptr) return;
    cancelled_->store(true);
    std::exchange(engine_, nullptr)->wake();
}

void Generation::resume() {
    if (engine_ != nullptr) engine_->resume(request_);
}

}  // namespace heddle::engine
