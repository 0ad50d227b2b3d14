#include "cli/client/options.h"
#include "cli/command.h"
#include "server/app/application.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace cli {
namespace {

struct ServerOptions
{
    std::string data;
    std::string listen = "127.0.0.1:8480";
    std::string url;
    std::string web;
    int readyFd = -1;
    std::string logFormat = "text";
    std::string traces;
    std::string traceHeaders;
};

schema::Status serve(const ServerOptions &options)
{
    server::app::Configuration configuration;
    configuration.data =
        options.data.empty() ? defaultDataDirectory() : std::filesystem::path(options.data);
    configuration.web = options.web;
    configuration.jsonLog = options.logFormat == "json";
    configuration.traces = options.traces;
    configuration.traceHeaders = options.traceHeaders;
    RETURN_IF_ERROR(server::app::parseListen(options.listen, configuration));
    if (!options.url.empty()) {
        RETURN_IF_ERROR(server::app::parseUrl(options.url, configuration));
    }
    return server::app::serve(configuration, options.readyFd);
}

} // namespace

void registerServer(CLI::App &app, int &exitCode)
{
    CLI::App *command =
        app.add_subcommand("server", "The server: API, portal, scheduler; SIGTERM stops it");
    auto options = std::make_shared<ServerOptions>();
    command
        ->add_option("--data", options->data,
                     "Data directory (also SLIPWAY_DATA; default: $XDG_DATA_HOME/slipway)")
        ->envname("SLIPWAY_DATA")
        ->type_name("DIR");
    command
        ->add_option("--listen", options->listen,
                     "Address and port (127.0.0.1:8480; port 0: any free one)")
        ->type_name("ADDRESS:PORT");
    command
        ->add_option("--url", options->url,
                     "Address that people use when a proxy stands in front: https://HOST[:PORT]")
        ->envname("SLIPWAY_PUBLIC_URL")
        ->type_name("URL");
    command->add_option("--web", options->web, "The built portal")->type_name("DIR");
    command
        ->add_option("--ready-fd", options->readyFd,
                     "Descriptor to which the port is written when requests are answered")
        ->type_name("N");
    command
        ->add_option("--log-format,--format", options->logFormat,
                     "Of what it says: text or json (one object a line)")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("FORMAT");
    command
        ->add_option("--traces", options->traces,
                     "Collector that gets traces of finished runs over OTLP/HTTP, http://HOST:4318")
        ->envname("OTEL_EXPORTER_OTLP_ENDPOINT")
        ->type_name("URL");
    command
        ->add_option("--trace-headers", options->traceHeaders,
                     "Headers sent with the traces: NAME=VALUE,NAME=VALUE")
        ->envname("OTEL_EXPORTER_OTLP_HEADERS")
        ->type_name("LIST");
    command->footer("Exit status: 0 stopped by a signal, 2 it could not start or go on.");
    command->callback([options, &exitCode] {
        const schema::Status status = serve(*options);
        exitCode = status ? 0 : fail(status.error());
    });
}

} // namespace cli
