#include "upstream/pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/gather.h"
#include "async/offload.h"
#include "storage/local_folder.h"

namespace heddle::upstream {
namespace {

// Bytes gathered before they are written: a trip to the worker pool each.
constexpr std::size_t kWriteBytes = std::size_t{1} << 20;

tl::unexpected<Error> cancelled() {
    return fail(ErrorCode::kCancelled, "the pull was stopped; the next one goes on from here");
}

}  // namespace

struct Pull::Job {
    HubFile file;
    std::unique_ptr<storage::Folder> folder;
    std::unique_ptr<PartialFile> partial;  // null when the file is there
    std::size_t segments_left = 0;
    std::size_t shown = 0;  // its line of progress_
};

async::Task<Result<>> Pull::run(HubName name, std::string revision, std::string hub_name) {
    repository_ = name.repository;
    HEDDLE_CO_TRY(const HubListing listing, co_await hub_->list(name.repository, revision));
    revision_ = listing.revision;
    HEDDLE_CO_TRY(const std::vector<HubFile> files, choose_files(listing.files, name.file));
    HEDDLE_CO_TRY(const ModelStore::Lock lock, store_.lock(name.repository));
    HEDDLE_CO_TRY_VOID(co_await prepare(files, lock.folder));

    std::vector<async::Task<Result<>>> workers;
    const std::size_t count = std::min(options_.connections, units_.size());
    for (std::size_t i = 0; i < count; ++i) workers.push_back(work());
    const std::vector<Result<>> ended = co_await async::gather(std::move(workers));
    // The failure that stopped the others, not their stopping.
    const auto failure = std::ranges::find_if(
        ended, [](const Result<>& r) { return !r && r.error().code() != ErrorCode::kCancelled; });
    if (failure != ended.end()) co_return fail(failure->error());
    if (stopped_) co_return cancelled();
    std::vector<StoredFile> stored;
    for (const HubFile& file : files) stored.push_back({file, revision_});
    co_return store_.add(name.repository, hub_name, stored);
}

// Looks at what is there and lines up the segments that are not, small files first.
async::Task<Result<>> Pull::prepare(const std::vector<HubFile>& files,
                                    const std::filesystem::path& folder) {
    std::vector<HubFile> sorted = files;
    std::ranges::sort(sorted, {}, &HubFile::bytes);
    for (const HubFile& file : sorted)
        progress_.push_back({.path = file.path, .bytes = file.bytes});
    for (const HubFile& file : sorted) HEDDLE_CO_TRY_VOID(co_await prepare_file(file, folder));
    HEDDLE_CO_TRY_VOID(check_space(folder));
    for (const auto& job : jobs_) {
        if (!job->partial) continue;
        for (std::size_t s = 0; s < job->partial->segments(); ++s)
            if (!job->partial->is_done(s)) units_.push_back({job.get(), s});
        // An empty file, or one that was cut short between its last byte and its name.
        if (job->segments_left == 0) HEDDLE_CO_TRY_VOID(co_await finish(*job));
    }
    co_return Result<>();
}

async::Task<Result<>> Pull::prepare_file(const HubFile& file, const std::filesystem::path& folder) {
    const auto job = std::make_shared<Job>();
    job->file = file;
    job->shown = jobs_.size();
    jobs_.push_back(job);
    PullProgress& shown = progress_[job->shown];
    const std::filesystem::path parent = (folder / file.path).parent_path();
    std::error_code ec;
    std::filesystem::create_directories(parent, ec);
    if (ec) co_return fail(ErrorCode::kIo, "a folder cannot be made: " + ec.message());
    HEDDLE_CO_TRY(job->folder, storage::open_local_folder(parent.string()));
    shown.state = PullState::kChecking;
    const auto look = [job] { return is_intact(*job->folder, job->file); };
    const Result<bool> intact = co_await async::offload(workers_, look);
    if (intact && *intact) {
        shown.state = PullState::kDone;
        shown.done = file.bytes;
        co_return Result<>();
    }
    HEDDLE_CO_TRY(job->partial, PartialFile::open(*job->folder, file, options_.segment_bytes));
    for (std::size_t s = 0; s < job->partial->segments(); ++s)
        job->segments_left += job->partial->is_done(s) ? 0 : 1;
    shown.done = job->partial->bytes_done();
    shown.state = PullState::kWaiting;
    co_return Result<>();
}

Result<> Pull::check_space(const std::filesystem::path& folder) const {
    std::uint64_t needed = options_.spare_bytes;
    for (const PullProgress& file : progress_) {
        if (__builtin_add_overflow(needed, file.bytes - file.done, &needed))
            return fail(ErrorCode::kUpstream, "the hub lists files of an impossible size");
    }
    std::error_code ec;
    const std::filesystem::space_info space = std::filesystem::space(folder, ec);
    if (ec || space.available >= needed) return {};
    return fail(Error(ErrorCode::kIo, fmt::format("{:.1f} GB are needed and {:.1f} GB are free",
                                                  static_cast<double>(needed) / 1e9,
                                                  static_cast<double>(space.available) / 1e9))
                    .with_reason("disk_full"));
}

async::Task<Result<>> Pull::work() {
    while (next_unit_ < units_.size() && !stopped_) {
        const Unit unit = units_[next_unit_++];
        Result<> fetched = co_await fetch_segment(unit);
        if (fetched && --unit.job->segments_left == 0) fetched = co_await finish(*unit.job);
        if (fetched) continue;
        stopped_ = true;
        co_return fetched;
    }
    co_return Result<>();
}

async::Task<Result<>> Pull::fetch_segment(Unit unit) {
    PartialFile& partial = *unit.job->partial;
    progress_[unit.job->shown].state = PullState::kFetching;
    std::uint64_t at = partial.begin_of(unit.segment);
    for (int fruitless = 0;;) {
        const std::uint64_t before = at;
        const Result<> fetched = co_await fetch_from(unit, at);
        if (fetched) break;
        fruitless = at > before ? 0 : fruitless + 1;
        if (!is_passing(fetched.error()) || fruitless > options_.fruitless_max)
            co_return fail(Error(fetched.error()).with_context(unit.job->file.path));
        co_await async::sleep_for(options_.retry_delay * (1 << std::min(fruitless, 6)));
        if (stopped_) co_return cancelled();
    }
    const auto keep = [&partial, state = partial.mark_done(unit.segment)] {
        return partial.keep(state);
    };
    co_return co_await async::offload(workers_, keep);
}

// The rest of a segment over one connection; `at` advances with what has been written.
async::Task<Result<>> Pull::fetch_from(Unit unit, std::uint64_t& at) {
    PartialFile& partial = *unit.job->partial;
    const std::uint64_t end = partial.end_of(unit.segment);
    HEDDLE_CO_TRY(HubRange range,
                  co_await hub_->open(repository_, revision_, unit.job->file, at, end));
    std::string gathered;
    bool ended = false;
    while (!ended && at + gathered.size() < end) {
        if (stopped_) co_return cancelled();
        auto piece = co_await range.response.next();
        ended = !piece || piece->empty();
        if (!ended) {
            const std::uint64_t passed = std::min<std::uint64_t>(range.ahead, piece->size());
            range.ahead -= passed;
            gathered.append(*piece, static_cast<std::size_t>(passed));
        }
        // A server without ranges sends on after our part; one with ranges must not.
        gathered.resize(std::min<std::uint64_t>(gathered.size(), end - at));
        if (gathered.size() < kWriteBytes && !ended && at + gathered.size() < end) continue;
        const auto write = [&partial, &gathered, at] { return partial.write(at, gathered); };
        HEDDLE_CO_TRY_VOID(co_await async::offload(workers_, write));
        at += gathered.size();
        progress_[unit.job->shown].done += gathered.size();
        gathered.clear();
        if (!piece) co_return fail(std::move(piece).error());
    }
    if (at < end)
        co_return fail(Error(ErrorCode::kUpstream, "the hub sent less than it announced")
                           .with_reason("hub_short"));
    co_return Result<>();
}

async::Task<Result<>> Pull::finish(Job& job) {
    PullProgress& shown = progress_[job.shown];
    shown.state = PullState::kChecking;
    const auto check = [this, &job] {
        return job.partial->finish([this](std::uint64_t) { return !stopped_; });
    };
    const Result<> checked = co_await async::offload(workers_, check);
    if (checked) shown.state = PullState::kDone;
    co_return checked;
}

}  // namespace heddle::upstream
