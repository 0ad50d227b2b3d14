// The bodies of requests and answers (schema/transport/message_body.h) against a reader of the
// chunked coding that is as plain as can be: the same bytes, the same end, however it is read.
// The first byte of the input says how.
#include "schema/transport/message_body.h"
#include "schema/transport/raw_session.h"

#include <Poco/Net/HTTPSession.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using schema::transport::MessageBody;

void require(bool condition)
{
    if (!condition)
        std::abort();
}

class Session : public Poco::Net::HTTPSession
{
public:
    explicit Session(const Poco::Net::StreamSocket &socket)
        : HTTPSession(socket)
    {}
};

/// A connection over which `bytes` arrive, and then its end.
Poco::Net::StreamSocket connectionWith(std::string_view bytes)
{
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    require(bytes.empty() ||
            ::send(ends[1], bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    ::close(ends[1]);
    return Poco::Net::StreamSocket(new Poco::Net::StreamSocketImpl(ends[0]));
}

struct Expected
{
    std::string body;
    bool whole = false;
    std::size_t end = 0; ///< of the whole body in the input
};

bool isHex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// RFC 9112, 7.1, with what the body's reader tolerates: bare line feeds.
Expected decoded(std::string_view in)
{
    constexpr std::size_t kLongestLine = 16384;
    Expected out;
    std::size_t at = 0;
    const auto line = [&](std::string_view &text) {
        const std::size_t end = in.find('\n', at);
        if (end == std::string_view::npos || end - at >= kLongestLine)
            return false;
        text = in.substr(at, end - at);
        if (text.ends_with('\r'))
            text.remove_suffix(1);
        at = end + 1;
        return true;
    };
    for (std::string_view text; line(text);) {
        std::size_t digits = 0;
        while (digits < text.size() && isHex(text[digits]))
            ++digits;
        if (digits == 0 || (digits < text.size() && text.find_first_of("; \t") != digits))
            return out;
        const std::string number(text.substr(0, digits));
        const std::size_t first = number.find_first_not_of('0');
        if (first == std::string::npos) {
            for (int fields = 0; fields < 100 && line(text); ++fields) {
                if (text.empty()) {
                    out.whole = true;
                    out.end = at;
                    return out;
                }
            }
            return out;
        }
        if (digits - first > 16 || (digits - first == 16 && number[first] > '7'))
            return out; // no size of this world
        const std::size_t size = std::strtoull(number.c_str(), nullptr, 16);
        out.body += in.substr(at, size);
        if (size > in.size() - at)
            return out;
        at += size;
        if (!line(text) || !text.empty())
            return out;
    }
    return out;
}

std::string readBy(MessageBody &body, unsigned how)
{
    std::string out;
    if (how == 0) {
        for (int c = body.sbumpc(); c != MessageBody::traits_type::eof(); c = body.sbumpc())
            out += static_cast<char>(c);
        return out;
    }
    std::string buffer(how == 1 ? 7 : 100'000, '\0');
    while (true) {
        const auto size = static_cast<std::streamsize>(buffer.size());
        const auto got =
            how == 3 ? body.readSome(buffer.data(), size) : body.sgetn(buffer.data(), size);
        if (got <= 0)
            return out;
        out.append(buffer, 0, static_cast<std::size_t>(got));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size == 0 || size > 100'000) // more does not fit the connection
        return 0;
    const unsigned how = data[0] % 4U;
    const std::string_view in(reinterpret_cast<const char *>(data) + 1, size - 1);
    const Expected expected = decoded(in);
    Session session(connectionWith(in));
    MessageBody body(session, true, -1);
    const std::string read = readBy(body, how);
    require(read == expected.body);
    require(body.brokeOff() != expected.whole);
    require(!body.where("the body").empty());
    if (expected.whole) {
        // What comes behind the body is the next message's.
        std::string rest(in.size() + 1, '\0');
        std::size_t length = 0;
        while (true) {
            const int got = schema::transport::readRaw(
                session, rest.data() + length, static_cast<std::streamsize>(rest.size() - length));
            if (got <= 0)
                break;
            length += static_cast<std::size_t>(got);
        }
        require(std::string_view(rest).substr(0, length) == in.substr(expected.end));
    }
    return 0;
}
