#pragma once
/// The folders of a job (worker-and-tasks 1.3).

#include "worker/base/files.h"

#include <string>

namespace worker {

struct JobLayout
{
    fs::path work;        ///< <work>
    fs::path workspace;   ///< <work>/<n>, Pipeline.Workspace
    fs::path sources;     ///< <work>/<n>/s
    fs::path staging;     ///< <work>/<n>/a
    fs::path binaries;    ///< <work>/<n>/b
    fs::path testResults; ///< <work>/<n>/TestResults
    fs::path temp;        ///< this job's own folder below <work>/_temp; emptied at both ends
    fs::path tools;       ///< <work>/_tool
};

/// Gives the pipeline its numbered folder: the same pipeline and job slot get the same number every
/// time, so that incremental builds work; two jobs at the same time never share one. The choice is
/// held by a lock file until the process ends. Errors: Io, PermissionDenied, LimitExceeded.
struct Workspace
{
    JobLayout layout;
    UniqueFd lock;
};

/// `key` names what a folder may be reused for ("project/pipeline"); `jobId` names the temp folder.
Result<Workspace> takeWorkspace(const fs::path &work, const std::string &key,
                                const std::string &jobId);

/// Makes the folders: `a` and `TestResults` anew, others as `clean` ("", "outputs", "resources",
/// "all") says.
Status prepareLayout(const JobLayout &layout, const std::string &clean);

/// Fails with a clear message when the file system has less room than a job can start with.
Status checkDiskSpace(const fs::path &path);

} // namespace worker
