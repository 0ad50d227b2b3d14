#pragma once
/// A job of `slipway run`: the executor of the worker in a process of its own, its deliveries as
/// events to the parent and files in a folder.

#include "worker/job/job_context.h"

#include <functional>
#include <memory>
#include <optional>

namespace worker {

struct LocalEvents
{
    std::function<void(const schema::protocol::RecordUpdate &update)> record;
    std::function<void(const std::string &recordId, std::string_view bytes)> log;
    /// A step failed and its job waits for goOn() (only with `WorkerOptions::onStepFailure` wanted
    /// by start()).
    std::function<void(const FailedStep &step)> failed;
    /// The run has another number from now on.
    std::function<void(const std::string &number)> renamed;
};

class LocalJob
{
public:
    /// Forks. The caller may hold no thread. Artifacts of the run are kept in `artifacts`. With
    /// `breakOnFailure` the job waits after a failed step until goOn(). Errors: LimitExceeded, Io.
    static Result<std::unique_ptr<LocalJob>> start(const schema::protocol::JobMessage &message,
                                                   const WorkerOptions &options,
                                                   const fs::path &artifacts,
                                                   bool breakOnFailure = false);
    ~LocalJob();

    /// Readable when read() has something to do.
    [[nodiscard]] int fd() const { return m_pipe.get(); }

    /// Takes what has arrived. False when the job has ended: see completion().
    bool read(const LocalEvents &events);
    /// A first request cancels, a second one kills.
    void cancel();
    /// Lets a job go on that waits after a failed step.
    void goOn();

    /// How it ended; Failed when its process died.
    [[nodiscard]] const schema::protocol::JobCompletion &completion() const { return m_completion; }

private:
    LocalJob() = default;

    int m_pid = -1;
    UniqueFd m_pipe, m_reply;
    void cleanUp() const;

    WorkerOptions m_options;
    std::string m_buffer, m_lookupId, m_jobId;
    schema::protocol::JobCompletion m_completion;
    bool m_canceled = false;
};

} // namespace worker
