#pragma once
/// The folder of one job on this worker: its message and everything it made that the server may not
/// have yet. Written before it is sent, so that neither a lost server nor a killed process loses a
/// line; deleted when the server has all of it.
///
///   job.json   the job message, mode 0600; gone once the server knows the end (or gave the job up)
///   pid        "<pid> <start time>" of the process that runs the job, which holds a lock on it
///   journal    record updates, the beginning of each log and how the job ended, in order
///   log-<id>   the bytes of one record's log that came after those in the journal
///
/// Few files on purpose: most jobs make the first three only.

#include "schema/protocol/messages.h"
#include "worker/base/files.h"

#include <map>
#include <mutex>
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
    /// Deletes the folder, the message first: what a kill leaves of it is nobody's job.
    static Status remove(const fs::path &folder);

    [[nodiscard]] const fs::path &folder() const { return m_folder; }

    Result<schema::protocol::JobMessage> readMessage() const;

    /// Appends; the job's thread only. Errors: Io, LimitExceeded (nothing is written then).
    Status appendRecord(const schema::protocol::RecordUpdate &update);
    Status appendLog(const std::string &recordId, std::string_view bytes);
    /// The server has the first `length` bytes: gives their room on the disk back where the file
    /// system can do that. Offsets stay what they are. Any thread.
    void forgetLog(const std::string &recordId, std::uint64_t length) const;
    Status writeCompletion(const schema::protocol::JobCompletion &completion);

    /// What an earlier process of this job left. What a crash cut off is left out.
    struct Left
    {
        std::vector<schema::protocol::RecordUpdate> records; ///< every update, in order
        std::vector<std::string> logIds;                     ///< records that have a log
        std::optional<schema::protocol::JobCompletion> completion;
    };

    /// Before the first append, by the process that takes the job over. Errors: Io.
    Result<Left> readLeft();
    /// Bytes of a log; 0 when it has none.
    [[nodiscard]] std::uint64_t logLength(const std::string &recordId) const;
    /// Up to `limit` bytes of a log from `offset` on; empty at the end. Any thread.
    Result<std::string> readLog(const std::string &recordId, std::uint64_t offset,
                                std::size_t limit) const;

    Status markDone();
    [[nodiscard]] bool isDone() const;

    /// The file that the process of a job locks for as long as it lives.
    [[nodiscard]] static fs::path lockFile(const fs::path &folder);
    /// Remembers the calling process as the one that runs the job.
    Status writePid() const;
    /// Some process has run this job, living or not.
    [[nodiscard]] bool hasBegun() const;
    /// The remembered process if it still lives (not another one with the same number), else 0.
    [[nodiscard]] int livingPid() const;

private:
    Status append(const std::string &frame);
    Status openJournal();
    [[nodiscard]] fs::path logFile(const std::string &recordId) const;

    /// The bytes of a log that stand in the journal.
    struct Head
    {
        std::string bytes;
        bool closed = false; ///< whatever comes goes into the file
    };

    fs::path m_folder;
    UniqueFd m_journal;
    std::uint64_t m_journalLength = 0; ///< whole frames
    std::map<std::string, UniqueFd> m_files;
    mutable std::mutex m_mutex; ///< guards the rest
    std::map<std::string, Head> m_heads;
    std::size_t m_headBytes = 0; ///< of all logs
};

} // namespace worker
