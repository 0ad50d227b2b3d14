#include "server/http/content.h"

#include "server/http/url.h"

#include <Poco/DeflatingStream.h>
#include <Poco/DigestEngine.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace server::http {
namespace {

/// Shorter bodies are sent as they are: compressing them saves no packet.
constexpr std::size_t kWorthCompressing = 2048;

bool hasHeader(const Reply &reply, std::string_view name)
{
    return std::any_of(reply.headers.begin(), reply.headers.end(),
                       [&](const auto &header) { return equalsIgnoringCase(header.first, name); });
}

std::string_view withoutWeakness(std::string_view tag)
{
    return tag.starts_with("W/") ? tag.substr(2) : tag;
}

} // namespace

std::string entityTag(std::string_view body)
{
    // A fast hash: this runs over every answer.
    std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
    crypto_generichash(digest.data(), digest.size(),
                       reinterpret_cast<const unsigned char *>(body.data()), body.size(), nullptr,
                       0);
    return "W/\"" + Poco::DigestEngine::digestToHex({digest.begin(), digest.end()}) + "\"";
}

bool namesTag(std::string_view ifNoneMatch, std::string_view tag)
{
    for (const std::string &item : splitList(ifNoneMatch)) {
        if (item == "*" || withoutWeakness(item) == withoutWeakness(tag))
            return true;
    }
    return false;
}

bool takesGzip(const Call &call)
{
    for (const auto &item : splitList(call.header("Accept-Encoding"))) {
        if (equalsIgnoringCase(std::string_view(item).substr(0, 4), "gzip") &&
            item.find("q=0") == std::string::npos)
            return true;
    }
    return false;
}

std::string gzipped(std::string_view body)
{
    std::ostringstream out;
    Poco::DeflatingOutputStream deflater(out, Poco::DeflatingStreamBuf::STREAM_GZIP, 1);
    deflater.write(body.data(), static_cast<std::streamsize>(body.size()));
    deflater.close();
    return std::move(out).str();
}

void negotiate(const Call &call, Reply &reply)
{
    if (call.method != "GET" || reply.status != 200 || reply.stream || reply.file ||
        hasHeader(reply, "Content-Encoding"))
        return;
    const bool text = reply.contentType.starts_with("application/json") ||
                      reply.contentType.starts_with("text/") ||
                      reply.contentType.starts_with("image/svg");
    if (!text)
        return;
    if (!hasHeader(reply, "ETag")) {
        const std::string tag = entityTag(reply.body);
        reply.with("ETag", tag);
        if (namesTag(call.header("If-None-Match"), tag)) {
            reply.status = 304;
            reply.body.clear();
            return;
        }
    }
    if (reply.body.size() < kWorthCompressing)
        return;
    reply.with("Vary", "Accept-Encoding");
    if (takesGzip(call)) {
        reply.body = gzipped(reply.body);
        reply.with("Content-Encoding", "gzip");
    }
}

} // namespace server::http
