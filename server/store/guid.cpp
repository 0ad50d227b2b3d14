#include "server/store/database.h"

#include <array>

namespace server::store {
namespace {

constexpr std::size_t kGuidBytes = 16;

/// Value of a hexadecimal digit; -1 for anything else.
int digitOf(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool isDash(std::size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

/// The 16 bytes of the 36-character form; false for anything else.
bool parse(std::string_view text, std::array<std::uint8_t, kGuidBytes> &bytes)
{
    if (text.size() != 36)
        return false;
    std::size_t nibble = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (isDash(at)) {
            if (text[at] != '-')
                return false;
            continue;
        }
        const int digit = digitOf(text[at]);
        if (digit < 0)
            return false;
        std::uint8_t &byte = bytes[nibble / 2];
        byte = static_cast<std::uint8_t>(nibble % 2 == 0 ? digit << 4 : byte | digit);
        ++nibble;
    }
    return true;
}

} // namespace

Blob Guid::bytes() const
{
    std::array<std::uint8_t, kGuidBytes> guid{};
    if (parse(text, guid))
        return {guid.begin(), guid.end()};
    Blob other(text.begin(), text.end());
    if (other.size() >= kGuidBytes)
        other.push_back(0); // so that 16 bytes are always a GUID
    return other;
}

Guid Guid::fromBytes(std::span<const std::uint8_t> bytes)
{
    Guid guid;
    if (bytes.size() != kGuidBytes) {
        guid.text.assign(bytes.begin(), bytes.end());
        if (bytes.size() > kGuidBytes)
            guid.text.pop_back();
        return guid;
    }
    static constexpr std::string_view kDigits = "0123456789abcdef";
    guid.text.reserve(36);
    for (const std::uint8_t byte : bytes) {
        if (isDash(guid.text.size()))
            guid.text += '-';
        guid.text += kDigits[byte >> 4U];
        guid.text += kDigits[byte & 15U];
    }
    return guid;
}

std::optional<Guid> guidOf(const std::optional<std::string> &text)
{
    return text ? std::optional(Guid{*text}) : std::nullopt;
}

std::optional<std::string> textOf(const std::optional<Guid> &guid)
{
    return guid ? std::optional(guid->text) : std::nullopt;
}

} // namespace server::store
