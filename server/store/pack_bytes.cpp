#include "server/store/pack_bytes.h"

#include <algorithm>

namespace server::store {
namespace {

/// Codes of texts; from kSeen on: the number of an earlier one.
constexpr std::uint64_t kNothing = 0;
constexpr std::uint64_t kNew = 1;
constexpr std::uint64_t kSeen = 2;
/// Longer texts and later ones are written out again: looking for them costs more than they do.
constexpr std::size_t kMostTexts = 256;

[[noreturn]] void damaged()
{
    throw SqlError({schema::ErrorCode::Internal,
                    "the pack of an ended job is damaged; restore a backup with: slipway restore "
                    "BACKUP --data DIR"});
}

} // namespace

void PackWriter::number(std::uint64_t value)
{
    while (value >= 0x80U) {
        m_bytes.push_back(static_cast<std::uint8_t>(value | 0x80U));
        value >>= 7U;
    }
    m_bytes.push_back(static_cast<std::uint8_t>(value));
}

void PackWriter::text(const std::optional<std::string> &text)
{
    if (!text)
        return number(kNothing);
    const auto seen = std::find(m_texts.begin(), m_texts.end(), *text);
    if (seen != m_texts.end())
        return number(kSeen + static_cast<std::uint64_t>(seen - m_texts.begin()));
    number(kNew);
    number(text->size());
    m_bytes.insert(m_bytes.end(), text->begin(), text->end());
    if (m_texts.size() < kMostTexts)
        m_texts.push_back(*text);
}

void PackWriter::guid(const Guid &guid)
{
    const Blob bytes = guid.bytes();
    number(bytes.size());
    m_bytes.insert(m_bytes.end(), bytes.begin(), bytes.end());
}

std::span<const std::uint8_t> PackReader::take(std::uint64_t size)
{
    if (size > m_rest.size())
        damaged();
    const auto taken = m_rest.first(size);
    m_rest = m_rest.subspan(size);
    return taken;
}

std::uint64_t PackReader::number()
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint8_t byte = take(1).front();
        value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
        if (byte < 0x80U)
            return value;
    }
    damaged();
}

std::optional<std::int64_t> PackReader::optional()
{
    const std::uint64_t code = number();
    return code == 0 ? std::nullopt : std::optional(unzigzag(code - 1));
}

std::optional<std::string> PackReader::text()
{
    const std::uint64_t code = number();
    if (code == kNothing)
        return std::nullopt;
    if (code >= kSeen) {
        if (code - kSeen >= m_texts.size())
            damaged();
        return m_texts[code - kSeen];
    }
    const auto bytes = take(number());
    std::string text(bytes.begin(), bytes.end());
    if (m_texts.size() < kMostTexts)
        m_texts.push_back(text);
    return text;
}

Guid PackReader::guid()
{
    return Guid::fromBytes(take(number()));
}

} // namespace server::store
