#include "schema/transport/answer.h"

#include "schema/transport/raw_session.h"
#include "schema/transport/session.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <streambuf>
#include <utility>

namespace schema::transport {
namespace {

using Poco::Net::HTTPResponse;

constexpr std::size_t kBuffer = 32768;
/// A line of the chunked coding: a size with its extensions, or a field behind the last chunk.
constexpr std::size_t kLongestLine = 16384;
constexpr std::size_t kMostLines = 100; ///< behind the last chunk

} // namespace

class Answer::Body final : public std::streambuf
{
public:
    /// `length`: what the answer announced; negative: nothing.
    Body(Poco::Net::HTTPClientSession &session, bool chunked, std::int64_t length)
        : m_session(session)
        , m_chunked(chunked)
        , m_length(length)
    {}

    [[nodiscard]] bool brokeOff() const
    {
        return m_ended && (m_chunked ? !m_complete : m_count < m_length);
    }

    [[nodiscard]] std::string where() const
    {
        std::string text = "the answer breaks off after " + std::to_string(m_count);
        if (!m_chunked)
            text += " of " + std::to_string(m_length);
        text += " bytes";
        if (m_chunked && m_why.empty())
            text += ", before its last chunk";
        return m_why.empty() ? text : text + ": " + m_why;
    }

protected:
    int_type underflow() override
    {
        const auto count = fetch(m_buffer.data(), static_cast<std::streamsize>(m_buffer.size()));
        if (count <= 0)
            return traits_type::eof();
        setg(m_buffer.data(), m_buffer.data(), m_buffer.data() + count);
        return traits_type::to_int_type(m_buffer[0]);
    }

    /// Large reads go past the buffer.
    std::streamsize xsgetn(char *into, std::streamsize wanted) override
    {
        const auto kept = std::min<std::streamsize>(wanted, egptr() - gptr());
        std::copy_n(gptr(), kept, into);
        gbump(static_cast<int>(kept));
        auto done = kept;
        while (done < wanted) {
            const auto count = fetch(into + done, wanted - done);
            if (count <= 0)
                break;
            done += count;
        }
        return done;
    }

private:
    /// At least one byte, at most what can be had without waiting further; 0 at the end.
    std::streamsize fetch(char *into, std::streamsize wanted)
    {
        if (m_ended)
            return 0;
        std::streamsize count = 0;
        try {
            if (m_chunked && (m_chunk > 0 || nextChunk()))
                count = read(into, std::min<std::streamsize>(wanted, m_chunk));
            else if (!m_chunked && m_length >= 0)
                count = read(into, std::min<std::streamsize>(wanted, m_length - m_count));
            else if (!m_chunked)
                count = read(into, wanted);
        } catch (const Poco::Exception &error) {
            m_why = explain(error);
            count = 0;
        }
        m_ended = count <= 0;
        m_count += count;
        m_chunk -= m_chunked ? count : 0;
        return count;
    }

    /// The size of the next chunk; false at the last one, at the end of the connection and at what
    /// is no chunk.
    bool nextChunk()
    {
        std::string line;
        if (m_count > 0 && (!readLine(line) || !line.empty()))
            return false;
        if (!readLine(line))
            return false;
        const std::size_t digits =
            std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
        const auto [end, error] = std::from_chars(line.data(), line.data() + digits, m_chunk, 16);
        const bool more = digits < line.size() && line[digits] != ';' && line[digits] != ' ' &&
                          line[digits] != '\t';
        if (error != std::errc{} || end != line.data() + digits || more) {
            m_chunk = 0;
            m_why = "a chunk without a size";
            return false;
        }
        if (m_chunk > 0)
            return true;
        for (std::size_t fields = 0; fields < kMostLines && readLine(line); ++fields) {
            if (line.empty()) {
                m_complete = true;
                return false;
            }
        }
        return false;
    }

    /// False when the connection ends within the line.
    bool readLine(std::string &line)
    {
        line.clear();
        while (line.size() < kLongestLine) {
            char c = 0;
            if (read(&c, 1) <= 0)
                return false;
            if (c == '\n') {
                if (!line.empty() && line.back() == '\r')
                    line.pop_back();
                return true;
            }
            line += c;
        }
        m_why = "a line of its chunks is too long";
        return false;
    }

    /// Large pieces arrive where they are wanted.
    std::streamsize read(char *into, std::streamsize wanted)
    {
        if (wanted <= 0)
            return 0;
        if (m_rawBegin == m_rawEnd) {
            if (wanted >= static_cast<std::streamsize>(m_raw.size()))
                return readRaw(m_session, into, wanted);
            m_rawBegin = 0;
            m_rawEnd = static_cast<std::size_t>(std::max(
                0, readRaw(m_session, m_raw.data(), static_cast<std::streamsize>(m_raw.size()))));
        }
        const auto count =
            std::min<std::streamsize>(wanted, static_cast<std::streamsize>(m_rawEnd - m_rawBegin));
        std::copy_n(m_raw.data() + m_rawBegin, count, into);
        m_rawBegin += static_cast<std::size_t>(count);
        return count;
    }

    Poco::Net::HTTPClientSession &m_session;
    bool m_chunked;
    std::int64_t m_length, m_count = 0;
    std::int64_t m_chunk = 0; ///< bytes left of it
    bool m_ended = false, m_complete = false;
    std::string m_why;
    /// As they came, with the chunked coding in between; and what the reader sees.
    std::array<char, kBuffer> m_raw{}, m_buffer{};
    std::size_t m_rawBegin = 0, m_rawEnd = 0;
};

Answer::Answer(Poco::Net::HTTPClientSession &session)
    : m_head(std::make_unique<HTTPResponse>())
    , m_body(nullptr)
{
    session.receiveResponse(*m_head);
    const int status = m_head->getStatus();
    const bool bodiless = status < 200 || status == HTTPResponse::HTTP_NO_CONTENT ||
                          status == HTTPResponse::HTTP_NOT_MODIFIED;
    // The coding decides where there is both (RFC 9112, 6.3).
    const bool chunked = !bodiless && m_head->getChunkedTransferEncoding();
    std::int64_t length = -1;
    if (bodiless)
        length = 0;
    else if (m_head->hasContentLength())
        length = m_head->getContentLength64();
    m_source = std::make_unique<Body>(session, chunked, length);
    m_body.rdbuf(m_source.get());
}

Answer::~Answer() = default;

int Answer::status() const
{
    return static_cast<int>(m_head->getStatus());
}

const HTTPResponse &Answer::head() const
{
    return *m_head;
}

std::istream &Answer::body()
{
    return m_body;
}

bool Answer::brokeOff() const
{
    return m_source->brokeOff();
}

std::string Answer::whereItBroke() const
{
    return m_source->where();
}

std::string Answer::text(std::size_t limit)
{
    std::string text;
    std::array<char, kBuffer> buffer{};
    while (m_body && text.size() < limit) {
        const std::size_t wanted = std::min(buffer.size(), limit - text.size());
        m_body.read(buffer.data(), static_cast<std::streamsize>(wanted));
        text.append(buffer.data(), static_cast<std::size_t>(m_body.gcount()));
    }
    if (brokeOff())
        throw Poco::Net::MessageException(whereItBroke());
    return text;
}

} // namespace schema::transport
