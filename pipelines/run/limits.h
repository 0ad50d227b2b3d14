#pragma once
/// Bounds of what one run may become.

#include <cstddef>
#include <cstdint>

namespace pipelines::run {

/// Largest number of instances of one job (pipeline-language 15.1, the service's historic values).
inline constexpr std::size_t kMaxMatrixLegs = 256;
inline constexpr std::size_t kMaxSlices = 99;

/// Minutes a cancelled job may take to clean up (pipeline-language 3.3).
inline constexpr std::uint32_t kLeastCancelMinutes = 1;
inline constexpr std::uint32_t kMostCancelMinutes = 35790;

} // namespace pipelines::run
