#include "worker/listener/job_process.h"

#include "schema/tasks/task_definition.h"
#include "worker/container/job_containers.h"
#include "worker/job/job_runner.h"
#include "worker/sink/server_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <unistd.h>

namespace worker {
namespace {

using schema::TaskResult;

/// The stop signal of this process's job; signal handlers know nothing else.
std::atomic<StopSignal *> g_stop{nullptr};

extern "C" void onJobSignal(int number)
{
    if (StopSignal *stop = g_stop.load())
        stop->request(number == SIGUSR1 ? StopReason::LeaseLost : StopReason::Canceled);
}

void installSignals(StopSignal &stop)
{
    g_stop.store(&stop);
    struct sigaction action{};
    action.sa_handler = onJobSignal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGUSR1, &action, nullptr);
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGHUP, &action, nullptr);
    sigset_t none{};
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The file descriptor of Spool::lockFile in the job's process. Steps do not inherit it.
constexpr int kLockFd = 3;
/// Below the work folder: what job processes themselves have to say, not their steps.
constexpr const char *kLogFile = "_diag/jobs.log";
constexpr std::uintmax_t kMostLogBytes = 1U << 20U;

constexpr const char *kKilled = "The process that ran this job on worker ended unexpectedly "
                                "(killed, or the machine ran out of memory). What its steps had "
                                "printed is above; run the job again.";

/// A process that cannot note its number in the job's folder does not begin.
std::string notBegun(const fs::path &folder)
{
    return "No command of this job ran: its process could not write to '" + folder.string() +
           "' on the worker (no disk space?). See that there is free space, and run the job again.";
}

/// What the crashed process would have said itself; `text`: how it ended.
schema::protocol::JobCompletion afterCrash(const Spool::Left &left,
                                           const schema::protocol::JobMessage &message,
                                           JobSink &sink, const std::string &text)
{
    if (left.completion)
        return *left.completion;
    std::map<std::string, schema::protocol::RecordUpdate> last;
    for (const auto &update : left.records) {
        auto &kept = last[update.id];
        kept.id = update.id;
        kept.parentId = update.parentId;
        kept.type = update.type;
        kept.sequence = update.sequence;
        if (update.state)
            kept.state = update.state;
    }
    for (auto &[id, update] : last) {
        if (update.state == schema::RecordState::Completed)
            continue;
        ++update.sequence;
        update.state = schema::RecordState::Completed;
        update.result = TaskResult::Failed;
        update.finishTime = schema::wallClockNow();
        sink.record(update);
    }
    sink.log(message.recordId, logTimestamp() + " ##[error]" + text + "\n");
    return {TaskResult::Failed, text, {}};
}

} // namespace

int runJobProcess(const fs::path &folder, const WorkerOptions &options, JobProcessMode mode,
                  const schema::protocol::JobMessage *given)
{
    Spool spool(folder);
    StopSignal stop;
    installSignals(stop);
    const auto report = [&folder](const schema::Error &error) {
        std::fprintf(stderr, "job %s: %s\n", folder.filename().c_str(), error.message.c_str());
    };
    const bool begun = mode == JobProcessMode::Run || spool.hasBegun();
    if (auto status = spool.writePid(); !status) {
        report(status.error());
        // Nothing has begun, and after a restart of the worker nobody would find this process.
        if (mode == JobProcessMode::Run)
            return 1;
    }
    const auto message =
        given != nullptr ? Result<schema::protocol::JobMessage>(*given) : spool.readMessage();
    if (!message) {
        report(message.error());
        return 1;
    }
    auto sink = ServerSink::create(spool, *message, stop, options.authorityFile);
    if (!sink) {
        report(sink.error());
        return 1;
    }
    schema::protocol::JobCompletion completion;
    if (mode == JobProcessMode::Run) {
        completion = runJob(*message, options, **sink, stop);
    } else {
        endOrphans(processLookupId(message->jobId), {});
        if (auto status = removeContainers(message->jobId, options); !status)
            report(status.error());
        static_cast<void>(removeTree(options.work / "_temp" / message->jobId));
        auto left = spool.readLeft();
        if (!left)
            report(left.error());
        const Spool::Left known = left ? std::move(*left) : Spool::Left();
        (*sink)->adopt(known);
        completion =
            afterCrash(known, *message, **sink, begun ? kKilled : notBegun(spool.folder()));
    }
    if (stop.reason() == StopReason::LeaseLost)
        endOrphans(processLookupId(message->jobId), {});
    const Status delivered = (*sink)->complete(completion);
    if (!delivered)
        report(delivered.error());
    // A full disk keeps the completion from being written, not from being sent next time.
    if (!delivered && delivered.error().code == ErrorCode::LimitExceeded)
        return 1;
    if (auto status = spool.markDone(); !status)
        report(status.error());
    g_stop.store(nullptr);
    return 0;
}

void prepareJobLog(const fs::path &work)
{
    const fs::path path = work / kLogFile;
    static_cast<void>(makeDirectories(path.parent_path()));
    std::error_code error;
    if (const auto size = fs::file_size(path, error); !error && size > kMostLogBytes)
        fs::rename(path, path.string() + ".old", error);
}

Result<int> startJobProcess(const fs::path &folder, const WorkerOptions &options,
                            JobProcessMode mode, const schema::protocol::JobMessage *message)
{
    // Taken before the fork: a worker that dies between it and the first words of the new process
    // leaves no moment in which that one lives unknown.
    const UniqueFd lock(
        ::open(Spool::lockFile(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock)
        static_cast<void>(::flock(lock.get(), LOCK_EX | LOCK_NB));
    // Made here once, it is there in every job's process.
    static_cast<void>(schema::builtInTaskCatalogue());
    const pid_t pid = ::fork();
    if (pid < 0)
        return {ErrorCode::LimitExceeded,
                std::string("start a job process: ") + std::strerror(errno)};
    if (pid > 0)
        return static_cast<int>(pid);
    ::setsid();
    // Deliveries are megabytes, one after the other: given back to the kernel each time, every page
    // of them costs a fault.
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 32 << 20);
    ::mallopt(M_ARENA_MAX, 1);
    const int null = ::open("/dev/null", O_RDONLY);
    const int log = ::open((options.work / kLogFile).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (null >= 0)
        ::dup2(null, 0);
    if (log >= 0) {
        ::dup2(log, 1);
        ::dup2(log, 2);
    }
    if (lock && lock.get() != kLockFd)
        ::dup3(lock.get(), kLockFd, O_CLOEXEC);
    ::close_range(lock ? kLockFd + 1 : kLockFd, ~0U, 0);
    const int status = runJobProcess(folder, options, mode, message);
    // No destructors and no exit handlers of the listener's world.
    ::_exit(status);
}

bool isJobProcessAlive(const fs::path &folder)
{
    const UniqueFd lock(::open(Spool::lockFile(folder).c_str(), O_RDWR | O_CLOEXEC));
    return lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

} // namespace worker
