#include "worker/listener/listener.h"

#include "worker/base/memory.h"
#include "worker/base/text.h"
#include "worker/job/disk_quota.h"
#include "worker/listener/address.h"
#include "worker/listener/channel.h"
#include "worker/listener/job_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace worker {
namespace {

using namespace std::chrono_literals;
namespace protocol = schema::protocol;

constexpr auto kFirstReconnect = 100ms;
constexpr auto kLongestReconnect = 30'000ms;
constexpr auto kPingAfter = 20s;
constexpr auto kDropAfter = 60s;
/// What a new job process needs at most to write its number, on a machine with too much to do.
constexpr auto kBeginsWithin = 10s;
/// How often the work folder is asked for its room, and a work folder over its quota is cleaned.
constexpr auto kDiskLook = 5s;
constexpr auto kQuotaLook = 60s;
/// Times a dead job's remains are tried to be delivered by a new process.
constexpr int kMaxDeliveries = 3;

struct RunningJob
{
    fs::path folder;
    int pid = 0;
    UniqueFd pidfd;
    int deliveries = 0;
    bool leaseLost = false;
    bool again = false; ///< said already that it could not be delivered
};

class Listener
{
public:
    Listener(ListenerOptions options, std::function<void(const std::string &)> say)
        : m_options(std::move(options))
        , m_say(std::move(say))
    {}

    Status run();

private:
    Status start();
    Status ensureRegistered();
    void attachToRunningJobs();
    void connect(Clock::time_point now);
    void disconnect(const std::string &why);
    void onFrame(protocol::ServerFrame frame);
    void onOffer(protocol::JobOffer offer);
    void startJob(const protocol::JobMessage &message);
    void startWaiting();
    void onJobEnded(const std::string &jobId);
    void onSignal();
    void watch(const std::string &jobId, RunningJob job, int pid);
    void sendFrame(const protocol::WorkerFrame &frame);
    void onTimers(Clock::time_point now);
    /// Notes whether there is room for a job, and tells the server when that has changed.
    void lookAtDisk(Clock::time_point now);
    /// What could not be delivered, because the disk was full say, is tried again while there is
    /// room.
    void deliverAgain();
    [[nodiscard]] int pollTimeout(Clock::time_point now) const;
    void pollOnce();

    [[nodiscard]] bool finished() const
    {
        return (m_draining && m_jobs.empty()) || m_fatal.has_value();
    }

    fs::path jobFolder(const std::string &jobId) const
    {
        return m_options.worker.work / "_jobs" / jobId;
    }

    ListenerOptions m_options;
    std::function<void(const std::string &)> m_say;
    UniqueFd m_lock, m_signals;
    Identity m_identity;
    std::vector<protocol::Capability> m_capabilities;
    std::unique_ptr<Channel> m_channel;
    std::map<std::string, RunningJob> m_jobs;
    std::map<std::string, fs::path> m_undelivered; ///< folders of jobs without a process
    /// Offers for slots whose job has ended, but whose process has not yet.
    std::vector<protocol::JobOffer> m_waiting;
    std::chrono::milliseconds m_reconnectPause = kFirstReconnect;
    Clock::time_point m_nextConnect{}, m_nextRenew{}, m_lastHeard{}, m_lastPing{};
    Clock::time_point m_nextDiskLook{}, m_nextQuotaLook{};
    std::string m_unavailable; ///< why no job is taken; empty: they are
    std::chrono::seconds m_renewEvery{protocol::kLeaseSeconds / 3};
    bool m_draining = false, m_canceling = false, m_saidUnreachable = false;
    std::optional<schema::Error> m_fatal;
};

Status Listener::start()
{
    while (m_options.url.ends_with('/'))
        m_options.url.pop_back();
    RETURN_IF_ERROR(makeDirectories(m_options.worker.work / "_jobs"));
    const fs::path lock = m_options.worker.work / ".worker.lock";
    m_lock.reset(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!m_lock)
        return systemError("open", lock, errno);
    if (::flock(m_lock.get(), LOCK_EX | LOCK_NB) != 0)
        return {ErrorCode::Conflict, "another worker uses the work folder '" +
                                         m_options.worker.work.string() +
                                         "' already; stop it or choose another folder with --work"};
    sigset_t signals{};
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    m_signals.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    std::signal(SIGPIPE, SIG_IGN);
    const auto *path = findEnvironment(m_options.worker.environment, "PATH");
    m_capabilities = detectCapabilities(m_options.name, path == nullptr ? std::string() : *path,
                                        m_options.capabilities);
    lookAtDisk(Clock::now());
    return ensureRegistered();
}

Status Listener::ensureRegistered()
{
    const fs::path file = m_options.worker.work / ".worker.json";
    auto identity = readIdentity(file);
    if (identity) {
        // The same server may be reached at another address than before.
        m_identity = std::move(*identity);
        m_identity.url = m_options.url;
        if (m_options.worker.authorityFile.empty())
            m_options.worker.authorityFile = m_identity.authorityFile;
        if (std::exchange(m_identity.authorityFile, m_options.worker.authorityFile) !=
            m_options.worker.authorityFile)
            return writeIdentity(file, m_identity);
        return {};
    }
    if (identity.error().code != ErrorCode::NotFound)
        return std::move(identity).error();
    if (m_options.registrationToken.empty())
        return {ErrorCode::Unauthenticated,
                "this worker is not registered with " + m_options.url +
                    " yet, which takes a registration token: " + std::string(kNewToken)};
    auto pause = std::chrono::milliseconds(kFirstReconnect);
    while (true) {
        auto made =
            registerWorker({m_options.url, m_options.registrationToken, m_options.tokenFrom,
                            m_options.name, m_options.pool, m_options.slots, m_options.replace,
                            m_capabilities, m_options.worker.authorityFile});
        if (made) {
            m_identity = std::move(*made);
            m_say("Registered as '" + m_identity.name + "' in pool '" + m_identity.pool + "'");
            return writeIdentity(file, m_identity);
        }
        if (made.error().code != ErrorCode::Unavailable)
            return std::move(made).error();
        if (!m_saidUnreachable)
            m_say(made.error().message + "; trying again");
        m_saidUnreachable = true;
        pollfd signal{m_signals.get(), POLLIN, 0};
        if (::poll(&signal, 1, static_cast<int>(pause.count())) > 0)
            return {ErrorCode::Canceled, "stopped before the server answered"};
        pause = std::min<std::chrono::milliseconds>(pause * 2, kLongestReconnect);
    }
}

void Listener::watch(const std::string &jobId, RunningJob job, int pid)
{
    job.pid = pid;
    job.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
    m_jobs[jobId] = std::move(job);
}

/// The process of a job's folder, or 0. One that was just started writes its number in a moment.
int livingProcess(const Spool &spool)
{
    int pid = spool.livingPid();
    const auto end = Clock::now() + kBeginsWithin;
    while (pid == 0 && isJobProcessAlive(spool.folder()) && Clock::now() < end) {
        ::poll(nullptr, 0, 2);
        pid = spool.livingPid();
    }
    return pid;
}

void Listener::attachToRunningJobs()
{
    prepareJobLog(m_options.worker.work);
    std::error_code error;
    for (fs::directory_iterator it(m_options.worker.work / "_jobs", error), end;
         !error && it != end; it.increment(error)) {
        const auto jobId = it->path().filename().string();
        const Spool spool(it->path());
        if (spool.isDone()) {
            static_cast<void>(Spool::remove(it->path()));
            continue;
        }
        RunningJob job;
        job.folder = it->path();
        if (const int pid = livingProcess(spool); pid != 0) {
            m_say("Job " + jobId + " is still running; watching it again");
            watch(jobId, std::move(job), pid);
            continue;
        }
        // The worker ended between taking the job and starting its process.
        const bool begun = spool.hasBegun();
        m_say("Job " + jobId +
              (begun ? " lost its process; delivering what it left"
                     : " had not begun; starting its process"));
        job.deliveries = begun ? 1 : 0;
        if (const auto pid = startJobProcess(job.folder, m_options.worker,
                                             begun ? JobProcessMode::Deliver : JobProcessMode::Run))
            watch(jobId, std::move(job), *pid);
    }
}

void Listener::disconnect(const std::string &why)
{
    if (!m_channel)
        return;
    m_channel.reset();
    m_waiting.clear(); // not named in the next hello: the server offers them again
    m_say("Connection lost: " + why);
    m_nextConnect = Clock::now() + m_reconnectPause;
}

void Listener::sendFrame(const protocol::WorkerFrame &frame)
{
    if (!m_channel)
        return; // the next hello says everything anew
    if (auto status = m_channel->send(frame); !status)
        disconnect(status.error().message);
}

void Listener::connect(Clock::time_point now)
{
    auto channel = Channel::open(m_identity);
    if (!channel) {
        if (channel.error().code == ErrorCode::Unauthenticated) {
            std::error_code ignored;
            fs::remove(m_options.worker.work / ".worker.json", ignored);
            if (auto status = ensureRegistered(); !status)
                m_fatal = channel.error();
            return;
        }
        if (!m_saidUnreachable)
            m_say(channel.error().message + "; trying again");
        m_saidUnreachable = true;
        m_nextConnect = Clock::now() + m_reconnectPause;
        m_reconnectPause =
            std::min<std::chrono::milliseconds>(m_reconnectPause * 2, kLongestReconnect);
        return;
    }
    m_channel = std::move(*channel);
    m_saidUnreachable = false;
    m_lastHeard = m_lastPing = now;
    m_nextRenew = now + m_renewEvery;
    protocol::Hello hello;
    hello.version = SLIPWAY_VERSION;
    hello.slots = m_draining ? 0 : m_options.slots;
    hello.capabilities = m_capabilities;
    for (const auto &[jobId, job] : m_jobs)
        hello.running.push_back(jobId);
    sendFrame(hello);
}

void Listener::onOffer(protocol::JobOffer offer)
{
    const std::string &jobId = offer.job.jobId;
    if (m_jobs.contains(jobId)) {
        sendFrame(protocol::Accepted{jobId}); // offered again after a reconnect
        return;
    }
    if (jobId.find_first_of("/\\") != std::string::npos || jobId.starts_with('.'))
        return sendFrame(protocol::Refused{jobId, "the job id is no file name"});
    if (m_draining)
        return sendFrame(protocol::Refused{jobId, "the worker is draining"});
    readdress(offer.job, m_identity.url);
    if (m_jobs.size() >= static_cast<std::size_t>(m_options.slots)) {
        // The server gives a slot away as soon as its job has ended; the process needs a moment
        // more.
        if (m_waiting.size() >= static_cast<std::size_t>(m_options.slots))
            return sendFrame(protocol::Refused{jobId, "no free slot"});
        m_waiting.push_back(std::move(offer));
        return;
    }
    startJob(offer.job);
}

void Listener::lookAtDisk(Clock::time_point now)
{
    const fs::path &work = m_options.worker.work;
    m_nextDiskLook = now + kDiskLook;
    // A walk through all of the folder, so only while no lease waits to be renewed. With jobs, each
    // of them does it when it ends.
    if (m_jobs.empty() && isOverQuota(work) && now >= m_nextQuotaLook) {
        m_nextQuotaLook = now + kQuotaLook;
        static_cast<void>(keepDiskQuota(work, m_options.worker.diskQuota, m_say));
    }
    const auto room = roomForJob(work);
    // A number that changes with every look is no news: the first sentence stays.
    if (room ? m_unavailable.empty() : !m_unavailable.empty())
        return;
    m_unavailable = room ? std::string() : room.error().message;
    m_say(room ? "There is room again: jobs are taken" : "No job is taken: " + m_unavailable);
    std::erase_if(m_capabilities, [](const protocol::Capability &capability) {
        return capability.name == protocol::kUnavailable;
    });
    if (!room)
        m_capabilities.push_back({protocol::kUnavailable, m_unavailable});
    sendFrame(protocol::CapabilitiesChanged{m_capabilities});
}

void Listener::deliverAgain()
{
    if (!m_unavailable.empty())
        return;
    for (const auto &[jobId, folder] : std::exchange(m_undelivered, {})) {
        RunningJob job;
        job.folder = folder;
        job.deliveries = kMaxDeliveries;
        job.again = true;
        if (const auto pid = startJobProcess(folder, m_options.worker, JobProcessMode::Deliver))
            watch(jobId, std::move(job), *pid);
        else
            m_undelivered[jobId] = folder;
    }
}

void Listener::startWaiting()
{
    while (!m_waiting.empty() && m_jobs.size() < static_cast<std::size_t>(m_options.slots)) {
        const protocol::JobOffer offer = std::move(m_waiting.front());
        m_waiting.erase(m_waiting.begin());
        if (m_draining)
            sendFrame(protocol::Refused{offer.job.jobId, "the worker is draining"});
        else
            startJob(offer.job);
    }
}

void Listener::startJob(const protocol::JobMessage &message)
{
    const std::string &jobId = message.jobId;
    lookAtDisk(Clock::now()); // before the refusal: the offer must not come back here
    if (!m_unavailable.empty()) {
        m_say("Job " + jobId + " refused: " + m_unavailable);
        return sendFrame(protocol::Refused{jobId, m_unavailable});
    }
    RunningJob job;
    job.folder = jobFolder(jobId);
    if (auto status = Spool::create(job.folder, message); !status) {
        m_say("Job " + jobId + " refused: " + status.error().message);
        static_cast<void>(Spool::remove(job.folder));
        return sendFrame(protocol::Refused{jobId, status.error().message});
    }
    const auto pid = startJobProcess(job.folder, m_options.worker, JobProcessMode::Run, &message);
    if (!pid) {
        static_cast<void>(Spool::remove(job.folder));
        return sendFrame(protocol::Refused{jobId, pid.error().message});
    }
    watch(jobId, std::move(job), *pid);
    sendFrame(protocol::Accepted{jobId});
    m_say("Job " + jobId + " started: " + message.pipelineName + " " + message.runNumber + ", " +
          message.identifier);
    if (m_options.once)
        m_draining = true;
}

void Listener::onFrame(protocol::ServerFrame frame)
{
    const auto signalJob = [this](const std::string &jobId, int number) {
        if (const auto it = m_jobs.find(jobId); it != m_jobs.end() && it->second.pid > 0)
            ::syscall(SYS_pidfd_send_signal, it->second.pidfd.get(), number, nullptr, 0U);
    };
    // An offer that has not begun goes back to the server.
    const auto dropWaiting = [this](const std::string &jobId) {
        if (std::erase_if(m_waiting, [&](const auto &one) { return one.job.jobId == jobId; }) > 0)
            sendFrame(protocol::Refused{jobId, "it had not begun"});
    };
    if (auto *welcome = std::get_if<protocol::Welcome>(&frame)) {
        m_reconnectPause = kFirstReconnect;
        m_renewEvery = std::chrono::seconds(std::max(1, welcome->leaseSeconds / 3));
        m_nextRenew = std::min(m_nextRenew, Clock::now() + m_renewEvery);
        m_say("Connected to " + m_identity.url + " as '" + m_identity.name + "', waiting for jobs");
        releaseStartupCode();
    } else if (auto *offer = std::get_if<protocol::JobOffer>(&frame)) {
        onOffer(std::move(*offer));
    } else if (auto *cancel = std::get_if<protocol::CancelJob>(&frame)) {
        signalJob(cancel->jobId, SIGTERM);
        dropWaiting(cancel->jobId);
    } else if (auto *lost = std::get_if<protocol::LeaseLost>(&frame)) {
        m_say("Job " + lost->jobId + " was given up by the server; stopping it");
        if (const auto it = m_jobs.find(lost->jobId); it != m_jobs.end())
            it->second.leaseLost = true;
        signalJob(lost->jobId, SIGUSR1);
        dropWaiting(lost->jobId);
    } else if (std::holds_alternative<protocol::Drain>(frame)) {
        m_say("The server asked for no more jobs");
        m_draining = true;
    }
}

void Listener::onJobEnded(const std::string &jobId)
{
    const auto it = m_jobs.find(jobId);
    if (it == m_jobs.end())
        return;
    RunningJob job = std::move(it->second);
    m_jobs.erase(it);
    ::waitpid(job.pid, nullptr, WNOHANG); // reaps it when it is our child
    const Spool spool(job.folder);
    if (!spool.isDone() && !job.leaseLost && job.deliveries < kMaxDeliveries) {
        m_say("Job " + jobId + " lost its process; delivering what it left");
        ++job.deliveries;
        if (const auto pid =
                startJobProcess(job.folder, m_options.worker, JobProcessMode::Deliver)) {
            watch(jobId, std::move(job), *pid);
            return;
        }
    }
    if (spool.isDone() || job.leaseLost) {
        startWaiting(); // before the tidying up
        static_cast<void>(Spool::remove(job.folder));
        m_say("Job " + jobId + " ended");
    } else {
        if (!job.again)
            m_say("Job " + jobId + " could not be delivered; its folder stays at " +
                  job.folder.string() + " and is tried again every " +
                  std::to_string(kDiskLook.count()) + " s");
        m_undelivered[jobId] = job.folder;
    }
    sendFrame(protocol::Finished{jobId});
    startWaiting();
    if (m_jobs.empty())
        releaseStartupCode();
}

void Listener::onSignal()
{
    signalfd_siginfo info{};
    while (::read(m_signals.get(), &info, sizeof info) == sizeof info) {
        if (!m_draining) {
            m_draining = true;
            if (!m_jobs.empty())
                m_say("Stopping: waiting for " + counted(m_jobs.size(), "running job") +
                      "; a second signal cancels " + (m_jobs.size() == 1 ? "it" : "them"));
        } else if (!m_canceling) {
            m_canceling = true;
            for (const auto &[jobId, job] : m_jobs)
                ::syscall(SYS_pidfd_send_signal, job.pidfd.get(), SIGTERM, nullptr, 0U);
        }
    }
}

void Listener::onTimers(Clock::time_point now)
{
    if (now >= m_nextDiskLook) {
        lookAtDisk(now);
        deliverAgain();
    }
    if (!m_channel) {
        if (now >= m_nextConnect)
            connect(now);
        return;
    }
    if (now - m_lastHeard >= kDropAfter)
        return disconnect("the server was silent for a minute");
    if (now - m_lastHeard >= kPingAfter && now - m_lastPing >= kPingAfter) {
        m_lastPing = now;
        if (auto status = m_channel->ping(); !status)
            return disconnect(status.error().message);
    }
    if (now >= m_nextRenew) {
        m_nextRenew = now + m_renewEvery;
        if (!m_jobs.empty()) {
            protocol::Renew renew;
            for (const auto &[jobId, job] : m_jobs)
                renew.jobIds.push_back(jobId);
            sendFrame(renew);
        }
    }
}

int Listener::pollTimeout(Clock::time_point now) const
{
    Clock::time_point next;
    if (!m_channel) {
        next = m_nextConnect;
    } else {
        next = std::min(m_lastHeard + kDropAfter, std::max(m_lastHeard, m_lastPing) + kPingAfter);
        if (!m_jobs.empty())
            next = std::min(next, m_nextRenew);
    }
    next = std::min(next, m_nextDiskLook);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
    return static_cast<int>(std::clamp<decltype(wait)>(wait, 0, 60'000));
}

void Listener::pollOnce()
{
    std::vector<pollfd> polled{{m_signals.get(), POLLIN, 0}};
    std::vector<std::string> ids;
    for (const auto &[jobId, job] : m_jobs) {
        polled.push_back({job.pidfd.get(), POLLIN, 0});
        ids.push_back(jobId);
    }
    if (m_channel)
        polled.push_back({m_channel->fd(), POLLIN, 0});
    const bool buffered = m_channel && m_channel->buffered();
    const int ready =
        ::poll(polled.data(), polled.size(), buffered ? 0 : pollTimeout(Clock::now()));
    if (ready < 0)
        return;
    if (polled[0].revents != 0)
        onSignal();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (polled[i + 1].revents != 0)
            onJobEnded(ids[i]);
    }
    if (m_channel && (buffered || (polled.size() > ids.size() + 1 && polled.back().revents != 0))) {
        auto frame = m_channel->receive();
        if (!frame) {
            disconnect(frame.error().message);
        } else {
            m_lastHeard = Clock::now();
            if (auto &heard = *frame; heard.has_value())
                onFrame(std::move(*heard));
        }
    }
}

Status Listener::run()
{
    RETURN_IF_ERROR(start());
    attachToRunningJobs();
    while (!finished()) {
        onTimers(Clock::now());
        if (!finished())
            pollOnce();
    }
    if (m_fatal)
        return *m_fatal;
    m_channel.reset();
    m_say("Stopped");
    return {};
}

} // namespace

Status runListener(const ListenerOptions &options,
                   const std::function<void(const std::string &)> &say)
{
    return Listener(options, say).run();
}

} // namespace worker
