#include "worker/local/local_job.h"

#include "worker/container/job_containers.h"
#include "worker/job/job_runner.h"
#include "worker/local/local_sink.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace worker {
namespace {

std::atomic<StopSignal *> g_stop{nullptr};

extern "C" void onLocalSignal(int /*number*/)
{
    if (StopSignal *stop = g_stop.load())
        stop->request(StopReason::Canceled);
}

/// Waits for the parent's word, or for a stop of the job.
void waitForReply(int reply, const StopSignal &stop)
{
    std::array<pollfd, 2> polled{{{reply, POLLIN, 0}, {stop.fd(), POLLIN, 0}}};
    while (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
    }
    char byte = 0;
    if (polled[0].revents != 0)
        static_cast<void>(::read(reply, &byte, 1) == 1); // an end of the pipe is an answer as well
}

[[noreturn]] void runChild(const schema::protocol::JobMessage &message,
                           const WorkerOptions &options, const fs::path &artifacts, int pipe,
                           int reply)
{
    ::setsid(); // Ctrl-C of the terminal is the parent's to hand on
    const int null = ::open("/dev/null", O_RDWR);
    if (null < 0)
        ::_exit(1);
    for (const int fd : {0, 1, 2})
        ::dup2(null, fd);
    // Both may stand where the other is to go: first out of the way.
    const int out = ::fcntl(pipe, F_DUPFD, 10);
    const int in = reply < 0 ? -1 : ::fcntl(reply, F_DUPFD, 10);
    ::dup2(out, 3);
    if (in >= 0)
        ::dup2(in, 4);
    ::close_range(in >= 0 ? 5 : 4, ~0U, 0);
    ::fcntl(4, F_SETFD, FD_CLOEXEC);
    StopSignal stop;
    g_stop.store(&stop);
    std::signal(SIGTERM, onLocalSignal);
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t none{};
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    LocalSink sink(UniqueFd(3), artifacts);
    WorkerOptions own = options;
    if (in >= 0) {
        own.onStepFailure = [&sink, &stop](const FailedStep &step) {
            sink.failed(step);
            waitForReply(4, stop);
        };
    }
    const auto completion = runJob(message, own, sink, stop);
    ::_exit(sink.complete(completion) ? 0 : 1);
}

} // namespace

Result<std::unique_ptr<LocalJob>> LocalJob::start(const schema::protocol::JobMessage &message,
                                                  const WorkerOptions &options,
                                                  const fs::path &artifacts, bool breakOnFailure)
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return systemError("open a pipe for", "a job", errno);
    std::unique_ptr<LocalJob> job(new LocalJob);
    job->m_pipe.reset(ends[0]);
    const UniqueFd writeEnd(ends[1]);
    UniqueFd replyEnd;
    if (breakOnFailure) {
        std::array<int, 2> reply{};
        if (::pipe2(reply.data(), O_CLOEXEC) != 0)
            return systemError("open a pipe for", "a job", errno);
        replyEnd.reset(reply[0]);
        job->m_reply.reset(reply[1]);
    }
    const pid_t pid = ::fork();
    if (pid < 0)
        return {ErrorCode::LimitExceeded,
                std::string("start a job process: ") + std::strerror(errno)};
    if (pid == 0)
        runChild(message, options, artifacts, ends[1], replyEnd.get());
    job->m_pid = pid;
    job->m_options = options;
    job->m_jobId = message.jobId;
    job->m_lookupId = processLookupId(message.jobId);
    job->m_completion = {
        schema::TaskResult::Failed, "the process of the job ended unexpectedly", {}};
    ::fcntl(job->m_pipe.get(), F_SETFL, O_NONBLOCK);
    return job;
}

LocalJob::~LocalJob()
{
    if (m_pid <= 0)
        return;
    ::kill(m_pid, SIGKILL);
    ::waitpid(m_pid, nullptr, 0);
    cleanUp();
}

/// After a kill this does what the job could not do itself.
void LocalJob::cleanUp() const
{
    endOrphans(m_lookupId, {});
    // Nobody is left to tell; the next run of the same job id does not exist.
    static_cast<void>(removeContainers(m_jobId, m_options));
    static_cast<void>(removeTree(m_options.work / "_temp" / m_jobId));
}

void LocalJob::cancel()
{
    if (m_pid > 0)
        ::kill(m_pid, m_canceled ? SIGKILL : SIGTERM);
    m_canceled = true;
}

void LocalJob::goOn()
{
    if (m_reply)
        static_cast<void>(writeAll(m_reply.get(), ".", "a job")); // a job that ended needs no word
}

bool LocalJob::read(const LocalEvents &events)
{
    std::array<char, 65536> chunk{};
    bool open = true;
    while (true) {
        const auto count = ::read(m_pipe.get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            break;
        if (count <= 0) {
            open = false;
            break;
        }
        m_buffer.append(chunk.data(), static_cast<std::size_t>(count));
        if (m_buffer.size() > (8U << 20U))
            break; // print first, read on later
    }
    std::size_t at = 0;
    while (m_buffer.size() - at >= 5) {
        std::uint32_t length = 0;
        std::memcpy(&length, m_buffer.data() + at + 1, sizeof length);
        if (m_buffer.size() - at - 5 < length)
            break;
        const char type = m_buffer[at];
        const std::string_view payload(m_buffer.data() + at + 5, length);
        at += 5 + length;
        if (type == 'L') {
            const auto end = payload.find('\n');
            if (events.log)
                events.log(std::string(payload.substr(0, end)), payload.substr(end + 1));
            continue;
        }
        const auto json = nlohmann::ordered_json::parse(payload, nullptr, false);
        if (type == 'F') {
            FailedStep step;
            step.name = json.value("name", "");
            step.folder = json.value("folder", "");
            step.container = json.value("container", "");
            for (const auto &entry : json.value("environment", nlohmann::ordered_json::array()))
                step.environment.emplace_back(entry.at(0), entry.at(1));
            if (events.failed)
                events.failed(step);
            goOn();
        } else if (type == 'N') {
            if (events.renamed)
                events.renamed(json.value("number", ""));
        } else if (type == 'R') {
            if (auto update = schema::protocol::recordUpdateFromJson(json); update && events.record)
                events.record(*update);
        } else if (auto completion = schema::protocol::jobCompletionFromJson(json)) {
            m_completion = std::move(*completion);
        }
    }
    m_buffer.erase(0, at);
    if (!open) {
        ::waitpid(m_pid, nullptr, 0);
        m_pid = -1;
        cleanUp();
    }
    return open;
}

} // namespace worker
