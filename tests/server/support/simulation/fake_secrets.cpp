// Here and not in world.cpp because simulations seal at every step, and what they do is optimised.
#include "tests/server/support/world.h"

#include <algorithm>
#include <iterator>

namespace tests {
namespace {

constexpr std::uint8_t kKey = 0x5a;

std::uint8_t scrambled(std::uint8_t byte)
{
    return static_cast<std::uint8_t>(byte ^ kKey);
}

} // namespace

server::store::Blob FakeSecrets::seal(std::span<const std::uint8_t> plain)
{
    server::store::Blob sealed;
    sealed.reserve(plain.size() + 1);
    sealed.push_back(kKey);
    std::ranges::transform(plain, std::back_inserter(sealed), scrambled);
    return sealed;
}

schema::Result<server::store::Blob> FakeSecrets::open(std::span<const std::uint8_t> sealed)
{
    if (sealed.empty() || sealed.front() != kKey)
        return schema::Error{schema::ErrorCode::Internal, "altered"};
    server::store::Blob plain(sealed.begin() + 1, sealed.end());
    std::ranges::transform(plain, plain.begin(), scrambled);
    return plain;
}

} // namespace tests
