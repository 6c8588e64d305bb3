// What the scheduler knows of one answer that is being generated: its tokens, how far they are
// computed and the blocks that hold their keys and values.
//
// Owner and only writer: the scheduler, on the engine thread. `cancelled` alone is set elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace heddle::engine {

using TokenId = std::int32_t;
using BlockId = std::uint32_t;
// A block while it holds one content: the number alone may mean another one later.
struct BlockRef {
    BlockId block = 0;
    std::uint64_t generation = 0;
    bool operator==(const BlockRef&) const = default;
};
// Rises with arrival and is never reused; 0 is no sequence.
using SequenceId = std::uint64_t;

enum class FinishReason : std::uint8_t {
    kNone,
    kStop,       // an end token, a stop string or a completed grammar
    kLength,     // new_tokens_max reached
    kCancelled,  // the caller left
    kDeadline,   // too late, in the queue or while generating
    kFailed,     // its step failed
};
[[nodiscard]] std::string_view to_string(FinishReason reason);

// What a caller asks of the scheduler. A request for n answers is n sequences with the same
// prompt; all but the first name it in `leader` and start when its prompt is computed, so that
// they find it in the prefix cache.
struct SequenceRequest {
    SequenceId id = 0;
    SequenceId leader = 0;
    std::string key;   // whose share of the engine this uses
    std::string salt;  // sequences share cached prefixes only within one salt
    int priority = 0;  // higher first; waiting raises it up to the highest that is waiting
    std::vector<TokenId> prompt;
    std::size_t new_tokens_max = 0;
    std::optional<SteadyTime> deadline;
    std::shared_ptr<const std::atomic<bool>> cancelled;
};

enum class SequenceState : std::uint8_t {
    kWaiting,
    kRunning,
    kPreempted,  // loses its blocks when its steps in flight are back, then waits again
    kFinished,   // ditto, then it is gone
};

struct Sequence {
    SequenceRequest request;
    SteadyTime arrived;
    SequenceState state = SequenceState::kWaiting;
    FinishReason reason = FinishReason::kNone;

    // Prompt and generated tokens that are known. Each step in flight that samples adds one to
    // `pending`, so that the length to be computed is known one step before the token is.
    std::vector<TokenId> tokens;
    std::size_t pending = 0;
    std::size_t scheduled = 0;  // positions whose keys and values are planned or computed
    std::size_t computed = 0;   // positions whose step is back
    std::size_t inflight = 0;   // steps in flight that touch this sequence

    std::vector<BlockId> blocks;
    std::size_t published = 0;  // leading blocks offered to the prefix cache
    std::optional<BlockRef> published_tail;
    bool publishing = true;         // false once the chain in the cache broke
    std::size_t cached_tokens = 0;  // prompt tokens found there at the first admission
    bool started = false;           // left the queue at least once
    bool paused = false;            // its reader is behind: not planned

    [[nodiscard]] std::size_t length() const { return tokens.size() + pending; }
    [[nodiscard]] std::size_t generated() const { return tokens.size() - request.prompt.size(); }
    // All tokens but the newest are planned: one more token to compute, then one to sample.
    [[nodiscard]] bool decoding() const { return scheduled + 1 == length() && scheduled > 0; }
    [[nodiscard]] bool wants_token() const {
        return generated() + pending < request.new_tokens_max;
    }
};

}  // namespace heddle::engine
