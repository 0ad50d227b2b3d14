#include "worker/job/step_log.h"

#include <fmt/format.h>

#include <ctime>
#include <iterator>

namespace worker {
namespace {

constexpr std::size_t kBufferBytes = 1U << 16U;

/// Appends the stamp; the part down to the second changes rarely and is kept.
void appendTimestamp(std::string &out)
{
    struct Cached
    {
        std::time_t second = -1;
        std::string text;
    };

    static thread_local Cached cached;
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != cached.second) {
        std::tm utc{};
        ::gmtime_r(&now.tv_sec, &utc);
        cached.second = now.tv_sec;
        cached.text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", utc.tm_year + 1900,
                                  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    }
    out += cached.text;
    auto fraction = static_cast<unsigned long>(now.tv_nsec / 100);
    char digits[8];
    for (int i = 6; i >= 0; --i) {
        digits[i] = static_cast<char>('0' + fraction % 10);
        fraction /= 10;
    }
    digits[7] = 'Z';
    out.append(digits, sizeof digits);
}

} // namespace

std::string logTimestamp()
{
    std::string out;
    appendTimestamp(out);
    return out;
}

StepLog::StepLog(JobSink &sink, const Masker &masker, std::string recordId, std::string jobRecordId)
    : m_sink(sink)
    , m_recordId(std::move(recordId))
    , m_jobRecordId(std::move(jobRecordId))
    , m_stream(masker)
{}

StepLog::~StepLog()
{
    if (m_inLine)
        endLine();
    flush();
}

void StepLog::begin()
{
    appendTimestamp(m_buffer);
    m_buffer += ' ';
    m_inLine = true;
}

void StepLog::write(std::string_view text)
{
    if (m_inLine)
        endLine();
    while (true) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        writePiece(line);
        endLine();
        if (end == std::string_view::npos)
            return;
        text.remove_prefix(end + 1);
    }
}

void StepLog::writePiece(std::string_view bytes)
{
    if (!m_inLine) {
        m_stream.finish(m_buffer); // takes secrets that were registered since the last line
        begin();
    }
    m_stream.feed(bytes, m_buffer);
    if (m_buffer.size() >= kBufferBytes)
        flush();
}

void StepLog::endLine()
{
    m_stream.finish(m_buffer);
    m_buffer += '\n';
    m_inLine = false;
    ++m_lines;
    if (m_buffer.size() >= kBufferBytes)
        flush();
}

void StepLog::flush()
{
    if (m_buffer.empty())
        return;
    m_sink.log(m_recordId, m_buffer);
    if (!m_jobRecordId.empty())
        m_sink.log(m_jobRecordId, m_buffer);
    m_buffer.clear();
}

} // namespace worker
