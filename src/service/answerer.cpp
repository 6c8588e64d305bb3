#include "service/answerer.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "async/gather.h"
#include "async/offload.h"
#include "async/together.h"
#include "base/log.h"
#include "service/extractive.h"
#include "service/sentence_ranker.h"

namespace heddle::service {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSnippetBytesMax = 400;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// A source of its own that tells the user why documents were not searched.
GroundedText unsearched(const Error& error) {
    GroundedText text;
    text.source.kind = SourceKind::kDocument;
    text.source.title = "documents";
    text.source.error = error.message();
    return text;
}

// Numbers what can be cited; what failed keeps 0.
void number(std::vector<GroundedText>& texts) {
    int n = 0;
    for (GroundedText& text : texts)
        if (text.source.error.empty() && !text.text.empty()) text.source.n = ++n;
}

// The sentence of each source that speaks about the question: its snippet, and the page it is on.
void point_at_sentences(std::string_view question, std::vector<GroundedText>& texts) {
    for (GroundedText& text : texts) {
        if (text.source.n == 0) continue;
        const auto best = rank_sentences(question, {text}, 1);
        std::string snippet =
            best.empty() ? text.text.substr(0, kSnippetBytesMax) : best.front().sentence;
        if (snippet.size() > kSnippetBytesMax) {
            std::size_t end = kSnippetBytesMax;
            while (end > 0 && (static_cast<unsigned char>(snippet[end]) & 0xC0) == 0x80) --end;
            snippet.resize(end);
            snippet += "…";
        }
        text.source.snippet = std::move(snippet);
        if (!best.empty() && best.front().page) {
            text.source.page = best.front().page;
            text.source.page_end = best.front().page;
        }
    }
}

async::Task<Result<bool>> push(std::shared_ptr<AnswerStream> out, AnswerEvent event) {
    if (co_await out->push(std::move(event))) co_return true;
    co_return fail(ErrorCode::kCancelled, "the reader has gone");
}

}  // namespace

// What is measured for generators that do not measure themselves, by model.
struct Answerer::ModelInstruments {
    ModelInstruments(Metrics& metrics, const std::string& model)
        : labels{{"model_name", model}},
          running(metrics.gauge("num_requests_running", "Answers being written", labels)),
          first_token(metrics.histogram(
              "time_to_first_token_seconds", "From the request to its first piece of text",
              {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}, labels)),
          whole(metrics.histogram("e2e_request_latency_seconds", "From the request to its end",
                                  {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}, labels)),
          prompt_tokens(metrics.counter("prompt_tokens_total", "Tokens read", labels)),
          generation_tokens(metrics.counter("generation_tokens_total", "Tokens written", labels)),
          stopped(ended(metrics, model, "stop")),
          cut(ended(metrics, model, "length")) {}

    static Counter& ended(Metrics& metrics, const std::string& model, const char* reason) {
        return metrics.counter("request_success_total", "Answers that came to their end",
                               {{"model_name", model}, {"finished_reason", reason}});
    }

    Metrics::Labels labels;
    Gauge& running;
    Histogram& first_token;
    Histogram& whole;
    Counter& prompt_tokens;
    Counter& generation_tokens;
    Counter& stopped;
    Counter& cut;
};

struct Answerer::Instruments {
    explicit Instruments(Metrics& given)
        : metrics(given),
          gathered(metrics.histogram("grounding_seconds", "Gathering passages and pages",
                                     {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})),
          failed(metrics.counter("request_failure_total", "Answers that ended in an error")),
          cancelled(metrics.counter("request_cancelled_total", "Answers whose reader left")) {}

    ModelInstruments& of(const std::string& model) {
        const std::lock_guard lock(mutex);
        auto& known = models[model];
        if (!known) known = std::make_unique<ModelInstruments>(metrics, model);
        return *known;
    }

    Metrics& metrics;
    Histogram& gathered;
    Counter& failed;
    Counter& cancelled;
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<ModelInstruments>> models;  // guarded by mutex
};

struct Answerer::Progress {
    Clock::time_point start = Clock::now();
    bool first_seen = false;
    ModelInstruments* measured = nullptr;  // null: by nobody, or by the generator itself

    void measure(ModelInstruments& instruments) {
        measured = &instruments;
        measured->running.add(1);
    }
    void see_text() {
        if (std::exchange(first_seen, true) || measured == nullptr) return;
        measured->first_token.observe(seconds_since(start));
    }
    void end() const {
        if (measured == nullptr) return;
        measured->running.add(-1);
        measured->whole.observe(seconds_since(start));
    }
    void complete(const Completion& completion) const {
        if (measured == nullptr) return;
        const bool cut_off = completion.finish_reason == FinishReason::kLength;
        (cut_off ? measured->cut : measured->stopped).add();
        measured->prompt_tokens.add(static_cast<double>(completion.usage.prompt_tokens));
        measured->generation_tokens.add(static_cast<double>(completion.usage.completion_tokens));
    }
};

Answerer::Answerer(std::shared_ptr<const Generators> generators, GroundingSources sources,
                   async::WorkerPool& workers, AnswererOptions options, Metrics& metrics)
    : generators_(std::move(generators)),
      sources_(std::move(sources)),
      workers_(workers),
      options_(std::move(options)),
      instruments_(std::make_unique<Instruments>(metrics)) {}

Answerer::~Answerer() = default;

async::Task<> Answerer::answer(AnswerRequest request, std::shared_ptr<AnswerStream> out) {
    struct Finally {
        AnswerStream& stream;
        Progress& progress;
        ~Finally() {
            progress.end();
            stream.close();
        }
    };
    Progress progress;
    const Finally finally{*out, progress};
    try {
        const auto outcome = co_await run(std::move(request), out, progress);
        if (!outcome) {
            const bool left = outcome.error().code() == ErrorCode::kCancelled;
            (left ? instruments_->cancelled : instruments_->failed).add();
            static_cast<void>(co_await out->push(ErrorEvent{outcome.error()}));
        }
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::asio::error::operation_aborted) instruments_->cancelled.add();
        throw;
    }
}

async::Task<std::vector<GroundedText>> Answerer::gather(AnswerRequest request,
                                                        std::string question) {
    using Texts = std::vector<GroundedText>;
    const GroundingOptions options = request.grounding;
    const auto pages = [](Answerer* self, std::string prompt, bool wanted) -> async::Task<Texts> {
        if (!wanted || !self->sources_.pages) co_return Texts();
        co_return co_await self->sources_.pages(std::move(prompt));
    };
    const auto passages = [](Answerer* self, std::string owner, std::string about,
                             GroundingOptions how) -> async::Task<Texts> {
        if (!self->sources_.passages) co_return Texts();
        auto found =
            co_await self->sources_.passages(std::move(owner), std::move(about), std::move(how));
        if (found) co_return std::move(*found);
        log::warn("service", "documents could not be searched",
                  {{"error", found.error().message()}});
        co_return Texts{unsearched(found.error())};
    };
    std::vector<async::Task<Texts>> both;
    both.push_back(pages(this, request.messages.back().content, options.fetch_urls));
    both.push_back(passages(this, request.owner, std::move(question), options));
    // Pages that the user named come first: they are what the question is about.
    Texts all;
    for (Texts& part : co_await async::gather(std::move(both)))
        std::move(part.begin(), part.end(), std::back_inserter(all));
    co_return all;
}

GenerateRequest Answerer::request_of(const AnswerRequest& request, const std::string& model) {
    GenerateRequest call;
    call.owner = request.owner;
    call.model = model;
    call.prompts = request.prompts;
    call.echo = request.echo;
    call.sampling = request.sampling;
    call.tool_use = request.tool_use;
    call.constraint = request.constraint;
    call.template_arguments = request.template_arguments;
    call.deadline = request.deadline;
    return call;
}

async::Task<Result<>> Answerer::ground(AnswerRequest request, const Generators::Choice& choice,
                                       GenerateRequest& call, std::shared_ptr<AnswerStream> out) {
    if (request.messages.empty() || request.messages.back().role != Role::kUser) {
        co_return fail(Error(ErrorCode::kInvalidArgument, "the last message must be the user's")
                           .with_param("messages"));
    }
    const auto started = Clock::now();
    const std::string& prompt = request.messages.back().content;
    const std::string question =
        sources_.without_addresses ? sources_.without_addresses(prompt) : prompt;
    HEDDLE_CO_TRY(std::vector<GroundedText> texts,
                  co_await async::with_deadline(request.deadline.sooner(options_.gather_timeout),
                                                gather(request, question)));
    const bool whole = asks_for_the_whole(question) && choice.model.id != kExtractiveModel;
    if (whole) {
        HEDDLE_CO_TRY(texts, co_await take_whole(request, std::move(texts)));
    }
    const auto prepare = [&] {
        number(texts);
        point_at_sentences(question, texts);
        return true;
    };
    co_await async::offload(workers_, prepare);
    instruments_->gathered.observe(seconds_since(started));
    SourcesEvent event;
    for (const GroundedText& text : texts) event.sources.push_back(text.source);
    HEDDLE_CO_TRY_VOID(co_await push(out, std::move(event)));
    if (whole) {
        HEDDLE_CO_TRY(texts, co_await shorten(choice, request, question, std::move(texts)));
    }

    const std::uint32_t window = choice.model.context_tokens;
    const std::uint32_t usual = window == 0 ? options_.prompt.answer_tokens
                                            : std::min(options_.prompt.answer_tokens, window / 4);
    const std::uint32_t answer_tokens = request.sampling.tokens_max.value_or(usual);
    const auto build = [&] {
        const auto count = [&](std::string_view text) {
            return choice.generator->count_tokens(choice.model.id, text);
        };
        return build_prompt(request.messages, texts, options_.prompt, window, answer_tokens, count);
    };
    HEDDLE_CO_TRY(BuiltPrompt built, co_await async::offload(workers_, build));
    if (!built.left_out.empty() || built.messages_dropped > 0) {
        log::info("service", "the model's window did not hold everything",
                  {{"sources_left_out", built.left_out.size()},
                   {"messages_dropped", built.messages_dropped}});
    }
    call.messages = std::move(built.messages);
    call.grounding = Grounding{question, std::move(texts)};
    co_return Result<>();
}

async::Task<Result<>> Answerer::run(AnswerRequest request, std::shared_ptr<AnswerStream> out,
                                    Progress& progress) {
    HEDDLE_CO_TRY(Generators::Choice choice, generators_->choose(request.model));
    const std::string model = choice.model.id;
    if (!choice.generator->measures_itself()) progress.measure(instruments_->of(model));
    GenerateRequest call = request_of(request, model);
    if (request.grounding.enabled) {
        HEDDLE_CO_TRY_VOID(co_await ground(std::move(request), choice, call, out));
    } else {
        call.messages = std::move(request.messages);
    }
    HEDDLE_CO_TRY(const Completion completion,
                  co_await generate(std::move(choice), std::move(call), out, progress));
    progress.complete(completion);
    HEDDLE_CO_TRY_VOID(co_await push(out, UsageEvent{completion.usage}));
    HEDDLE_CO_TRY_VOID(co_await push(out, DoneEvent{model, completion.finish_reason}));
    co_return Result<>();
}

async::Task<Result<std::vector<GroundedText>>> Answerer::take_whole(
    AnswerRequest request, std::vector<GroundedText> texts) {
    const auto best = std::find_if(texts.begin(), texts.end(), [](const GroundedText& text) {
        return text.source.kind == SourceKind::kDocument && text.source.error.empty();
    });
    if (best == texts.end() || !sources_.whole_document) co_return texts;
    HEDDLE_CO_TRY(GroundedText whole,
                  co_await sources_.whole_document(request.owner, request.grounding.collection,
                                                   best->source));
    // Deleted since it was found.
    if (whole.text.empty()) co_return texts;
    const std::string document = best->source.document;
    *best = std::move(whole);
    texts.erase(
        std::remove_if(best + 1, texts.end(),
                       [&](const GroundedText& text) { return text.source.document == document; }),
        texts.end());
    co_return texts;
}

async::Task<Result<std::vector<GroundedText>>> Answerer::shorten(Generators::Choice choice,
                                                                 AnswerRequest request,
                                                                 std::string question,
                                                                 std::vector<GroundedText> texts) {
    const PromptOptions& prompt = options_.prompt;
    const std::uint32_t window = choice.model.context_tokens == 0 ? prompt.context_tokens_default
                                                                  : choice.model.context_tokens;
    const auto numbered = std::count_if(texts.begin(), texts.end(),
                                        [](const GroundedText& t) { return t.source.n != 0; });
    if (numbered == 0) co_return texts;
    // Half of the window for the sources; history, rules and the answer share the rest.
    const auto share = window / 2 / static_cast<std::uint32_t>(numbered);
    for (GroundedText& text : texts) {
        if (text.source.n == 0) continue;
        Summariser summariser{.choice = choice,
                              .owner = request.owner,
                              .question = question,
                              .context_tokens = window,
                              .deadline = request.deadline,
                              .options = options_.long_text};
        const std::size_t before = text.text.size();
        HEDDLE_CO_TRY(text.text,
                      co_await summarise(std::move(summariser), text.text, share, workers_));
        // A summary stands on no page of its own.
        if (text.text.size() < before) text.page_starts.clear();
    }
    co_return texts;
}

async::Task<Result<Completion>> Answerer::generate(Generators::Choice choice,
                                                   GenerateRequest request,
                                                   std::shared_ptr<AnswerStream> out,
                                                   Progress& progress) {
    const auto pieces = std::make_shared<TextStream>(options_.delta_buffer);
    const auto forward = [](std::shared_ptr<TextStream> stream,
                            std::shared_ptr<AnswerStream> events,
                            Progress* state) -> async::Task<> {
        while (auto piece = co_await stream->next()) {
            state->see_text();
            if (!co_await events->push(std::move(*piece))) {
                stream->abandon();
                co_return;
            }
        }
    };
    co_return co_await async::together(write_pieces(std::move(choice), std::move(request), pieces),
                                       forward(pieces, out, &progress));
}

}  // namespace heddle::service
