// The main job: a question becomes a streamed, cited answer. Pages named in the prompt and
// passages of the owner's documents are gathered at the same time, under one deadline, then the
// generator writes over them. Also the way of plain chat, where nothing is gathered.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "async/deadline.h"
#include "async/stream.h"
#include "async/task.h"
#include "service/generator.h"
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
    // The conversation, oldest first; the last message is the user's and is the question.
    std::vector<Message> messages;
    SamplingOptions sampling;
    GroundingOptions grounding;
    async::Deadline deadline = async::Deadline::never();
};

struct SourcesEvent {
    std::vector<Source> sources;
};
struct DeltaEvent {
    std::string text;
};
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

// Thread-safe.
class Answerer {
public:
    virtual ~Answerer() = default;

    // Writes the events into `out` and closes it. Run it beside the writer of the response
    // (`co_await (answerer.answer(…) && write(…))`), so that a client who leaves cancels both.
    // When the first event is an error nothing has been sent: answer with its status.
    virtual async::Task<> answer(AnswerRequest request, std::shared_ptr<AnswerStream> out) = 0;

    // Every model of every generator; the first is the default.
    [[nodiscard]] virtual std::vector<ModelInfo> models() const = 0;
};

}  // namespace heddle::service
