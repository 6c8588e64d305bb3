#include "app/progress_bar.h"

#include <algorithm>
#include <cstddef>

namespace heddle::app {

std::string progress_bar(double share) {
    constexpr std::size_t kCells = 24;
    const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kCells);
    return "[" + std::string(full, '#') + std::string(kCells - full, '.') + "]";
}

}  // namespace heddle::app
