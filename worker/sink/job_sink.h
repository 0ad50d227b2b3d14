#pragma once
/// Where a running job delivers what it makes: to the server (server_sink.h) or to this machine
/// (local_sink.h). The executor knows nothing else of the outside.

#include "schema/protocol/job_resources.h"
#include "schema/protocol/messages.h"
#include "worker/base/files.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace worker {

struct ArtifactInfo
{
    std::string name;
    std::uint64_t size = 0; ///< bytes as delivered
    std::uint64_t files = 0;
};

/// What a task needs to fetch a secure file itself (worker-and-tasks 2.2).
struct SecureFileTicket
{
    std::string id, name;
    std::string ticket; ///< secret; good for this job and this file only
};

/// Called from the job's thread only. Deliveries without a result are queued and never lost while
/// the job's folder exists; the others return when the receiver has the thing on disk.
class JobSink
{
public:
    virtual ~JobSink() = default;

    virtual void record(const schema::protocol::RecordUpdate &update) = 0;
    /// Log bytes, masked and stamped, for the log of the record.
    virtual void log(const std::string &recordId, std::string_view bytes) = 0;
    /// Nothing more for now: make what was logged visible.
    virtual void flush() = 0;

    /// Returns once the receiver has said that this job is still ours: before the first command of
    /// a job, because an offer that came late may have gone to another worker meanwhile. Waits
    /// while the receiver does not answer. Errors: Canceled (given up or canceled meanwhile) and
    /// what the receiver answers.
    virtual Status confirm() { return {}; }

    /// Publishes a file or folder. Errors: NotFound, AlreadyExists, Io, LimitExceeded, Unavailable.
    virtual Result<ArtifactInfo> publishArtifact(const std::string &name, const fs::path &path) = 0;
    /// Names of the run's artifacts.
    virtual Result<std::vector<std::string>> artifacts() = 0;
    /// Unpacks an artifact into `target`; `wanted(relative path)` chooses files. Errors: NotFound,
    /// Io, InvalidArgument (a path that leaves the target), Unavailable.
    virtual Result<ArtifactInfo>
    downloadArtifact(const std::string &name, const fs::path &target,
                     const std::function<bool(const std::string &path)> &wanted) = 0;
    virtual Status publishTestRun(const schema::protocol::TestRunUpload &run) = 0;
    virtual Status publishCoverage(const schema::protocol::CoverageUpload &coverage) = 0;
    virtual Status publishImage(const schema::protocol::PushedImage &image) = 0;
    virtual Status publishDeployed(const std::vector<schema::protocol::DeployedItem> &items) = 0;

    /// Another run of the project, for its artifacts. Errors: NotFound (says what was looked for),
    /// Unavailable (this machine knows no other runs).
    virtual Result<schema::protocol::RunFound> findRun(const schema::protocol::RunQuery &)
    {
        return {ErrorCode::Unavailable,
                "artifacts of other runs are on the server, and this job runs without one"};
    }

    /// Names of the artifacts of a run that findRun gave. Errors as above.
    virtual Result<std::vector<std::string>> artifactsOf(std::int64_t runId)
    {
        return {ErrorCode::Unavailable, "there is no run " + std::to_string(runId)};
    }

    /// As downloadArtifact, of such a run.
    virtual Result<ArtifactInfo>
    downloadArtifactOf(std::int64_t runId, const std::string & /*name*/,
                       const fs::path & /*target*/,
                       const std::function<bool(const std::string &path)> & /*wanted*/)
    {
        return {ErrorCode::Unavailable, "there is no run " + std::to_string(runId)};
    }

    /// Writes a secure file of the project to `target` (mode 0600). Errors: NotFound (no such file,
    /// or not for this pipeline), Unavailable, Io.
    virtual Status secureFile(const std::string &name, const fs::path & /*target*/)
    {
        return {ErrorCode::Unavailable,
                "the secure file '" + name + "' is on the server, and this job runs without one"};
    }

    /// A ticket for a secure file by name or id. Errors: as secureFile.
    virtual Result<SecureFileTicket> secureFileTicket(const std::string &nameOrId)
    {
        return {ErrorCode::Unavailable, "the secure file '" + nameOrId +
                                            "' is on the server, and this job runs without one"};
    }

    /// A file attached to a record. Errors: NotFound when the receiver takes no attachments.
    virtual Status attach(const std::string &recordId, const std::string &type,
                          const std::string &name, const fs::path &path) = 0;
    /// Tags and number of the run. Errors: as attach.
    virtual Status updateRun(const std::vector<std::string> &addTags,
                             const std::string &runNumber) = 0;

    /// An error once deliveries can not be kept any more (disk full): the job then fails with it.
    [[nodiscard]] virtual Status health() const { return {}; }

    /// Delivers everything queued and then the end of the job. The last call.
    virtual Status complete(const schema::protocol::JobCompletion &completion) = 0;
};

} // namespace worker
