#pragma once
/// Messages of the language server protocol as bytes: headers, an empty line, then as many bytes as
/// Content-Length says.

#include <optional>
#include <string>
#include <string_view>

namespace cli::language_server {

/// Takes a stream apart. Bounded: keeps at most one message and its headers.
class FrameReader
{
public:
    static constexpr std::size_t kMaxHeaderBytes = 8U << 10U;
    static constexpr std::size_t kMaxContentBytes = 32U << 20U;

    void feed(std::string_view bytes) { m_buffer += bytes; }

    /// The next whole message, or nothing. Once the stream is broken nothing comes any more.
    std::optional<std::string> next();

    /// Why the stream cannot be read further: without a length nobody knows where the next message
    /// begins. Empty: all is well.
    [[nodiscard]] const std::string &error() const { return m_error; }

private:
    std::string m_buffer;
    std::string m_error;
};

/// The bytes of one message.
std::string frame(std::string_view content);

} // namespace cli::language_server
