// `slipway worker`: takes jobs from a server.
#include "cli/command.h"
#include "worker/base/text.h"
#include "worker/doctor/doctor.h"
#include "worker/doctor/tool_versions.h"
#include "worker/job/disk_quota.h"
#include "worker/listener/identity.h"
#include "worker/listener/listener.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <unistd.h>

namespace cli {
namespace {

constexpr const char *kTokenVariable = "SLIPWAY_WORKER_TOKEN";

struct Options
{
    worker::ListenerOptions listener;
    std::string authorityFile, tokenFile, work, nodeFolder, memory, diskQuota;
    bool noVersions = false;
    std::string format = "text";
};

/// What the worker or its doctor has to say, on a line of its own: whoever watches wants it now.
void say(const nlohmann::ordered_json &line)
{
    std::cout << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n'
              << std::flush;
}

std::string hostName()
{
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "worker";
}

/// What jobs inherit: everything but the registration token.
worker::Environment jobEnvironment()
{
    auto environment = worker::currentEnvironment();
    std::erase_if(environment, [](const auto &entry) { return entry.first == kTokenVariable; });
    return environment;
}

schema::Status prepare(Options &options)
{
    if (const char *token = std::getenv(kTokenVariable); token != nullptr)
        options.listener.registrationToken = worker::trimmed(token);
    options.listener.tokenFrom = kTokenVariable;
    if (!options.tokenFile.empty()) {
        ASSIGN_OR_RETURN(const auto text, worker::readFile(options.tokenFile, 4096));
        options.listener.registrationToken = worker::trimmed(text);
        options.listener.tokenFrom = "the file '" + options.tokenFile + "'";
    }
    auto &worker = options.listener.worker;
    worker.environment = jobEnvironment();
    worker.name = options.listener.name;
    worker.nodeFolder = options.nodeFolder;
    if (!options.memory.empty()) {
        ASSIGN_OR_RETURN(worker.limits.memoryBytes, worker::parseSize(options.memory));
    }
    if (!options.diskQuota.empty()) {
        ASSIGN_OR_RETURN(worker.diskQuota, worker::parseSize(options.diskQuota));
    }
    std::error_code error;
    worker.work = worker::fs::absolute(options.work, error).lexically_normal();
    if (error)
        return worker::systemError("find", options.work, error.value());
    if (options.listener.url.empty()) {
        // Who registered from here said it already.
        if (const auto identity = worker::readIdentity(worker.work / ".worker.json"))
            options.listener.url = identity->url;
    }
    if (!options.authorityFile.empty()) {
        worker.authorityFile =
            worker::fs::absolute(options.authorityFile, error).lexically_normal();
        if (error)
            return worker::systemError("find", options.authorityFile, error.value());
    }
    return {};
}

/// Versions of the tools as capabilities, unless the operator set the same name.
void addVersions(Options &options)
{
    auto &own = options.listener.capabilities;
    const auto given = own;
    for (auto &[name, version] : worker::toolVersions(options.listener.worker.environment)) {
        const bool set = std::any_of(given.begin(), given.end(), [&name](const std::string &entry) {
            return worker::equalsIgnoringCase(entry.substr(0, entry.find('=')), name);
        });
        if (!set)
            own.push_back(name.append("=").append(version));
    }
}

int runDoctor(Options &options)
{
    if (auto status = prepare(options); !status) {
        std::cerr << "slipway worker doctor: " << status.error().message << '\n';
        return 2;
    }
    const auto findings = worker::examine(options.listener.worker, options.listener.url);
    const bool able = std::none_of(findings.begin(), findings.end(), [](const auto &finding) {
        return finding.health == worker::Health::Bad;
    });
    if (options.format == "json") {
        auto list = nlohmann::ordered_json::array();
        for (const auto &finding : findings)
            list.push_back({{"health", finding.health == worker::Health::Good      ? "good"
                                       : finding.health == worker::Health::Warning ? "warning"
                                                                                   : "bad"},
                            {"subject", finding.subject},
                            {"detail", finding.detail},
                            {"advice", finding.advice}});
        say({{"able", able}, {"findings", std::move(list)}});
        return able ? 0 : 1;
    }
    for (const auto &finding : findings) {
        const char *mark = finding.health == worker::Health::Good      ? "ok  "
                           : finding.health == worker::Health::Warning ? "warn"
                                                                       : "FAIL";
        std::cout << mark << "  " << finding.subject << ": " << finding.detail << '\n';
        if (!finding.advice.empty())
            std::cout << "      -> " << finding.advice << '\n';
    }
    std::cout << (able ? "This machine can run jobs.\n"
                       : "Jobs will fail here until what is marked FAIL is mended.\n");
    return able ? 0 : 1;
}

int runWorker(Options &options)
{
    if (const char *bind = std::getenv(kBindVariable); // NOLINT: no thread yet
        bind != nullptr && std::string_view(bind) == kBindValue)
        ::unsetenv(kBindVariable);
    auto status = prepare(options);
    if (status && options.listener.url.empty()) {
        const auto identity = worker::readIdentity(options.listener.worker.work / ".worker.json");
        status = !identity && identity.error().code != schema::ErrorCode::NotFound
                     ? identity.error()
                     : schema::Error{schema::ErrorCode::InvalidArgument,
                                     "--url is required: the address of the server"};
    }
    if (status) {
        worker::delegateCgroups();
        worker::removeLeftCgroups();
        if (!options.noVersions)
            addVersions(options);
        // The token is not left where every job could read it.
        ::unsetenv(kTokenVariable);
        status = worker::runListener(options.listener, [&options](const std::string &line) {
            if (options.format == "json")
                say({{"time", schema::toIso8601(schema::wallClockNow())}, {"message", line}});
            else
                std::cout << line << '\n' << std::flush;
        });
    }
    if (status)
        return 0;
    std::cerr << "slipway worker: " << status.error().message << '\n';
    return status.error().code == schema::ErrorCode::Canceled ? 0 : 2;
}

} // namespace

void registerWorker(CLI::App &app, int &exitCode)
{
    auto options = std::make_shared<Options>();
    auto &listener = options->listener;
    listener.name = hostName();
    options->work = "_work";
    CLI::App *command = app.add_subcommand(
        "worker", "Takes jobs from a server and runs them on this machine, one process per job.\n"
                  "SIGTERM lets running jobs end and takes no more; a second one cancels them.");
    command->add_option("--url", listener.url,
                        "Address of the server, http://host:port or https://host (default: the one "
                        "that this work folder is registered with)");
    command->add_option(
        "--ca", options->authorityFile,
        "File (PEM) or folder of certificate authorities that may vouch for an https "
        "server, besides the system's; remembered with the registration");
    command->add_option("--token-file", options->tokenFile,
                        "File with a registration token (first start only; or the variable "
                        "SLIPWAY_WORKER_TOKEN)");
    command->add_option("--name", listener.name, "Name of the worker (default: the host's)");
    command->add_option("--pool", listener.pool, "Pool to join (default: the token's)");
    command->add_option("--work", options->work, "Work folder")->capture_default_str();
    command->add_option("--node-folder", options->nodeFolder,
                        "Folder with node*/bin/node for packaged tasks (default: node on PATH)");
    command->add_option("--slots", listener.slots, "Jobs at the same time")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--once", listener.once, "End after one job");
    command->add_flag("--replace", listener.replace,
                      "Take the place of a registered worker with the same name");
    command->add_option("--capability", listener.capabilities,
                        "A capability that demands may ask for, N=V; may be repeated");
    auto &limits = listener.worker.limits;
    command->add_option("--memory", options->memory,
                        "Memory a job may use, like 4G; a process that needs more is killed");
    command->add_option("--processes", limits.processes, "Processes a job may have at a time");
    command->add_option("--cpu", limits.cpuPercent,
                        "Processor time a job may use, in percent of one processor");
    command->add_option("--disk-quota", options->diskQuota,
                        "What the work folder may hold, like 50G; least recently used workspaces, "
                        "tasks and tools are deleted after a job");
    command
        ->add_option("--container-engine", listener.worker.containerEngine,
                     "docker, podman, or none: jobs with containers fail")
        ->check(CLI::IsMember({"docker", "podman", "none"}))
        ->capture_default_str();
    command->add_flag("--no-tool-versions", options->noVersions,
                      "Do not ask the tools for their versions (capabilities like git.version)");
    command
        ->add_option("--format", options->format,
                     "Of what it says: text or json (one object a line)")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    command->footer("Exit status: 0 stopped by a signal, or --once and its job ended; 2 it could "
                    "not start or go on.");
    CLI::App *doctor = command->add_subcommand(
        "doctor", "Looks whether this machine can run jobs and says what to mend.\n"
                  "Exit status: 0 it can, 1 something is missing.");
    doctor->fallthrough(); // takes the worker's own options, also after its name
    command->callback([options, doctor, &exitCode] {
        exitCode = doctor->parsed() ? runDoctor(*options) : runWorker(*options);
    });
}

} // namespace cli
