#pragma once
/// What every body that arrives piece by piece has in common: a buffer in front of `fetch`.

#include <algorithm>
#include <array>
#include <streambuf>

namespace schema::transport {

/// One thread uses it.
class ArrivingBody : public std::streambuf
{
public:
    /// At least one byte, at most what can be had without waiting further; 0 at the end. Throws as
    /// `fetch` does.
    std::streamsize readSome(char *into, std::streamsize wanted)
    {
        const auto kept = takeKept(into, wanted);
        return kept > 0 ? kept : fetch(into, wanted);
    }

protected:
    /// Past the buffer, which is empty: as readSome. May throw, which leaves a stream that reads
    /// this in state bad().
    virtual std::streamsize fetch(char *into, std::streamsize wanted) = 0;

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
        auto done = takeKept(into, wanted);
        while (done < wanted) {
            const auto count = fetch(into + done, wanted - done);
            if (count <= 0)
                break;
            done += count;
        }
        return done;
    }

private:
    std::streamsize takeKept(char *into, std::streamsize wanted)
    {
        const auto kept = std::min<std::streamsize>(wanted, egptr() - gptr());
        std::copy_n(gptr(), kept, into);
        gbump(static_cast<int>(kept));
        return kept;
    }

    std::array<char, 32768> m_buffer{};
};

} // namespace schema::transport
