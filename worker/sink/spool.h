#pragma once
/// The folder of one job on this worker: its message and everything it made that the server may not
/// have yet. Written before it is sent, so that neither a lost server nor a killed process loses a
/// line; deleted when the server has all of it.
///
///   job.json       the job message, mode 0600
///   pid            "<pid> <start time>" of the process that runs the job
///   records.jsonl  record updates in order
///   logs/<id>      log bytes of one record, append only
///   completion.json  how the job ended
///   done           the server knows the end (or gave the job up)

#include "schema/protocol/messages.h"
#include "worker/base/files.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace worker {

class Spool
{
public:
    explicit Spool(fs::path folder);

    /// Makes the folder and writes the message. Errors: Io, LimitExceeded (no disk space).
    static Status create(const fs::path &folder, const schema::protocol::JobMessage &message);

    [[nodiscard]] const fs::path &folder() const { return m_folder; }

    Result<schema::protocol::JobMessage> readMessage() const;

    /// Appends; the caller's thread only.
    Status appendRecord(const schema::protocol::RecordUpdate &update);
    Status appendLog(const std::string &recordId, std::string_view bytes);
    /// The server has the first `length` bytes: gives their room on the disk back where the file
    /// system can do that. Offsets stay what they are. Any thread.
    void forgetLog(const std::string &recordId, std::uint64_t length) const;

    /// Every record update so far; a line cut off by a crash is left out.
    Result<std::vector<schema::protocol::RecordUpdate>> readRecords() const;
    /// Record ids that have a log.
    std::vector<std::string> logIds() const;
    /// Bytes of a log; 0 when it has none.
    [[nodiscard]] std::uint64_t logLength(const std::string &recordId) const;
    /// Up to `limit` bytes of a log from `offset` on; empty at the end. Any thread.
    Result<std::string> readLog(const std::string &recordId, std::uint64_t offset,
                                std::size_t limit) const;

    Status writeCompletion(const schema::protocol::JobCompletion &completion);
    std::optional<schema::protocol::JobCompletion> readCompletion() const;
    Status markDone();
    [[nodiscard]] bool isDone() const;

    /// Remembers the calling process as the one that runs the job.
    Status writePid() const;
    /// The remembered process if it still lives (not another one with the same number), else 0.
    [[nodiscard]] int livingPid() const;

private:
    fs::path m_folder;
    UniqueFd m_records;
    std::map<std::string, UniqueFd> m_logs;
};

} // namespace worker
