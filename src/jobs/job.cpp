#include "jobs/job.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace heddle::jobs {
namespace {

constexpr std::array<std::pair<JobState, std::string_view>, 6> kNames{{
    {JobState::kQueued, "queued"},
    {JobState::kRunning, "running"},
    {JobState::kSucceeded, "succeeded"},
    {JobState::kFailed, "failed"},
    {JobState::kCancelled, "cancelled"},
    {JobState::kDead, "dead"},
}};

}  // namespace

std::string_view to_string(JobState state) {
    return kNames[static_cast<std::size_t>(state)].second;
}

std::optional<JobState> parse_job_state(std::string_view text) {
    for (const auto& [state, name] : kNames) {
        if (name == text) return state;
    }
    return std::nullopt;
}

Job read_job(const storage::Row& row) {
    const auto state = parse_job_state(row.text(4));
    HEDDLE_CHECK(state.has_value(), "the table admits known states only");
    return Job{
        .id = row.string(0),
        .queue = row.string(1),
        .kind = row.string(2),
        .owner = row.string(3),
        .state = *state,
        .priority = static_cast<int>(row.integer(5)),
        .payload = row.string(6),
        .progress = row.string(7),
        .result = row.string(8),
        .error = row.string(9),
        .attempts = static_cast<int>(row.integer(10)),
        .attempts_max = static_cast<int>(row.integer(11)),
        .crashes = static_cast<int>(row.integer(12)),
        .cancel_requested = row.boolean(13),
        .version = row.integer(14),
        .created_at = row.integer(15),
        .run_at = row.integer(16),
        .run_time_max_ms = row.integer(17),
        .started_at = row.optional_integer(18),
        .finished_at = row.optional_integer(19),
    };
}

}  // namespace heddle::jobs
