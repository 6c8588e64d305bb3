#include "ingest/pdf/tables.h"

#include <algorithm>
#include <cmath>

namespace heddle::ingest::pdf {
namespace {

constexpr float kAligned = 4.0F;         // points
constexpr float kRowDistanceMax = 4.0F;  // font sizes between the baselines of two rows
constexpr std::size_t kAlignedCellsMin = 2;

bool aligned(const Box& a, const Box& b) {
    const float centers = (a.left + a.right) / 2 - (b.left + b.right) / 2;
    return std::fabs(a.left - b.left) <= kAligned || std::fabs(a.right - b.right) <= kAligned ||
           std::fabs(centers) <= kAligned;
}

bool belong_together(const Row& upper, const Row& lower) {
    if (upper.region != lower.region || upper.cells.size() < 2 || lower.cells.size() < 2)
        return false;
    if (lower.baseline - upper.baseline > kRowDistanceMax * std::max(upper.size, lower.size))
        return false;
    std::size_t count = 0;
    for (const Fragment& cell : upper.cells) {
        count +=
            std::any_of(lower.cells.begin(), lower.cells.end(),
                        [&cell](const Fragment& other) { return aligned(cell.box, other.box); });
    }
    return count >= kAlignedCellsMin;
}

}  // namespace

std::vector<bool> find_table_rows(const std::vector<Row>& rows) {
    std::vector<bool> found(rows.size(), false);
    for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
        if (!belong_together(rows[i], rows[i + 1])) continue;
        found[i] = true;
        found[i + 1] = true;
    }
    return found;
}

}  // namespace heddle::ingest::pdf
