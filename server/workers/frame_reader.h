#pragma once
/// The receiving half of a server-side WebSocket (RFC 6455), without sockets: bytes in, whole
/// messages out. Bounded: a message is at most as long as the limit, whatever the peer sends.

#include "schema/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace server::workers {

enum class Opcode : std::uint8_t {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10
};

struct Message
{
    Opcode opcode = Opcode::Text; ///< Text, Binary, Close, Ping or Pong
    std::string payload;
};

/// One per connection; not thread-safe.
class FrameReader
{
public:
    explicit FrameReader(std::size_t limit)
        : m_limit(limit)
    {}

    /// Takes bytes as they came; adds the messages that are whole now. Errors: InvalidArgument
    /// (breach of the protocol: unmasked frame, reserved bits, bad fragmentation, oversized control
    /// frame), LimitExceeded; the connection must be closed then.
    schema::Status feed(std::string_view bytes, std::vector<Message> &messages);

private:
    schema::Result<bool> next(std::vector<Message> &messages);

    std::size_t m_limit;
    std::string m_buffer;
    std::size_t m_used = 0; ///< bytes of m_buffer already taken
    std::string m_fragments;
    bool m_fragmented = false;
    Opcode m_fragmentedAs = Opcode::Text;
};

/// A server's frame: final, unmasked.
std::string encodeFrame(Opcode opcode, std::string_view payload);
/// A close frame with status and reason (cut to what a control frame holds).
std::string encodeClose(std::uint16_t status, std::string_view reason);

} // namespace server::workers
