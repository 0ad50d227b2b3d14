#include "server/logs/line_index.h"

#include <algorithm>
#include <cstring>

namespace server::logs {

void LineIndex::add(std::span<const char> bytes)
{
    const char *at = bytes.data();
    const char *const end = at + bytes.size();
    while (at < end) {
        const auto *feed =
            static_cast<const char *>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
        if (!feed)
            break;
        at = feed + 1;
        if (++m_lineFeeds % kEvery == 0)
            m_offsets.push_back(m_bytes + static_cast<std::uint64_t>(at - bytes.data()));
    }
    if (!bytes.empty())
        m_openLine = bytes.back() != '\n';
    m_bytes += bytes.size();
}

LineIndex::Place LineIndex::before(std::uint64_t line) const
{
    const std::uint64_t slot = std::min<std::uint64_t>(line / kEvery, m_offsets.size() - 1);
    return {slot * kEvery, m_offsets[slot]};
}

} // namespace server::logs
