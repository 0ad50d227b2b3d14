#include "cli/client/options.h"
#include "cli/command.h"
#include "cli/up/console.h"
#include "cli/up/parts.h"
#include "cli/up/sample.h"
#include "cli/up/services.h"
#include "cli/up/state.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <memory>
#include <utility>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

constexpr int kPort = 8480;
const std::vector<std::string> kNamespaces{"dev", "production"};

struct UpOptions
{
    std::string data;
    std::string web;
    std::string sample;
    std::string registry;
    std::string format = "text";
    int port = 0; ///< 0: 8480, or a free one when that is taken
    bool noSample = false;
};

/// "localhost:5000" -> 5000.
int portOf(const std::string &address)
{
    int port = 0;
    const std::size_t at = address.rfind(':');
    if (at != std::string::npos)
        std::from_chars(address.data() + at + 1, address.data() + address.size(), port);
    return port;
}

class Up
{
public:
    explicit Up(const UpOptions &options)
        : m_options(options)
        , m_data(options.data.empty() ? defaultDataDirectory()
                                      : std::filesystem::absolute(options.data))
        , m_parts(m_data / "parts", m_signals, m_console)
    {}

    schema::Status run();

private:
    schema::Status start();
    schema::Status startSample();
    schema::Status choosePort();
    schema::Status announce();

    const UpOptions &m_options;
    std::filesystem::path m_data;
    StopSignals m_signals;
    Console m_console;
    FileDescriptor m_lock;
    Parts m_parts;
    UpState m_state;
    SampleSettings m_sample;
    int m_port = 0;
    std::unique_ptr<Services> m_services;
};

schema::Status Up::choosePort()
{
    const int wanted = m_options.port != 0 ? m_options.port : kPort;
    ASSIGN_OR_RETURN(m_port, freePort(wanted));
    if (m_port == wanted)
        return {};
    if (m_options.port != 0)
        return {ErrorCode::AlreadyExists,
                fmt::format("port {} is taken on this machine; choose another one with --port",
                            wanted)};
    m_console.line(fmt::format("Port {} is taken, so {} is used", wanted, m_port));
    return {};
}

schema::Status Up::start()
{
    RETURN_IF_ERROR(prepareFolder(m_data));
    ASSIGN_OR_RETURN(m_lock, lockFolder(m_data));
    ASSIGN_OR_RETURN(m_state, loadState(m_data));
    ServiceSettings settings;
    settings.data = m_data;
    settings.web = m_options.web.empty() ? findResource("web", "web/dist")
                                         : std::filesystem::absolute(m_options.web);
    if (!m_options.noSample) {
        RETURN_IF_ERROR(m_parts.findEngine());
        RETURN_IF_ERROR(m_parts.findRegistry(m_options.registry, m_state.registryPort));
        if (m_options.registry.empty())
            m_state.registryPort = portOf(m_parts.registry());
        if (!m_parts.dockerHost().empty())
            settings.environment["DOCKER_HOST"] = m_parts.dockerHost();
    }
    RETURN_IF_ERROR(choosePort());
    settings.port = m_port;
    m_services = std::make_unique<Services>(std::move(settings), m_signals, m_console);
    m_console.begin("Starting the server");
    RETURN_IF_ERROR(m_services->startServer());
    m_console.begin("Starting a worker");
    RETURN_IF_ERROR(m_services->explained(m_services->startWorker()));
    m_console.done();
    if (!m_options.noSample)
        RETURN_IF_ERROR(m_services->explained(startSample()));
    return m_services->explained(announce());
}

schema::Status Up::startSample()
{
    m_sample.clone = m_data / "sample";
    m_sample.tokenFile = m_data / "operator-token";
    if (m_state.firstRun != 0)
        return updateClone(m_services->client(), m_sample, m_signals);

    m_sample.source = m_options.sample.empty() ? findResource("sample", "examples/space-game")
                                               : std::filesystem::absolute(m_options.sample);
    std::error_code problem;
    if (!std::filesystem::exists(m_sample.source / "azure-pipelines.yml", problem))
        return {
            ErrorCode::NotFound,
            fmt::format(
                "the sample is not at '{}'; say where with --sample, or go without: --no-sample",
                m_sample.source.string())};
    ASSIGN_OR_RETURN(m_sample.kubeconfig, m_parts.findCluster(kNamespaces));
    m_state.target = m_sample.kubeconfig ? "kubernetes" : "docker";
    if (!m_sample.kubeconfig)
        m_console.line("No Kubernetes cluster (KUBECONFIG): the sample is deployed to this Docker "
                       "host by Compose");
    ASSIGN_OR_RETURN(m_state.devWebPort,
                     freePort(m_state.devWebPort != 0 ? m_state.devWebPort : 8081));
    ASSIGN_OR_RETURN(m_state.productionWebPort,
                     freePort(m_state.productionWebPort != 0 ? m_state.productionWebPort : 8082));
    m_sample.registry = m_parts.registry();
    m_sample.dockerHost = m_parts.dockerHost();
    m_sample.devWebPort = m_state.devWebPort;
    m_sample.productionWebPort = m_state.productionWebPort;
    // Kept before the import, so that one that was interrupted goes on with the same ports.
    RETURN_IF_ERROR(saveState(m_data, m_state));
    ASSIGN_OR_RETURN(m_state.firstRun,
                     importSample(m_services->client(), m_sample, m_signals, m_console));
    return saveState(m_data, m_state);
}

schema::Status Up::announce()
{
    ASSIGN_OR_RETURN(const json link,
                     m_services->client().post("/_apis/slipway/signinlinks", json::object()));
    if (m_options.format == "json") {
        printJson({{"url", m_services->client().url()},
                   {"signIn", textOf(link, "url")},
                   {"data", m_data.string()},
                   {"dockerHost", m_parts.dockerHost()},
                   {"registry", m_parts.registry()},
                   {"target", m_state.target},
                   {"firstRun", m_state.firstRun},
                   {"devWebPort", m_state.devWebPort},
                   {"productionWebPort", m_state.productionWebPort}});
        return {};
    }
    m_console.line("");
    m_console.line("Open this address to sign in (it works once, for 15 minutes):");
    m_console.line("  " + textOf(link, "url"));
    if (!m_options.noSample) {
        m_console.line(fmt::format(
            "Commit and push in {} to trigger a run. 'slipway where' tells what runs where.",
            m_sample.clone.string()));
        if (m_state.target == "docker")
            m_console.line(fmt::format("The site, once deployed: http://127.0.0.1:{} (dev), "
                                       "http://127.0.0.1:{} (production)",
                                       m_state.devWebPort, m_state.productionWebPort));
    }
    m_console.line("Ctrl-C stops everything that this command started.");
    return {};
}

schema::Status Up::run()
{
    schema::Status status = start();
    if (status)
        status = m_services->watch();
    else if (status.error().code != ErrorCode::Canceled)
        m_console.done("failed");
    else
        status = {};
    const bool owner = m_lock.get() >= 0; // another's parts are none of our business
    if (m_services)
        m_services->stop();
    if (owner)
        m_parts.stop();
    return status;
}

} // namespace

void registerUp(CLI::App &app, int &exitCode)
{
    CLI::App *command = app.add_subcommand(
        "up",
        "Server, worker, portal and a sample in one command, on this machine; Ctrl-C stops it all");
    auto options = std::make_shared<UpOptions>();
    command
        ->add_option(
            "--data", options->data,
            "Where everything is kept (also SLIPWAY_DATA; default: $XDG_DATA_HOME/slipway)")
        ->envname("SLIPWAY_DATA")
        ->type_name("DIR");
    command->add_option("--port", options->port, "Port on loopback (default: 8480, or a free one)")
        ->check(CLI::Range(1, 65535))
        ->type_name("PORT");
    command
        ->add_option("--registry", options->registry,
                     "Registry to use instead of a private one (also SLIPWAY_REGISTRY)")
        ->envname("SLIPWAY_REGISTRY")
        ->type_name("HOST:PORT");
    command->add_option("--web", options->web, "The built portal")->type_name("DIR");
    command->add_option("--sample", options->sample, "The sample to import")->type_name("DIR");
    command->add_flag("--no-sample", options->noSample,
                      "Start server and worker only; needs no Docker");
    command
        ->add_option("--format", options->format,
                     "json prints one object to standard output when all is ready")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("FORMAT");
    command->callback([options, &exitCode] {
        const schema::Status status = Up(*options).run();
        exitCode = status ? 0 : fail(status.error());
    });
}

} // namespace cli
