#include "schema/base/guid.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <random>

namespace schema {
namespace {

std::string format(std::uint64_t high, std::uint64_t low, std::uint64_t version)
{
    high = (high & ~0xF000ULL) | (version << 12U);
    low = (low & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU,
                       high & 0xFFFFU, low >> 48U, low & 0xFFFFFFFFFFFFULL);
}

/// FNV-1a with a finaliser; identity, not security, is what a name-based id needs here.
std::uint64_t hash(std::string_view space, std::string_view name, std::uint64_t seed)
{
    std::uint64_t h = 0xcbf29ce484222325ULL ^ seed;
    const auto mix = [&h](std::string_view text) {
        for (const char c : text)
            h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
        h = (h ^ 0x1FFU) * 0x100000001b3ULL;
    };
    mix(space);
    mix(name);
    h ^= h >> 33U;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33U;
    h *= 0xc4ceb9fe1a85ec53ULL;
    return h ^ (h >> 33U);
}

} // namespace

std::string randomGuid()
{
    thread_local std::random_device device;
    const auto word = [] { return (std::uint64_t{device()} << 32U) | device(); };
    return format(word(), word(), 4);
}

std::string nameGuid(std::string_view space, std::string_view name)
{
    return format(hash(space, name, 0), hash(space, name, 0x9e3779b97f4a7c15ULL), 5);
}

bool isGuid(std::string_view text)
{
    if (text.size() != 36)
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

} // namespace schema
