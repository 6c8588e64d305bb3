// The main job: a question becomes a streamed, cited answer. Pages named in the prompt and
// passages of the owner's documents are gathered at the same time, under one deadline, then the
// generator writes over them. Also the way of plain chat, where nothing is gathered.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "async/deadline.h"
#include "async/runtime.h"
#include "async/stream.h"
#include "async/task.h"
#include "base/metrics.h"
#include "service/generator.h"
#include "service/generators.h"
#include "service/long_text.h"
#include "service/prompt_builder.h"
#include "service/source.h"

namespace heddle::service {

struct GroundingOptions {
    bool enabled = true;
    std::string collection = "knowledgebase";
    std::vector<std::string> documents;     // only these, when not empty
    std::optional<std::size_t> limit;       // passages; the default is the config's
    std::optional<double> score_threshold;  // cosine; the default is the embedder's
    bool fetch_urls = true;
};

struct AnswerRequest {
    std::string owner;
    std::string model;  // empty: the default model
    // The conversation, oldest first. Of a grounded answer the last message is the user's and is
    // the question; without grounding it reaches the model as it is.
    std::vector<Message> messages;
    std::vector<RawPrompt> prompts;  // in place of a conversation; never grounded
    bool echo = false;
    SamplingOptions sampling;
    ToolUse tool_use;
    Constraint constraint;
    std::string template_arguments;
    GroundingOptions grounding;
    async::Deadline deadline = async::Deadline::never();
};

struct SourcesEvent {
    std::vector<Source> sources;
};
using DeltaEvent = TextPiece;
struct UsageEvent {
    Usage usage;
};
struct DoneEvent {
    std::string model;
    FinishReason finish_reason = FinishReason::kStop;
};
struct ErrorEvent {
    Error error;
};

// In this order: sources (grounded answers only), delta…, usage, done; or error at any point, which
// is then the last.
using AnswerEvent = std::variant<SourcesEvent, DeltaEvent, UsageEvent, DoneEvent, ErrorEvent>;
using AnswerStream = async::Stream<AnswerEvent>;

// Where the texts of a grounded answer come from. Functions, so that tests can hand in their own;
// the real ones are service/passages.h and service/pages.h.
struct GroundingSources {
    // Passages of the owner's documents, best first.
    std::function<async::Task<Result<std::vector<GroundedText>>>(
        std::string owner, std::string question, GroundingOptions options)>
        passages;
    // All of a document that a passage was found in, for questions about the whole.
    std::function<async::Task<Result<GroundedText>>(std::string owner, std::string collection,
                                                    Source source)>
        whole_document;
    // The pages whose addresses stand in the prompt, in order; a page that failed has an error.
    std::function<async::Task<std::vector<GroundedText>>(std::string prompt)> pages;
    // The prompt without those addresses: what is asked about them.
    std::function<std::string(std::string_view prompt)> without_addresses;
};

struct AnswererOptions {
    PromptOptions prompt;
    LongTextOptions long_text;
    // For everything that is gathered before the first word.
    std::chrono::milliseconds gather_timeout{15'000};
    std::size_t delta_buffer = 256;  // pieces between the generator and the client
};

// Thread-safe.
class Answerer {
public:
    Answerer(std::shared_ptr<const Generators> generators, GroundingSources sources,
             async::WorkerPool& workers, AnswererOptions options, Metrics& metrics);
    ~Answerer();

    // Writes the events into `out` and closes it. Run it beside the writer of the response
    // (`co_await (answerer.answer(…) && write(…))`), so that a client who leaves cancels both.
    // When the first event is an error nothing has been sent: answer with its status.
    async::Task<> answer(AnswerRequest request, std::shared_ptr<AnswerStream> out);

    // Every model of every generator; the first is the default.
    [[nodiscard]] std::vector<ModelInfo> models() const { return generators_->models(); }

private:
    struct Instruments;
    struct ModelInstruments;
    struct Progress;
    async::Task<Result<>> run(AnswerRequest request, std::shared_ptr<AnswerStream> out,
                              Progress& progress);
    async::Task<std::vector<GroundedText>> gather(AnswerRequest request, std::string question);
    // Everything but the messages.
    [[nodiscard]] static GenerateRequest request_of(const AnswerRequest& request,
                                                    const std::string& model);
    // Gathers, reports the sources, and puts them into the messages of `call`.
    async::Task<Result<>> ground(AnswerRequest request, const Generators::Choice& choice,
                                 GenerateRequest& call, std::shared_ptr<AnswerStream> out);
    // For a question about the whole of something: the best passage gives way to its document.
    async::Task<Result<std::vector<GroundedText>>> take_whole(AnswerRequest request,
                                                              std::vector<GroundedText> texts);
    // Texts that the model's window does not hold are summarised by the model.
    async::Task<Result<std::vector<GroundedText>>> shorten(Generators::Choice choice,
                                                           AnswerRequest request,
                                                           std::string question,
                                                           std::vector<GroundedText> texts);
    async::Task<Result<Completion>> generate(Generators::Choice choice, GenerateRequest request,
                                             std::shared_ptr<AnswerStream> out, Progress& progress);

    std::shared_ptr<const Generators> generators_;
    GroundingSources sources_;
    async::WorkerPool& workers_;
    AnswererOptions options_;
    std::unique_ptr<Instruments> instruments_;
};

}  // namespace heddle::service
