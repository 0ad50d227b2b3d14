#include "server/logs/chunk.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace server::logs {
namespace {

struct FreeContext
{
    void operator()(ZSTD_CCtx *context) const { ZSTD_freeCCtx(context); }

    void operator()(ZSTD_DCtx *context) const { ZSTD_freeDCtx(context); }
};

/// Number made of `count` digits; -1 for anything else.
int digits(std::string_view text, std::size_t at, std::size_t count)
{
    int number = 0;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9')
            return -1;
        number = number * 10 + (c - '0');
    }
    return number;
}

/// In blocks of a fixed size, which the compiler counts with vector instructions.
std::uint64_t lineFeeds(std::string_view bytes)
{
    constexpr std::size_t kBlock = 128;
    std::uint64_t total = 0;
    for (; bytes.size() >= kBlock; bytes.remove_prefix(kBlock)) {
        std::uint8_t inBlock = 0;
        for (std::size_t i = 0; i < kBlock; ++i)
            inBlock = static_cast<std::uint8_t>(inBlock + (bytes[i] == '\n' ? 1 : 0));
        total += inBlock;
    }
    return total + static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
}

} // namespace

std::optional<schema::TimePoint> stampOf(std::string_view line)
{
    using std::chrono::day;
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    using std::chrono::month;
    using std::chrono::seconds;
    using std::chrono::sys_days;
    using std::chrono::year;
    using std::chrono::year_month_day;
    if (line.size() < 24 || line[4] != '-' || line[7] != '-' || line[10] != 'T' ||
        line[13] != ':' || line[16] != ':' || line[19] != '.')
        return std::nullopt;
    const int y = digits(line, 0, 4);
    const int mo = digits(line, 5, 2);
    const int d = digits(line, 8, 2);
    const int h = digits(line, 11, 2);
    const int mi = digits(line, 14, 2);
    const int s = digits(line, 17, 2);
    const int ms = digits(line, 20, 3);
    const year_month_day date{year(y), month(static_cast<unsigned>(std::max(mo, 0))),
                              day(static_cast<unsigned>(std::max(d, 0)))};
    if (std::min({y, h, mi, s, ms}) < 0 || !date.ok())
        return std::nullopt;
    return schema::TimePoint(sys_days(date) + hours(h) + minutes(mi) + seconds(s) +
                             milliseconds(ms));
}

Facts factsOf(std::string_view bytes)
{
    Facts facts;
    facts.lines = lineFeeds(bytes);
    facts.openLine = !bytes.empty() && bytes.back() != '\n';
    facts.firstTime = stampOf(bytes);
    if (!facts.firstTime) {
        const auto feed = bytes.find('\n');
        if (feed != std::string_view::npos)
            facts.firstTime = stampOf(bytes.substr(feed + 1));
    }
    return facts;
}

std::string compress(std::string_view bytes)
{
    // One context per thread: setting one up costs more than a small chunk.
    static thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ZSTD_compressCCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size(), 1);
    // The room is what zstd asks for: it cannot fail.
    out.resize(ZSTD_isError(size) != 0 ? 0 : size);
    return out;
}

schema::Result<std::string> decompress(std::string_view stored, std::size_t bytes)
{
    static thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    std::string out(bytes, '\0');
    const std::size_t size =
        ZSTD_decompressDCtx(context.get(), out.data(), out.size(), stored.data(), stored.size());
    if (ZSTD_isError(size) != 0 || size != bytes)
        return {schema::ErrorCode::Io,
                std::string("a chunk of the log is damaged: ") +
                    (ZSTD_isError(size) != 0 ? ZSTD_getErrorName(size) : "it is shorter")};
    return out;
}

} // namespace server::logs
