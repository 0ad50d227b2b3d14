#include "server/workers/frame_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace server::workers {
namespace {

using schema::Error;
using schema::ErrorCode;

constexpr std::size_t kMaxControlPayload = 125;

std::uint64_t bigEndian(std::string_view bytes)
{
    std::uint64_t value = 0;
    for (const char c : bytes)
        value = value << 8U | static_cast<unsigned char>(c);
    return value;
}

} // namespace

schema::Status FrameReader::feed(std::string_view bytes, std::vector<Message> &messages)
{
    m_buffer.append(bytes);
    while (true) {
        ASSIGN_OR_RETURN(const bool more, next(messages));
        if (!more)
            break;
    }
    if (m_used > 0) {
        m_buffer.erase(0, m_used);
        m_used = 0;
    }
    if (m_buffer.empty() && m_buffer.capacity() > 16U << 10U)
        std::string().swap(m_buffer); // an idle connection keeps no memory of a large message
    return {};
}

schema::Result<bool> FrameReader::next(std::vector<Message> &messages)
{
    const std::string_view rest = std::string_view(m_buffer).substr(m_used);
    if (rest.size() < 2)
        return false;
    const auto first = static_cast<unsigned char>(rest[0]);
    const auto second = static_cast<unsigned char>(rest[1]);
    const bool final = (first & 0x80U) != 0;
    const auto opcode = static_cast<Opcode>(first & 0x0fU);
    const bool control = (first & 0x08U) != 0;
    if ((first & 0x70U) != 0)
        return Error{ErrorCode::InvalidArgument,
                     "reserved bits are set, but no extension was agreed on"};
    if ((second & 0x80U) == 0)
        return Error{ErrorCode::InvalidArgument, "a client's frame must be masked"};
    if (opcode != Opcode::Continuation && opcode != Opcode::Text && opcode != Opcode::Binary &&
        opcode != Opcode::Close && opcode != Opcode::Ping && opcode != Opcode::Pong)
        return Error{ErrorCode::InvalidArgument,
                     fmt::format("opcode {} is unknown", first & 0x0fU)};

    std::size_t header = 2;
    std::uint64_t length = second & 0x7fU;
    const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (extended > 0) {
        if (rest.size() < header + extended)
            return false;
        length = bigEndian(rest.substr(header, extended));
        header += extended;
    }
    if (control && (!final || length > kMaxControlPayload))
        return Error{ErrorCode::InvalidArgument,
                     "a control frame must be whole and at most 125 bytes long"};
    // Checked before the bytes come: a length alone must not make anybody allocate.
    if (length > m_limit || m_fragments.size() + length > m_limit)
        return Error{ErrorCode::LimitExceeded,
                     fmt::format("a message may have {} bytes at most", m_limit)};
    header += 4;
    if (rest.size() < header + length)
        return false;
    const std::string_view mask = rest.substr(header - 4, 4);
    std::string payload(rest.substr(header, static_cast<std::size_t>(length)));
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    m_used += header + static_cast<std::size_t>(length);

    if (control) {
        messages.push_back({opcode, std::move(payload)});
        return true;
    }
    if ((opcode == Opcode::Continuation) != m_fragmented)
        return Error{ErrorCode::InvalidArgument, m_fragmented ? "a new message began inside another"
                                                              : "a continuation of nothing"};
    if (opcode != Opcode::Continuation)
        m_fragmentedAs = opcode;
    m_fragmented = !final;
    if (m_fragments.empty())
        m_fragments = std::move(payload);
    else
        m_fragments += payload;
    if (final)
        messages.push_back({m_fragmentedAs, std::exchange(m_fragments, {})});
    return true;
}

std::string encodeFrame(Opcode opcode, std::string_view payload)
{
    std::string frame;
    frame.reserve(payload.size() + 10);
    frame += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
    if (payload.size() < 126) {
        frame += static_cast<char>(payload.size());
    } else {
        const int bytes = payload.size() < 65536 ? 2 : 8;
        frame += static_cast<char>(bytes == 2 ? 126 : 127);
        for (int i = bytes - 1; i >= 0; --i)
            frame += static_cast<char>(payload.size() >> (8U * static_cast<unsigned>(i)) & 0xffU);
    }
    frame += payload;
    return frame;
}

std::string encodeClose(std::uint16_t status, std::string_view reason)
{
    std::string payload{static_cast<char>(status >> 8U), static_cast<char>(status & 0xffU)};
    payload += reason.substr(0, kMaxControlPayload - 2);
    return encodeFrame(Opcode::Close, payload);
}

} // namespace server::workers
