// A queue over each kind of store, for behaviour tests that run on all of them.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "jobs/job_queue.h"
#include "jobs/schema.h"
#include "storage/database.h"
#include "storage/postgres_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::jobs {

class QueueTest : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        location_ = scratch_.path() + "/heddle.db";
        if (std::string_view(GetParam()) == "postgres") location_ = storage::fresh_postgres_url();
        if (location_.empty()) GTEST_SKIP() << "no PostgreSQL server is installed";
        open();
    }

    void open(JobQueueOptions options = {}) {
        queue_.reset();
        db_.reset();
        auto opened = storage::Database::open({.location = location_}, clock_);
        ASSERT_TRUE(opened) << opened.error().message();
        db_ = std::move(*opened);
        ASSERT_TRUE(db_->migrate(job_schema()));
        queue_ = std::make_unique<JobQueue>(*db_, options);
    }

    static NewJob job(std::string owner = "anna", std::string payload = "{}") {
        NewJob out;
        out.queue = "ingest";
        out.kind = "test";
        out.owner = std::move(owner);
        out.payload = std::move(payload);
        return out;
    }
    Result<Enqueued> add(const NewJob& what) { return runtime_.run(queue_->enqueue(what)); }
    std::optional<Claim> take(std::string worker = "w1", int per_owner = 0) {
        ClaimRequest request;
        request.queue = "ingest";
        request.worker = std::move(worker);
        request.running_per_owner_max = per_owner;
        auto claims = runtime_.run(queue_->claim(request)).value();
        if (claims.empty()) return std::nullopt;
        return std::move(claims.front());
    }
    Job get(const std::string& id, const std::string& owner = "anna") {
        return runtime_.run(queue_->get(owner, id)).value();
    }
    template <class Fn>
    auto in_transaction(Fn fn) {
        return db_->write_blocking(std::move(fn));
    }

    storage::Scratch scratch_;
    std::string location_;
    FakeClock clock_;
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    std::unique_ptr<storage::Database> db_;
    std::unique_ptr<JobQueue> queue_;
};

}  // namespace heddle::jobs
