#pragma once
/// How large a package of a task may be: the server that stores it and the worker that unpacks it
/// refuse the same. The largest of Microsoft's own unpack to some 300 MB.

#include <cstddef>
#include <cstdint>

namespace schema {

inline constexpr std::uint64_t kMostPackageBytes = 1ULL << 30U; ///< of the files of one package
inline constexpr std::size_t kMostPackageFiles = 500'000;

/// Whether a package that has unpacked to so many bytes by now is none: too large, or larger than
/// files become that somebody wrote.
constexpr bool isPackageBomb(std::uint64_t unpacked, std::uint64_t packed)
{
    constexpr std::uint64_t kUnsuspicious = 64ULL << 20U;
    constexpr std::uint64_t kMostGrowth = 250;
    return unpacked > kMostPackageBytes ||
           (unpacked > kUnsuspicious && unpacked / kMostGrowth > packed);
}

} // namespace schema
