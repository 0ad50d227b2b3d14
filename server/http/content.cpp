#include "server/http/content.h"

#include "server/http/errors.h"
#include "server/http/url.h"

#include <Poco/DeflatingStream.h>
#include <Poco/DigestEngine.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace server::http {

using schema::ErrorCode;

namespace {

/// Shorter bodies are sent as they are: compressing them saves no packet.
constexpr std::size_t kWorthCompressing = 2048;

bool hasHeader(const Reply &reply, std::string_view name)
{
    return std::any_of(reply.headers.begin(), reply.headers.end(),
                       [&](const auto &header) { return equalsIgnoringCase(header.first, name); });
}

/// Stands inside the quotes of the tag of a compressed body.
constexpr std::string_view kCompressed = "-gzip";

std::string compressedTag(std::string_view tag)
{
    std::string out(tag.substr(0, tag.size() - 1));
    return out.append(kCompressed).append("\"");
}

/// Either coding is made of the same state.
bool isSameState(std::string_view sent, std::string_view tag)
{
    return sent == tag || sent == compressedTag(tag);
}

} // namespace

std::string entityTag(std::string_view body)
{
    // A fast hash: this runs over every answer.
    std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
    crypto_generichash(digest.data(), digest.size(),
                       reinterpret_cast<const unsigned char *>(body.data()), body.size(), nullptr,
                       0);
    return "\"" + Poco::DigestEngine::digestToHex({digest.begin(), digest.end()}) + "\"";
}

bool namesTag(std::string_view ifNoneMatch, std::string_view tag)
{
    const auto weak = [](std::string_view text) {
        return text.starts_with("W/") ? text.substr(2) : text;
    };
    for (const std::string &item : splitList(ifNoneMatch)) {
        if (item == "*" || isSameState(weak(item), weak(tag)))
            return true;
    }
    return false;
}

bool matchesTag(std::string_view ifMatch, std::string_view tag)
{
    for (const std::string &item : splitList(ifMatch)) {
        if (item == "*" || isSameState(item, tag))
            return true;
    }
    return false;
}

bool isConditionalChange(const Call &call)
{
    return call.method != "GET" && call.method != "OPTIONS" && !call.header("If-Match").empty();
}

std::optional<Reply> unmetCondition(const Call &call, const Reply &current)
{
    const auto tag =
        std::find_if(current.headers.begin(), current.headers.end(),
                     [](const auto &header) { return equalsIgnoringCase(header.first, "ETag"); });
    const std::string now = tag == current.headers.end() ? "" : tag->second;
    if (current.status == 200 && matchesTag(call.header("If-Match"), now))
        return std::nullopt;
    std::string why = "If-Match: it has changed since; read it again and decide anew";
    if (current.status != 200)
        why = "If-Match: there is nothing at this address that a GET could read";
    else if (now.empty())
        why = "If-Match: what is at this address has no ETag";
    Reply reply = errorReply({ErrorCode::Conflict, std::move(why)});
    reply.status = 412;
    if (!now.empty())
        reply.with("ETag", now);
    return reply;
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
    const bool packs = reply.body.size() >= kWorthCompressing;
    const bool packed = packs && takesGzip(call);
    if (packs)
        reply.with("Vary", "Accept-Encoding");
    if (!hasHeader(reply, "ETag")) {
        const std::string tag = entityTag(reply.body);
        reply.with("ETag", packed ? compressedTag(tag) : tag);
        if (namesTag(call.header("If-None-Match"), tag)) {
            reply.status = 304;
            reply.body.clear();
            return;
        }
    }
    if (packed) {
        reply.body = gzipped(reply.body);
        reply.with("Content-Encoding", "gzip");
    }
}

} // namespace server::http
