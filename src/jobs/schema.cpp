#include "jobs/schema.h"

namespace heddle::jobs {

// The index that workers claim by holds queued rows only, so that a long history costs nothing.
const storage::Schema& job_schema() {
    static const storage::Schema schema{
        .room = "jobs",
        .steps = {{.sql = R"sql(
            CREATE TABLE jobs (
                id TEXT PRIMARY KEY,
                queue TEXT NOT NULL,
                kind TEXT NOT NULL,
                owner TEXT NOT NULL,
                state TEXT NOT NULL CHECK (state IN
                    ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'dead')),
                priority BIGINT NOT NULL,
                payload TEXT NOT NULL,
                progress TEXT,
                result TEXT,
                error TEXT,
                attempts BIGINT NOT NULL DEFAULT 0,
                attempts_max BIGINT NOT NULL,
                crashes BIGINT NOT NULL DEFAULT 0,
                cancel_requested BIGINT NOT NULL DEFAULT 0,
                version BIGINT NOT NULL DEFAULT 1,
                created_at BIGINT NOT NULL,
                run_at BIGINT NOT NULL,
                run_time_max_ms BIGINT NOT NULL,
                started_at BIGINT,
                finished_at BIGINT,
                worker TEXT,
                attempt_token TEXT,
                lease_until BIGINT,
                run_until BIGINT,
                idempotency_key TEXT,
                unique_key TEXT
            );
            CREATE INDEX jobs_to_claim ON jobs (queue, priority DESC, id) WHERE state = 'queued';
            CREATE INDEX jobs_running ON jobs (queue, owner) WHERE state = 'running';
            CREATE INDEX jobs_of_owner ON jobs (owner, id);
            CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
            CREATE UNIQUE INDEX jobs_idempotent ON jobs (owner, idempotency_key)
                WHERE idempotency_key IS NOT NULL;
            CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key)
                WHERE unique_key IS NOT NULL AND state IN ('queued', 'running');
            CREATE TABLE job_attempts (
                id {serial},
                job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
                token TEXT NOT NULL,
                worker TEXT NOT NULL,
                started_at BIGINT NOT NULL,
                ended_at BIGINT,
                outcome TEXT NOT NULL,
                error TEXT
            );
            CREATE INDEX job_attempts_of ON job_attempts (job_id, token);
            CREATE TABLE job_queues (
                queue TEXT PRIMARY KEY,
                paused BIGINT NOT NULL
            );
        )sql"},
                  // Turns share a queue fairly between owners
                  // (JobQueue::enqueue); the dead are listed by queue.
                  {.sql = R"sql(
            ALTER TABLE jobs ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
            DROP INDEX jobs_to_claim;
            CREATE INDEX jobs_to_claim ON jobs (queue, priority DESC, turn, id)
                WHERE state = 'queued';
            CREATE INDEX jobs_turns ON jobs (queue, turn) WHERE state = 'queued';
            CREATE INDEX jobs_turns_of_owner ON jobs (queue, owner, turn) WHERE state = 'queued';
            CREATE INDEX jobs_dead ON jobs (queue, id) WHERE state = 'dead';
        )sql"}}};
    return schema;
}

}  // namespace heddle::jobs
