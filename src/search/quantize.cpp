#include "search/quantize.h"

#include <algorithm>
#include <cmath>

namespace heddle::search {

float quantize(std::span<const float> vector, std::int8_t* codes) {
    float largest = 0;
    bool finite = true;
    for (const float x : vector) {
        finite = finite && std::isfinite(x);
        largest = std::max(largest, std::fabs(x));
    }
    std::fill_n(codes, code_stride(vector.size()), std::int8_t{0});
    if (!finite || largest == 0) return 0;
    const float inverse = 127 / largest;
    for (std::size_t i = 0; i < vector.size(); ++i) {
        codes[i] = static_cast<std::int8_t>(std::lround(vector[i] * inverse));
    }
    return largest / 127;
}

}  // namespace heddle::search
