// Files of the command line into the data folder, with a progress line on the terminal.
#pragma once

#include <string>
#include <vector>

#include "app/house.h"
#include "async/task.h"
#include "base/result.h"

namespace heddle::app {

// A line on stderr that is drawn over and over; silent when stderr is no terminal.
class ProgressLine {
public:
    ProgressLine();
    ~ProgressLine();
    void show(const std::string& text);
    // Leaves a line that stays.
    void keep(const std::string& text);

private:
    const bool terminal_;
    bool drawn_ = false;
};

// Uploads the file and waits until it can be searched; what is there already (the same bytes) is
// taken as it is. Errors name the file.
async::Task<Result<service::DocumentInfo>> ingest_file(House& house, std::string owner,
                                                       std::string collection, std::string path,
                                                       ProgressLine& progress);

// Whoever names a file on the command line means it: every kind that can be read is accepted.
void accept_all_files(Config& config);

}  // namespace heddle::app
