#include "worker/doctor/doctor.h"

#include "schema/base/guid.h"
#include "schema/tasks/task_execution.h"
#include "worker/base/text.h"
#include "worker/doctor/tool_versions.h"
#include "worker/job/disk_quota.h"
#include "worker/listener/identity.h"
#include "worker/sink/http_client.h"

#include <fcntl.h>
#include <sys/statvfs.h>

namespace worker {
namespace {

/// Below these a job of any size is likely to fail.
constexpr std::uint64_t kLittleSpace = 2ULL << 30U;
constexpr std::uint64_t kNoSpace = 64ULL << 20U;

class Doctor
{
public:
    Doctor(const WorkerOptions &options, std::string url)
        : m_options(options)
        , m_url(std::move(url))
    {}

    std::vector<Finding> run()
    {
        workFolder();
        server();
        registration();
        shell();
        git();
        containers();
        node();
        limits();
        return std::move(m_findings);
    }

private:
    void say(Health health, std::string subject, std::string detail, std::string advice = {})
    {
        m_findings.push_back({health, std::move(subject), std::move(detail), std::move(advice)});
    }

    std::string version(const std::string &program) const
    {
        return toolVersion(program, m_options.environment);
    }

    void workFolder();
    void server();
    void registration();
    void shell();
    void git();
    void containers();
    void node();
    void limits();

    const WorkerOptions &m_options;
    std::string m_url;
    std::vector<Finding> m_findings;
};

void Doctor::workFolder()
{
    const auto made = makeDirectories(m_options.work);
    const fs::path probe = m_options.work / (".doctor-" + schema::randomGuid());
    const Status written = made ? writeFileDurably(probe, "#!/bin/sh\nexit 0\n", 0700) : made;
    if (!written) {
        say(Health::Bad, "work folder", written.error().message,
            "give this user a folder it may write to with --work");
        return;
    }
    ProcessSpec spec;
    spec.program = probe.string();
    spec.environment = m_options.environment;
    const auto ran = runProcess(spec, {}, nullptr, {});
    std::error_code ignored;
    fs::remove(probe, ignored);
    struct statvfs info{};
    ::statvfs(m_options.work.c_str(), &info);
    const auto free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    const auto detail = m_options.work.string() + ", " + sizeText(free) + " free";
    if (!ran || ran->exitCode != 0)
        say(Health::Bad, "work folder", detail + ", programs in it cannot be started",
            "mount its file system without noexec, or choose another with --work");
    else if (free < kNoSpace)
        say(Health::Bad, "work folder", detail, "free some space or choose another with --work");
    else if (free < kLittleSpace)
        say(Health::Warning, "work folder", detail,
            "jobs that build images need more; --disk-quota keeps old workspaces from filling it");
    else
        say(Health::Good, "work folder", detail);
}

void Doctor::server()
{
    if (m_url.empty()) {
        say(Health::Warning, "server", "not asked", "name it with --url to test the connection");
        return;
    }
    const auto client = HttpClient::create(m_url, "", m_options.authorityFile);
    if (!client) {
        say(Health::Bad, "server", client.error().message, "check --url");
        return;
    }
    const auto reply = (*client)->call("GET", "/_apis/connectionData");
    if (!reply)
        say(Health::Bad, "server", reply.error().message,
            "is the server running, and do name, port and firewall let this machine reach it?");
    else if (reply->status != 200)
        say(Health::Bad, "server", m_url + " answers with status " + std::to_string(reply->status),
            "is this the address of a Slipway server?");
    else
        say(Health::Good, "server", m_url + " answers");
}

void Doctor::registration()
{
    const auto identity = readIdentity(m_options.work / ".worker.json");
    if (identity)
        return say(Health::Good, "registration",
                   "this work folder belongs to the worker '" + identity->name + "'");
    if (identity.error().code == ErrorCode::NotFound)
        return say(Health::Warning, "registration", "not registered from this work folder yet",
                   "make a token (slipway pool token) and give it with --token-file");
    say(Health::Bad, "registration", identity.error().message, "the worker does not start with it");
}

void Doctor::shell()
{
    const auto bash = version("bash");
    say(bash.empty() ? Health::Bad : Health::Good, "bash", bash.empty() ? "not installed" : bash,
        bash.empty() ? "script and bash steps need it: apt-get install bash" : "");
}

void Doctor::git()
{
    const auto found = version("git");
    if (found.empty())
        return say(Health::Bad, "git", "not installed", "checkout needs it: apt-get install git");
    // 2.31 takes credentials from the environment, so that they are in no argument and no file.
    if (schema::versionNumbers(found) < std::array<int, 3>{2, 31, 0})
        say(Health::Bad, "git", found, "checkout needs git 2.31 or newer");
    else
        say(Health::Good, "git", found);
    const auto lfs = version("git-lfs");
    say(lfs.empty() ? Health::Warning : Health::Good, "git-lfs",
        lfs.empty() ? "not installed" : lfs,
        lfs.empty() ? "only for checkouts with lfs: true: apt-get install git-lfs" : "");
}

void Doctor::containers()
{
    const auto &engine = m_options.containerEngine;
    if (engine == "none")
        return say(Health::Good, "containers", "none (--container-engine none)");
    const auto found = version(engine);
    if (found.empty())
        return say(Health::Warning, engine, "not installed",
                   "only for jobs with containers and the Docker task: apt-get install " +
                       std::string(engine == "docker" ? "docker.io" : "podman"));
    ProcessSpec spec;
    const auto *path = findEnvironment(m_options.environment, "PATH");
    spec.program = findProgram(engine, path == nullptr ? std::string() : *path);
    spec.arguments = {"info"};
    spec.environment = m_options.environment;
    ProcessLimits limits;
    limits.deadline = Clock::now() + std::chrono::seconds(15);
    limits.interruptGrace = limits.terminateGrace = std::chrono::milliseconds(200);
    std::string errors;
    ProcessCallbacks callbacks;
    callbacks.output = [&errors](std::string_view bytes, Stream stream) {
        if (stream == Stream::Error && errors.size() < 4096)
            errors += bytes;
    };
    const auto end = runProcess(spec, limits, nullptr, callbacks);
    if (end && end->exitCode == 0)
        say(Health::Good, engine, found + ", the engine answers");
    else
        say(Health::Bad, engine, found + ", the engine does not answer: " + trimmed(errors),
            "start it, point DOCKER_HOST at it, and let this user use its socket (group docker)");
}

void Doctor::node()
{
    const auto found = version("node");
    const bool folder = !m_options.nodeFolder.empty() && fs::is_directory(m_options.nodeFolder);
    if (found.empty() && !folder)
        say(Health::Warning, "node", "not installed",
            "only for tasks that came as packages (slipway task install): apt-get install nodejs, "
            "or --node-folder");
    else if (schema::versionNumbers(found)[0] < 18 && !folder)
        say(Health::Warning, "node", found, "tasks expect Node.js 18 or newer");
    else
        say(Health::Good, "node", folder ? m_options.nodeFolder.string() : found);
}

void Doctor::limits()
{
    ResourceLimits probe;
    probe.memoryBytes = 1ULL << 40U;
    const auto memory = JobCgroup::enter("doctor-" + schema::randomGuid(), probe);
    probe = {};
    probe.processes = 100'000;
    const auto processes = JobCgroup::enter("doctor-" + schema::randomGuid(), probe);
    const bool both = memory && processes;
    const bool wanted = m_options.limits.any();
    say(both     ? Health::Good
        : wanted ? Health::Bad
                 : Health::Warning,
        "control groups",
        both ? "limits of memory, processes and processors work"
             : (memory ? processes : memory).error().message,
        both ? ""
             : "--memory, --processes and --cpu need them: run the worker as root or as a systemd "
               "service with Delegate=yes (docs/worker.md)");
}

} // namespace

std::vector<Finding> examine(const WorkerOptions &options, const std::string &url)
{
    return Doctor(options, url).run();
}

} // namespace worker
