// The progress of a pull on the terminal: a bar for each file under way and one for all. Where
// stderr is no terminal, a line for each file that is done.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "upstream/pull.h"

namespace heddle::app {

// "1.2 GB", in powers of ten as disks are sold.
[[nodiscard]] std::string show_bytes(std::uint64_t bytes);

class PullBars {
public:
    PullBars();

    // Draws the present state over the last one.
    void show(const std::vector<upstream::PullProgress>& files);

private:
    [[nodiscard]] std::string total_line(const std::vector<upstream::PullProgress>& files) const;

    const bool terminal_;
    const std::chrono::steady_clock::time_point started_;
    std::size_t lines_drawn_ = 0;
    std::uint64_t bytes_at_start_ = 0;
    bool seen_ = false;
    std::vector<bool> reported_;
};

}  // namespace heddle::app
