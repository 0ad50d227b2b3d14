#include "server/logs/log_pack.h"

#include "server/store/pack_bytes.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

namespace server::logs {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;

constexpr std::uint64_t kFormat = 1;
constexpr int kLevel = 5;

struct Free
{
    void operator()(ZSTD_CCtx *context) const { ZSTD_freeCCtx(context); }

    void operator()(ZSTD_DCtx *context) const { ZSTD_freeDCtx(context); }

    void operator()(ZSTD_CDict *dictionary) const { ZSTD_freeCDict(dictionary); }

    void operator()(ZSTD_DDict *dictionary) const { ZSTD_freeDDict(dictionary); }
};

std::string compressed(std::string_view bytes)
{
    static const std::unique_ptr<ZSTD_CDict, Free> dictionary(
        ZSTD_createCDict(typicalLog().data(), typicalLog().size(), kLevel));
    static thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size = ZSTD_compress_usingCDict(context.get(), out.data(), out.size(),
                                                      bytes.data(), bytes.size(), dictionary.get());
    // The room is what zstd asks for: it cannot fail.
    out.resize(ZSTD_isError(size) != 0 ? 0 : size);
    return out;
}

Error damaged()
{
    return {ErrorCode::Io, "the logs of an ended job are damaged; restore a backup with: slipway "
                           "restore BACKUP --data DIR"};
}

} // namespace

store::Blob LogPack::make(const std::vector<std::pair<int, std::string>> &logs)
{
    store::PackWriter out;
    out.number(kFormat);
    out.number(logs.size());
    std::string all;
    std::int64_t lastTime = 0;
    for (const auto &[logId, bytes] : logs) {
        const Facts facts = factsOf(bytes);
        out.number(static_cast<std::uint64_t>(logId));
        out.number(bytes.size());
        out.number(facts.lines * 2 + (facts.openLine ? 1 : 0));
        std::optional<std::int64_t> time;
        if (facts.firstTime) {
            const std::int64_t now = schema::toEpochMillis(*facts.firstTime);
            time = now - lastTime;
            lastTime = now;
        }
        out.optional(time);
        all += bytes;
    }
    store::Blob blob = out.take();
    const std::string packed = compressed(all);
    blob.insert(blob.end(), packed.begin(), packed.end());
    return blob;
}

Result<LogPack> LogPack::open(std::span<const std::uint8_t> blob)
{
    LogPack pack;
    store::PackReader in(blob);
    if (in.number() != kFormat)
        return damaged();
    std::int64_t lastTime = 0;
    for (std::uint64_t rest = in.number(); rest > 0; --rest) {
        PackedLog &log = pack.m_logs.emplace_back();
        log.logId = static_cast<int>(in.number());
        log.begin = pack.m_bytes;
        log.bytes = in.number();
        const std::uint64_t lines = in.number();
        log.facts.lines = lines / 2;
        log.facts.openLine = lines % 2 != 0;
        if (const auto time = in.optional()) {
            lastTime += *time;
            log.facts.firstTime = schema::fromEpochMillis(lastTime);
        }
        if (log.bytes > kPackBytes || pack.m_bytes > kPackBytes)
            return damaged();
        pack.m_bytes += log.bytes;
    }
    pack.m_compressed.assign(in.rest().begin(), in.rest().end());
    return pack;
}

std::optional<PackedLog> LogPack::find(int logId) const
{
    const auto found = std::find_if(m_logs.begin(), m_logs.end(),
                                    [&](const PackedLog &log) { return log.logId == logId; });
    return found == m_logs.end() ? std::nullopt : std::optional(*found);
}

Result<std::string> LogPack::bytes(const PackedLog &log) const
{
    static const std::unique_ptr<ZSTD_DDict, Free> dictionary(
        ZSTD_createDDict(typicalLog().data(), typicalLog().size()));
    static thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
    std::string all(m_bytes, '\0');
    const std::size_t size =
        ZSTD_decompress_usingDDict(context.get(), all.data(), all.size(), m_compressed.data(),
                                   m_compressed.size(), dictionary.get());
    if (ZSTD_isError(size) != 0 || size != m_bytes)
        return damaged();
    return all.substr(log.begin, log.bytes);
}

} // namespace server::logs
