#include "app/pull_bars.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/progress_bar.h"

namespace heddle::app {
namespace {

using upstream::PullProgress;
using upstream::PullState;

constexpr std::size_t kNameCells = 36;
constexpr std::size_t kBarsMax = 8;

std::string bar(std::uint64_t done, std::uint64_t bytes) {
    return progress_bar(bytes == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(bytes));
}

// The end of a name says more than its beginning.
std::string fitted(const std::string& name) {
    if (name.size() <= kNameCells) return name;
    return "…" + name.substr(name.size() - kNameCells + 1);
}

std::string line_of(const PullProgress& file) {
    const char* note = file.state == PullState::kChecking ? "  checking" : "";
    return fmt::format("{:<36} {} {:>9} of {:>9}{}", fitted(file.path), bar(file.done, file.bytes),
                       show_bytes(file.done), show_bytes(file.bytes), note);
}

std::uint64_t sum(const std::vector<PullProgress>& files, std::uint64_t PullProgress::* member) {
    std::uint64_t total = 0;
    for (const PullProgress& file : files) total += file.*member;
    return total;
}

}  // namespace

std::string show_bytes(std::uint64_t bytes) {
    const auto value = static_cast<double>(bytes);
    if (bytes < 1'000) return fmt::format("{} B", bytes);
    if (bytes < 1'000'000) return fmt::format("{:.1f} kB", value / 1e3);
    if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", value / 1e6);
    return fmt::format("{:.2f} GB", value / 1e9);
}

PullBars::PullBars()
    : terminal_(isatty(STDERR_FILENO) == 1), started_(std::chrono::steady_clock::now()) {}

std::string PullBars::total_line(const std::vector<PullProgress>& files) const {
    const std::uint64_t done = sum(files, &PullProgress::done);
    const std::uint64_t bytes = sum(files, &PullProgress::bytes);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    const double rate = static_cast<double>(done - std::min(done, bytes_at_start_)) / seconds;
    std::string line =
        fmt::format("{:<36} {} {:>9} of {:>9}  {}/s", "all", bar(done, bytes), show_bytes(done),
                    show_bytes(bytes), show_bytes(static_cast<std::uint64_t>(rate)));
    if (rate > 1.0 && done < bytes) {
        const auto left = static_cast<std::uint64_t>(static_cast<double>(bytes - done) / rate);
        line += fmt::format("  {}:{:02} left", left / 60, left % 60);
    }
    return line;
}

void PullBars::show(const std::vector<PullProgress>& files) {
    if (files.empty()) return;
    if (!seen_) bytes_at_start_ = sum(files, &PullProgress::done);
    seen_ = true;
    reported_.resize(files.size());
    std::string out;
    if (lines_drawn_ > 0) out = fmt::format("\x1b[{}A\x1b[J", lines_drawn_);
    lines_drawn_ = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].state != PullState::kDone || reported_[i]) continue;
        reported_[i] = true;
        out += fmt::format("{:<36} {:>9}\n", fitted(files[i].path), show_bytes(files[i].bytes));
    }
    if (terminal_) {
        for (const PullProgress& file : files) {
            const bool active =
                file.state == PullState::kFetching || file.state == PullState::kChecking;
            if (!active || lines_drawn_ == kBarsMax) continue;
            out += line_of(file) + "\n";
            ++lines_drawn_;
        }
        out += total_line(files) + "\n";
        ++lines_drawn_;
    }
    std::fputs(out.c_str(), stderr);
}

}  // namespace heddle::app
