// A folder of the server's machine kept in a collection: what appears in it is read, what changes
// is replaced in one step, what goes is deleted. Told by the kernel (inotify) and by looking again
// from time to time, so that nothing is missed on file systems that tell nothing.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"
#include "service/documents.h"
#include "storage/database.h"
#include "storage/unique_fd.h"

namespace heddle::service {

struct WatchOptions {
    std::string folder;
    std::string owner;
    std::string collection = "knowledgebase";
    std::vector<std::string> formats = {"pdf"};  // names of ingest::formats()
    std::size_t files_max = 10'000;
    int depth_max = 8;
    std::chrono::milliseconds look_again{60'000};
    // After a change, so that a file that is being written is read once.
    std::chrono::milliseconds settle{500};
};

struct ScanReport {
    std::size_t files = 0;  // that can be read
    std::size_t added = 0;  // or changed
    std::size_t removed = 0;
    std::size_t refused = 0;
    bool too_many = false;  // some were left out
};

// Used by one coroutine at a time. Database, documents and pool outlive it.
class WatchedFolder {
public:
    // kInvalidArgument for a folder that is not there.
    static Result<std::unique_ptr<WatchedFolder>> open(storage::Database& db, Documents& documents,
                                                       async::WorkerPool& pool,
                                                       WatchOptions options);
    ~WatchedFolder();

    // Brings the collection up to date. A folder that cannot be read (a disk that went away) is an
    // error, and nothing of it is deleted.
    async::Task<Result<ScanReport>> scan();
    // Scans at once and after every change, until cancelled.
    async::Task<> run();

private:
    struct File;
    struct Row;
    struct Listing;

    WatchedFolder(storage::Database& db, Documents& documents, async::WorkerPool& pool,
                  WatchOptions options);
    // Asks to be told of changes in each folder before reading it: none is missed in between.
    [[nodiscard]] Result<Listing> list_blocking() const;
    async::Task<Result<std::vector<Row>>> known_rows();
    async::Task<Result<bool>> take(File file, std::string before);
    async::Task<Result<std::string>> upload(File file);
    async::Task<Result<>> drop(Row row);
    async::Task<> wait_for_change();

    storage::Database& db_;
    Documents& documents_;
    async::WorkerPool& pool_;
    const WatchOptions options_;
    storage::UniqueFd notices_;  // inotify; none before run()
};

}  // namespace heddle::service
