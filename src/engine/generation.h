// What goes into the engine and what comes out: a request, the events of its answers, and the
// handle that keeps it going.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/sampler.h"
#include "engine/sampling_params.h"
#include "engine/sequence.h"

namespace heddle::engine {

namespace grammar {
class Grammar;
}

struct GenerationRequest {
    std::vector<TokenId> prompt;
    std::optional<std::size_t> tokens_max;  // of one answer; else what the context has room for
    std::uint32_t answers = 1;              // OpenAI's n
    SamplingParams sampling;
    std::vector<std::string> stops;  // at most 4 of at most 64 bytes
    bool keep_special = false;       // special tokens appear in the text (for tool calls)
    bool echo = false;               // the first event repeats the prompt's text
    std::shared_ptr<const grammar::Grammar> grammar;  // null: unconstrained
    std::string key;                                  // whose share of the engine this uses
    std::string salt;  // cached prefixes are shared within it; by default the key
    int priority = 0;
    std::optional<SteadyTime> deadline;
};

struct GeneratedToken {
    TokenId token = 0;
    float logprob = 0;
    std::vector<TokenLogprob> top;
};

struct TokenUsage {
    std::size_t prompt = 0;
    std::size_t cached = 0;  // prompt tokens that did not have to be computed
    std::size_t generated = 0;
};

struct GenerationEvent {
    std::uint32_t answer = 0;  // from 0
    std::string text;          // valid UTF-8; whole characters
    // The tokens behind the text so far not reported. Their bytes may run ahead of `text` by
    // what is held back for a stop string.
    std::vector<GeneratedToken> tokens;
    FinishReason finish = FinishReason::kNone;  // not kNone: the last event of this answer
    std::string stop;                           // the stop string that ended it, if one did
    std::optional<Error> error;                 // with kFailed and kDeadline
    TokenUsage usage;                           // with the last event
};

// kEnough: the reader is behind, the answer pauses until Generation::resume().
enum class Appetite : std::uint8_t { kMore, kEnough };

// Called on the engine thread, so it must neither block nor wait for the engine; it owns what it
// touches, since it may be called until the last event even when the handle is gone.
using Sink = std::function<Appetite(GenerationEvent)>;

class Engine;

// Destroying the handle cancels what is left of the request; the engine sees it within a step.
// Must not outlive the engine. Movable; one thread at a time.
class Generation {
public:
    Generation() = default;
    Generation(Generation&& other) noexcept;
    Generation& operator=(Generation&& other) noexcept;
    ~Generation() { cancel(); }

    void cancel();
    // The reader has caught up.
    void resume();

private:
    friend class Engine;
    Generation(Engine& engine, std::uint64_t request, std::shared_ptr<std::atomic<bool>> cancelled);

    Engine* engine_ = nullptr;
    std::uint64_t request_ = 0;
    std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace heddle::engine
