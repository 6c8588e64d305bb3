// Ranges of the sizes that a model file may state. They lie far above any published model, and
// low enough that products of any three fit 64 bits.
#pragma once

#include <cstdint>

namespace heddle::model::limits {

inline constexpr std::int64_t kVocabularyMax = 4 << 20;
inline constexpr std::int64_t kHiddenMax = 1 << 17;
inline constexpr std::int64_t kIntermediateMax = 1 << 20;
inline constexpr std::int64_t kLayersMax = 1'024;
inline constexpr std::int64_t kHeadsMax = 1'024;
inline constexpr std::int64_t kHeadDimMax = 1'024;
inline constexpr std::int64_t kContextMax = 1 << 27;

}  // namespace heddle::model::limits
