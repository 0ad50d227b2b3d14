#pragma once
/// Version specifications as tool tasks take them ("18.x", ">=3.8 <3.12", "^1.2", "~1.2.3", "*"),
/// joined by "||". Pure.

#include <array>
#include <optional>
#include <string_view>

namespace worker {

using VersionNumber = std::array<int, 3>;

/// The first version in a text ("Python 3.11.2", "v18.19.0"); missing parts are 0. Nothing when
/// there is none.
std::optional<VersionNumber> findVersion(std::string_view text);

/// Whether the version is in the range; nothing when the range cannot be read. An empty range
/// takes every version.
std::optional<bool> inRange(const VersionNumber &version, std::string_view range);

} // namespace worker
