#pragma once
/// The log of one record: every line is masked, then stamped with the time, then handed to the sink
/// for the record's log and the job's (worker-and-tasks 7.8).

#include "worker/mask/masker.h"
#include "worker/sink/job_sink.h"

#include <string>
#include <string_view>

namespace worker {

/// "2026-11-21T05:26:26.1234567Z" of now.
std::string logTimestamp();

class StepLog
{
public:
    /// `jobRecordId` empty: lines go to `recordId` only. Keeps references.
    StepLog(JobSink &sink, const Masker &masker, std::string recordId, std::string jobRecordId);
    ~StepLog();
    StepLog(const StepLog &) = delete;
    StepLog &operator=(const StepLog &) = delete;

    /// One line or several (split at LF), without the last line end.
    void write(std::string_view text);
    /// A piece of a line that is too long to hold; endLine() ends it.
    void writePiece(std::string_view bytes);
    void endLine();
    /// Hands on what is buffered.
    void flush();

    [[nodiscard]] std::uint64_t lineCount() const { return m_lines; }

private:
    void begin();

    JobSink &m_sink;
    std::string m_recordId, m_jobRecordId;
    MaskStream m_stream;
    std::string m_buffer;
    std::uint64_t m_lines = 0;
    bool m_inLine = false;
};

} // namespace worker
