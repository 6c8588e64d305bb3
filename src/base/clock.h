// Time as a dependency: code whose behaviour depends on time takes a Clock, so that tests and
// the simulator can move it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace heddle {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual SteadyTime steady() const = 0;
    [[nodiscard]] virtual WallTime wall() const = 0;

    // Milliseconds since 1970, the form in which times are stored and sent.
    [[nodiscard]] std::int64_t wall_ms() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(wall().time_since_epoch())
            .count();
    }

    static const Clock& system();
};

// Moves only when told to. Thread-safe.
class FakeClock final : public Clock {
public:
    [[nodiscard]] SteadyTime steady() const override {
        return SteadyTime(std::chrono::nanoseconds(nanos_.load()));
    }
    [[nodiscard]] WallTime wall() const override {
        return WallTime(std::chrono::duration_cast<WallTime::duration>(
            std::chrono::nanoseconds(nanos_.load())));
    }
    void advance(std::chrono::nanoseconds by) { nanos_ += by.count(); }

private:
    std::atomic<std::int64_t> nanos_{1'700'000'000'000'000'000};
};

}  // namespace heddle
