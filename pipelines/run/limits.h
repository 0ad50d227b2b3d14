#pragma once
/// Bounds of what one run may become.

#include <cstddef>

namespace pipelines::run {

/// Largest number of instances of one job (pipeline-language 15.1, the service's historic values).
inline constexpr std::size_t kMaxMatrixLegs = 256;
inline constexpr std::size_t kMaxSlices = 99;

} // namespace pipelines::run
