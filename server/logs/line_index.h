#pragma once
/// Where lines begin in a growing file, thinly: one remembered place per 512 lines, so that ten
/// million lines cost 160 kB and any line is found after reading past a few hundred.

#include <cstdint>
#include <span>
#include <vector>

namespace server::logs {

class LineIndex
{
public:
    struct Place
    {
        std::uint64_t line = 0;   ///< 0-based
        std::uint64_t offset = 0; ///< of its first byte
    };

    /// Takes the next bytes of the file.
    void add(std::span<const char> bytes);

    [[nodiscard]] std::uint64_t indexedBytes() const { return m_bytes; }

    /// Lines so far; a last line without line feed counts.
    [[nodiscard]] std::uint64_t lines() const { return m_lineFeeds + (m_openLine ? 1 : 0); }

    /// The last remembered place at or before a line.
    [[nodiscard]] Place before(std::uint64_t line) const;

private:
    static constexpr std::uint64_t kEvery = 512;
    std::uint64_t m_bytes = 0;
    std::uint64_t m_lineFeeds = 0;
    bool m_openLine = false;
    std::vector<std::uint64_t> m_offsets{0}; ///< of lines 0, kEvery, 2 * kEvery, ...
};

} // namespace server::logs
