// Brings files of a hub's repository into the model store: several connections, each fetching
// segments of files; a segment that breaks off goes on where it was, on this run or the next.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"
#include "upstream/hub_client.h"
#include "upstream/model_store.h"
#include "upstream/partial_file.h"

namespace heddle::upstream {

struct PullOptions {
    std::size_t connections = 8;
    std::uint64_t segment_bytes = std::uint64_t{32} << 20;
    // Attempts in a row that bring nothing before a segment is given up.
    int fruitless_max = 6;
    std::chrono::milliseconds retry_delay{500};  // doubled each time
    // Left free on the disk.
    std::uint64_t spare_bytes = std::uint64_t{64} << 20;
};

enum class PullState : std::uint8_t { kWaiting, kFetching, kChecking, kDone };

// Of one file, as a progress bar shows it.
struct PullProgress {
    std::string path;
    std::uint64_t bytes = 0;
    std::uint64_t done = 0;
    PullState state = PullState::kWaiting;
};

// One pull, on one I/O thread; all members are used there. `workers` does what blocks.
class Pull {
public:
    Pull(PullOptions options, std::shared_ptr<HubClient> hub, ModelStore& store,
         async::WorkerPool& workers)
        : options_(options), hub_(std::move(hub)), store_(store), workers_(workers) {}

    // Fetches what is not there already. kConflict while another process pulls the model, kIo with
    // reason "disk_full" before anything is fetched that cannot fit, and what HubClient says.
    // `hub_name` is noted in the manifest.
    async::Task<Result<>> run(HubName name, std::string revision, std::string hub_name);
    // Asks running work to end soon; run() then returns kCancelled.
    void stop() { stopped_ = true; }

    [[nodiscard]] const std::vector<PullProgress>& progress() const { return progress_; }

private:
    struct Job;  // one file on its way
    struct Unit {
        Job* job = nullptr;
        std::size_t segment = 0;
    };

    async::Task<Result<>> prepare(const std::vector<HubFile>& files,
                                  const std::filesystem::path& folder);
    async::Task<Result<>> prepare_file(const HubFile& file, const std::filesystem::path& folder);
    [[nodiscard]] Result<> check_space(const std::filesystem::path& folder) const;
    async::Task<Result<>> work();
    async::Task<Result<>> fetch_segment(Unit unit);
    async::Task<Result<>> fetch_from(Unit unit, std::uint64_t& at);
    async::Task<Result<>> finish(Job& job);

    const PullOptions options_;
    const std::shared_ptr<HubClient> hub_;
    ModelStore& store_;
    async::WorkerPool& workers_;
    std::string repository_;
    std::string revision_;
    std::vector<PullProgress> progress_;
    std::vector<std::shared_ptr<Job>> jobs_;
    std::vector<Unit> units_;
    std::size_t next_unit_ = 0;
    std::atomic<bool> stopped_{false};  // hashing looks at it on a worker
};

}  // namespace heddle::upstream
