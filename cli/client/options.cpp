#include "cli/client/options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

std::string environment(const char *name)
{
    const char *value =
        std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
    return value == nullptr ? std::string() : std::string(value);
}

/// The first line of a file, or nothing when it cannot be read.
std::string firstLine(const std::filesystem::path &path)
{
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

schema::Result<std::string> findToken(const ClientOptions &options,
                                      const std::filesystem::path &data)
{
    if (!options.tokenFile.empty()) {
        std::string token = firstLine(options.tokenFile);
        if (token.empty())
            return {ErrorCode::InvalidArgument,
                    fmt::format("no token can be read from '{}'", options.tokenFile)};
        return token;
    }
    std::string token = environment("SLIPWAY_TOKEN");
    return token.empty() ? firstLine(data / "operator-token") : token;
}

schema::Result<std::string> findProject(const ApiClient &client, const ClientOptions &options)
{
    std::string name = options.project.empty() ? environment("SLIPWAY_PROJECT") : options.project;
    if (!name.empty())
        return urlEncoded(name);
    ASSIGN_OR_RETURN(const json answer, client.get("/_apis/projects"));
    const json &projects = memberOf(answer, "value");
    if (!projects.is_array() || projects.empty())
        return {ErrorCode::NotFound,
                fmt::format("the server at {} has no project yet", client.url())};
    if (projects.size() == 1)
        return urlEncoded(textOf(projects[0], "name"));
    std::string names;
    for (const json &project : projects)
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", textOf(project, "name"));
    return {ErrorCode::InvalidArgument,
            "there are several projects; choose one with --project: " + names};
}

} // namespace

std::filesystem::path defaultDataDirectory()
{
    const std::string share = environment("XDG_DATA_HOME");
    if (!share.empty())
        return std::filesystem::path(share) / "slipway";
    return std::filesystem::path(environment("HOME")) / ".local/share/slipway";
}

std::shared_ptr<ClientOptions> addClientOptions(CLI::App &command)
{
    auto options = std::make_shared<ClientOptions>();
    command.add_option("--url", options->url, "Address of the server (also SLIPWAY_URL)")
        ->type_name("URL");
    command
        .add_option("--token-file", options->tokenFile,
                    "File with the access token (also SLIPWAY_TOKEN)")
        ->type_name("FILE");
    command
        .add_option("--data", options->data,
                    "Data directory of the server, to find address and token (also SLIPWAY_DATA)")
        ->envname("SLIPWAY_DATA")
        ->type_name("DIR");
    command
        .add_option("--project", options->project,
                    "Project (also SLIPWAY_PROJECT; default: the only one)")
        ->type_name("NAME");
    command.footer(
        "Exit status: 0 done; 1 the run that was asked for or waited for failed; 2 wrong "
        "usage, refused, or the server cannot be reached.");
    command.add_option("--format", options->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("FORMAT");
    return options;
}

schema::Result<ApiClient> connectServer(const ClientOptions &options)
{
    const std::filesystem::path data =
        options.data.empty() ? defaultDataDirectory() : std::filesystem::path(options.data);
    std::string url = options.url.empty() ? environment("SLIPWAY_URL") : options.url;
    if (url.empty())
        url = firstLine(data / "url");
    if (url.empty())
        url = "http://127.0.0.1:8480";
    ASSIGN_OR_RETURN(std::string token, findToken(options, data));
    return ApiClient(std::move(url), std::move(token));
}

schema::Result<Connection> connect(const ClientOptions &options)
{
    ASSIGN_OR_RETURN(ApiClient client, connectServer(options));
    ASSIGN_OR_RETURN(std::string project, findProject(client, options));
    return Connection{std::move(client), std::move(project)};
}

int fail(const schema::Error &error)
{
    std::cerr << "slipway: " << error.message << '\n';
    return 2;
}

void printJson(const json &value)
{
    std::cout << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n' << std::flush;
}

std::string textOf(const json &object, std::string_view key)
{
    const json &member = memberOf(object, key);
    return member.is_string() ? member.get<std::string>() : std::string();
}

std::int64_t numberOf(const json &object, std::string_view key)
{
    const json &member = memberOf(object, key);
    return member.is_number() ? member.get<std::int64_t>() : 0;
}

std::string shownLimit(const json &object)
{
    const std::int64_t limit = numberOf(object, "maxParallelism");
    return limit > 0 ? std::to_string(limit) : "any";
}

const json &memberOf(const json &object, std::string_view key)
{
    static const json kNothing;
    if (!object.is_object())
        return kNothing;
    const auto found = object.find(std::string(key));
    return found == object.end() ? kNothing : *found;
}

} // namespace cli
