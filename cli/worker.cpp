// `slipway worker`: takes jobs from a server.
#include "cli/command.h"
#include "worker/base/text.h"
#include "worker/listener/listener.h"

#include <CLI/CLI.hpp>

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
    std::string tokenFile, work;
};

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
    if (!options.tokenFile.empty()) {
        ASSIGN_OR_RETURN(const auto text, worker::readFile(options.tokenFile, 4096));
        options.listener.registrationToken = worker::trimmed(text);
    }
    auto &worker = options.listener.worker;
    worker.environment = jobEnvironment();
    worker.name = options.listener.name;
    std::error_code error;
    worker.work = worker::fs::absolute(options.work, error).lexically_normal();
    if (error)
        return worker::systemError("find", options.work, error.value());
    return {};
}

int runWorker(Options &options)
{
    auto status = prepare(options);
    if (status) {
        // The token is not left where every job could read it.
        ::unsetenv(kTokenVariable);
        status = worker::runListener(options.listener, [](const std::string &line) {
            std::cout << line << std::endl; // whoever watches wants it now
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
    command->add_option("--url", listener.url, "Address of the server, http://host:port")
        ->required();
    command->add_option("--token-file", options->tokenFile,
                        "File with a registration token (first start only; or the variable "
                        "SLIPWAY_WORKER_TOKEN)");
    command->add_option("--name", listener.name, "Name of the worker; default: the host's");
    command->add_option("--pool", listener.pool, "Pool to join; default: the token's");
    command->add_option("--work", options->work, "Work folder; default: _work")
        ->capture_default_str();
    command->add_option("--slots", listener.slots, "Jobs at the same time")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--once", listener.once, "End after one job");
    command->add_flag("--replace", listener.replace,
                      "Take the place of a registered worker with the same name");
    command->add_option("--capability", listener.capabilities,
                        "A capability that demands may ask for, N=V; may be repeated");
    command->callback([options, &exitCode] { exitCode = runWorker(*options); });
}

} // namespace cli
