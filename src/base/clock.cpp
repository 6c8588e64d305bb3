#include "base/clock.h"

namespace heddle {
namespace {

class SystemClock final : public Clock {
public:
    [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
    [[nodiscard]] WallTime wall() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& Clock::system() {
    static const SystemClock instance;
    return instance;
}

}  // namespace heddle
