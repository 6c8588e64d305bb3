#include "service/local_generator.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <limits>
#include <utility>

#include "async/offload.h"
#include "service/local_request.h"

namespace heddle::service {
namespace {

// Events that may wait for a reader before an answer pauses.
constexpr std::size_t kEventsWaiting = 256;

// Between the engine's thread and one reader: takes every event at once, and tells the engine to
// pause an answer whose reader is behind.
class EventQueue {
public:
    engine::Sink sink(std::shared_ptr<EventQueue> self, std::uint32_t prompt) {
        return [queue = std::move(self), prompt](engine::GenerationEvent event) {
            return queue->push({prompt, std::move(event)});
        };
    }

    struct Item {
        std::uint32_t prompt = 0;
        engine::GenerationEvent event;
    };

    // What is there, at least one item. Sets `behind` when the engine waits to be resumed.
    async::Task<std::vector<Item>> next(bool& behind) {
        std::vector<Item> items = co_await stream_.next_batch();
        waiting_ -= items.size();
        behind = paused_.exchange(false);
        co_return items;
    }

private:
    engine::Appetite push(Item item) {
        const bool full = ++waiting_ >= kEventsWaiting;
        // Before the reader can see the item, so that it cannot miss that the engine waits.
        if (full) paused_ = true;
        static_cast<void>(stream_.try_push(std::move(item)));
        return full ? engine::Appetite::kEnough : engine::Appetite::kMore;
    }

    // Unbounded itself: the engine is told to stop instead.
    async::Stream<Item> stream_{std::numeric_limits<std::size_t>::max()};
    std::atomic<std::size_t> waiting_{0};
    std::atomic<bool> paused_{false};
};

ModelInfo info_of(const LocalModel& model) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {.id = model.name(),
            .owned_by = "heddle",
            .created_s = static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::seconds>(now).count()),
            .context_tokens = model.context_tokens()};
}

// The answers of one request.
struct Answers {
    std::vector<engine::Generation> running;  // one for each prompt; destroying them cancels
    std::vector<LocalAnswer> answers;
    std::vector<bool> counted;  // prompts whose tokens are in the usage
    std::size_t open = 0;
    Completion completion;

    void count(std::uint32_t prompt, const engine::TokenUsage& usage) {
        completion.usage.completion_tokens += usage.generated;
        if (counted[prompt]) return;
        counted[prompt] = true;
        completion.usage.prompt_tokens += usage.prompt;
        completion.usage.cached_tokens += usage.cached;
    }
};

// Hands everything in. What was handed in before a refusal is cancelled with `answers`.
Result<> submit(LocalRequest request, LocalModel& model, std::shared_ptr<EventQueue> events,
                Answers& answers) {
    for (std::size_t i = 0; i < request.prompts.size(); ++i) {
        const std::uint32_t count = request.prompts[i].answers;
        HEDDLE_TRY(engine::Generation generation,
                   model.engine().submit(std::move(request.prompts[i]),
                                         events->sink(events, static_cast<std::uint32_t>(i))));
        answers.running.push_back(std::move(generation));
        for (std::uint32_t k = 0; k < count; ++k) {
            LocalAnswerOptions options = request.answers;
            options.choice = static_cast<std::uint32_t>(answers.answers.size());
            answers.answers.emplace_back(model, options);
        }
    }
    answers.counted.resize(request.prompts.size());
    answers.open = answers.answers.size();
    return {};
}

// A piece joins the one before it where both are text of the same answer.
void append(std::vector<TextPiece>& pieces, TextPiece piece) {
    if (pieces.empty() || pieces.back().choice != piece.choice || pieces.back().finish ||
        !pieces.back().tool_calls.empty() || !piece.tool_calls.empty()) {
        pieces.push_back(std::move(piece));
        return;
    }
    TextPiece& last = pieces.back();
    last.text += piece.text;
    std::ranges::move(piece.tokens, std::back_inserter(last.tokens));
    last.finish = piece.finish;
}

Result<std::vector<TextPiece>> take(std::vector<EventQueue::Item> items, std::uint32_t per_prompt,
                                    Answers& answers) {
    std::vector<TextPiece> pieces;
    for (EventQueue::Item& item : items) {
        LocalAnswer& answer = answers.answers[item.prompt * per_prompt + item.event.answer];
        const bool last = item.event.finish != engine::FinishReason::kNone;
        if (last) answers.count(item.prompt, item.event.usage);
        HEDDLE_TRY(std::optional<TextPiece> piece, answer.push(std::move(item.event)));
        if (last) --answers.open;
        if (!piece) continue;
        if (piece->choice == 0 && piece->finish) answers.completion.finish_reason = *piece->finish;
        append(pieces, std::move(*piece));
    }
    return pieces;
}

}  // namespace

LocalGenerator::LocalGenerator(std::shared_ptr<LocalModel> model, async::WorkerPool& workers)
    : model_(std::move(model)), workers_(workers), info_(info_of(*model_)) {}

std::uint32_t LocalGenerator::count_tokens(const std::string&, std::string_view text) const {
    const std::size_t count =
        model_->tokenizer().count(text, {.add_special = false, .parse_special = false});
    return static_cast<std::uint32_t>(std::min<std::size_t>(count, UINT32_MAX));
}

async::Task<Result<Completion>> LocalGenerator::generate(GenerateRequest request,
                                                         std::shared_ptr<TextStream> out) {
    const auto prepare = [&] { return translate(request, *model_); };
    HEDDLE_CO_TRY(LocalRequest local, co_await async::offload(workers_, prepare));
    const std::uint32_t per_prompt = request.sampling.answers;
    const std::vector<std::string> echoes = std::move(local.echoes);
    const auto events = std::make_shared<EventQueue>();
    Answers answers;
    HEDDLE_CO_TRY_VOID(submit(std::move(local), *model_, events, answers));
    if (request.echo) {
        for (std::uint32_t i = 0; i < answers.answers.size(); ++i) {
            if (!co_await out->push({.text = echoes[i / per_prompt], .choice = i}))
                co_return fail(ErrorCode::kCancelled, "the reader has gone");
        }
    }
    while (answers.open > 0) {
        bool behind = false;
        std::vector<EventQueue::Item> items = co_await events->next(behind);
        HEDDLE_CO_TRY(std::vector<TextPiece> pieces, take(std::move(items), per_prompt, answers));
        for (TextPiece& piece : pieces) {
            if (!co_await out->push(std::move(piece)))
                co_return fail(ErrorCode::kCancelled, "the reader has gone");
        }
        if (behind) {
            for (engine::Generation& generation : answers.running) generation.resume();
        }
    }
    co_return std::move(answers.completion);
}

}  // namespace heddle::service
