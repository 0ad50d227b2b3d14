#pragma once
/// The process of one job: started by fork (no program start, so that the first command runs within
/// milliseconds), lives in its own session, outlives the listener.

#include "worker/job/job_context.h"
#include "worker/sink/spool.h"

namespace worker {

enum class JobProcessMode : std::uint8_t {
    Run,    ///< run the job
    Deliver ///< its process died: clean up after it, deliver what it left, report it failed
};

/// Body of the job process: `message` is that of the folder, which is read when it is null; runs or
/// delivers the job of the folder until the server knows its end. SIGTERM cancels the job, SIGUSR1
/// says that the server gave it up. Returns the exit status.
int runJobProcess(const fs::path &folder, const WorkerOptions &options, JobProcessMode mode,
                  const schema::protocol::JobMessage *message = nullptr);

/// Makes room for what job processes say of themselves: `_diag/jobs.log` below the work folder, and
/// one older file beside it. Once, before the first job; without it they say nothing.
void prepareJobLog(const fs::path &work);

/// Starts a job process. The caller may hold no thread. Returns its pid. Errors: LimitExceeded,
/// Internal.
Result<int> startJobProcess(const fs::path &folder, const WorkerOptions &options,
                            JobProcessMode mode,
                            const schema::protocol::JobMessage *message = nullptr);

/// Whether a process that was started for this folder lives: true from before its fork on, so also
/// while it has not written its number yet.
bool isJobProcessAlive(const fs::path &folder);

} // namespace worker
