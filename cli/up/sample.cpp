#include "cli/up/sample.h"

#include "cli/client/options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <strings.h>
#include <utility>
#include <vector>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;
using std::chrono::seconds;

constexpr const char *kProject = "space-game";
constexpr seconds kGitLimit{60};

class Importer
{
public:
    Importer(const ApiClient &client, const SampleSettings &settings, const StopSignals &signals)
        : m_client(client)
        , m_settings(settings)
        , m_signals(signals)
    {}

    schema::Result<std::int64_t> run();
    schema::Status pointClone(const std::string &url) const;

private:
    /// The object of that name in the list at `path`, created there when it is missing.
    schema::Result<json> ensure(const std::string &path, const std::string &name,
                                const json &body) const;
    schema::Status git(std::vector<std::string> arguments) const;

    schema::Status makeLibrary();
    schema::Status makeEnvironment(const std::string &name, bool guarded);
    schema::Status makeChecks(std::int64_t environment) const;
    schema::Status makeClone(const std::string &url) const;
    schema::Result<json> makePipeline(const std::string &name, const std::string &path,
                                      const json &repository) const;

    [[nodiscard]] bool kubernetes() const { return m_settings.kubeconfig.has_value(); }

    [[nodiscard]] std::string project(const std::string &path) const
    {
        return fmt::format("/{}/_apis/{}", kProject, path);
    }

    const ApiClient &m_client;
    const SampleSettings &m_settings;
    const StopSignals &m_signals;
    std::string m_targetConnection;
};

schema::Result<json> Importer::ensure(const std::string &path, const std::string &name,
                                      const json &body) const
{
    ASSIGN_OR_RETURN(const json list, m_client.get(path));
    for (const json &item : memberOf(list, "value")) {
        if (strcasecmp(textOf(item, "name").c_str(), name.c_str()) == 0)
            return item;
    }
    return m_client.post(path, body).withContext(fmt::format("create '{}'", name));
}

schema::Status Importer::makeLibrary()
{
    const std::string endpoints = project("serviceendpoint/endpoints");
    const std::string registryName = "Container Registry Connection";
    ASSIGN_OR_RETURN(
        const json registry,
        ensure(endpoints, registryName,
               {{"name", registryName},
                {"type", "dockerregistry"},
                {"url", "http://" + m_settings.registry},
                {"authorization",
                 {{"scheme", "UsernamePassword"},
                  {"parameters",
                   {{"registry", m_settings.registry}, {"username", ""}, {"password", ""}}}}},
                {"data", json::object()}}));
    const std::string targetName =
        kubernetes() ? "Kubernetes Connection" : "Docker Host Connection";
    json target{{"name", targetName}, {"data", json::object()}};
    if (m_settings.kubeconfig) {
        target["type"] = "kubernetes";
        target["url"] = "https://kubernetes";
        target["authorization"] = {{"scheme", "Kubernetes"},
                                   {"parameters", {{"kubeconfig", *m_settings.kubeconfig}}}};
    } else {
        target["type"] = "dockerhost";
        target["url"] =
            m_settings.dockerHost.empty() ? "unix:///var/run/docker.sock" : m_settings.dockerHost;
        target["authorization"] = {{"scheme", "None"}, {"parameters", json::object()}};
    }
    ASSIGN_OR_RETURN(const json connection, ensure(endpoints, targetName, target));
    m_targetConnection = textOf(connection, "id");
    const json variables{
        {"registry", {{"value", m_settings.registry}}},
        {"devWebPort", {{"value", std::to_string(m_settings.devWebPort)}}},
        {"productionWebPort", {{"value", std::to_string(m_settings.productionWebPort)}}}};
    ASSIGN_OR_RETURN(const json group,
                     ensure(project("distributedtask/variablegroups"), "Release",
                            {{"name", "Release"}, {"type", "Vsts"}, {"variables", variables}}));
    return {};
}

schema::Status Importer::makeEnvironment(const std::string &name, bool guarded)
{
    const std::string path = project("pipelines/environments");
    ASSIGN_OR_RETURN(const json environment, ensure(path, name, {{"name", name}}));
    const std::int64_t id = numberOf(environment, "id");
    const std::string providers = fmt::format("{}/{}/providers/", path, id);
    // The addressed names of the sample's pipelines: dev.default, or dev.docker.
    const auto resource =
        kubernetes()
            ? m_client.post(providers + "kubernetes", {{"name", "default"},
                                                       {"namespace", name},
                                                       {"serviceEndpointId", m_targetConnection}})
            : m_client.post(providers + "dockerhosts",
                            {{"name", "docker"}, {"serviceEndpointId", m_targetConnection}});
    if (!resource && resource.error().code != ErrorCode::AlreadyExists)
        return resource.error().withContext(
            fmt::format("add a resource to the environment '{}'", name));
    return guarded ? makeChecks(id) : schema::Status();
}

schema::Status Importer::makeChecks(std::int64_t environment) const
{
    const std::string path = project("pipelines/checks/configurations");
    const json resource{{"type", "environment"}, {"id", std::to_string(environment)}};
    ASSIGN_OR_RETURN(
        const json present,
        m_client.get(fmt::format("{}?resourceType=environment&resourceId={}", path, environment)));
    ASSIGN_OR_RETURN(const json me, m_client.get("/_apis/slipway/me"));
    const auto has = [&present](const char *type) {
        for (const json &check : memberOf(present, "value")) {
            if (strcasecmp(textOf(memberOf(check, "type"), "name").c_str(), type) == 0)
                return true;
        }
        return false;
    };
    if (!has("Approval")) {
        const json settings{
            {"approvers", {{{"id", textOf(me, "id")}}}},
            {"instructions", "Does the site look right in dev? Then let it through."}};
        ASSIGN_OR_RETURN(const json approval, m_client.post(path, {{"type", {{"name", "Approval"}}},
                                                                   {"settings", settings},
                                                                   {"resource", resource}}));
    }
    if (!has("ExclusiveLock")) {
        ASSIGN_OR_RETURN(const json lock,
                         m_client.post(path, {{"type", {{"name", "ExclusiveLock"}}},
                                              {"settings", json::object()},
                                              {"resource", resource}}));
    }
    return {};
}

schema::Status Importer::git(std::vector<std::string> arguments) const
{
    arguments.insert(arguments.begin(), {"git", "-C", m_settings.clone.string()});
    const std::map<std::string, std::string> environment{
        {"GIT_TERMINAL_PROMPT", "0"},
        {"GIT_AUTHOR_NAME", "Slipway"},
        {"GIT_AUTHOR_EMAIL", "slipway@localhost"},
        {"GIT_COMMITTER_NAME", "Slipway"},
        {"GIT_COMMITTER_EMAIL", "slipway@localhost"}};
    const std::string what = arguments[3];
    ASSIGN_OR_RETURN(const Output output,
                     runProgram({std::move(arguments), environment, {}}, m_signals, kGitLimit));
    if (output.exitCode != 0)
        return {ErrorCode::Unavailable, fmt::format("git {}: {}", what, output.err)};
    return {};
}

schema::Status Importer::pointClone(const std::string &url) const
{
    const auto known = git({"remote", "get-url", "origin"});
    RETURN_IF_ERROR(git({"remote", known ? "set-url" : "add", "origin", url}));
    // git asks this helper whenever it needs the password, so that none stands in its
    // configuration.
    return git({"config", "credential.helper",
                fmt::format("!f() {{ test \"$1\" = get && echo username=operator && echo "
                            "\"password=$(cat '{}')\"; }}; f",
                            m_settings.tokenFile.string())});
}

schema::Status Importer::makeClone(const std::string &url) const
{
    std::error_code problem;
    const std::filesystem::path &clone = m_settings.clone;
    if (!std::filesystem::exists(clone / ".git", problem)) {
        std::filesystem::remove_all(clone, problem);
        std::filesystem::copy(m_settings.source, clone, std::filesystem::copy_options::recursive,
                              problem);
        if (problem)
            return {ErrorCode::Io,
                    fmt::format("cannot copy '{}' to '{}': {}", m_settings.source.string(),
                                clone.string(), problem.message())};
        for (const char *service : {"web", "leaderboard"})
            std::filesystem::remove_all(clone / service / "out", problem);
        if (!kubernetes()) {
            // A push has no queue dialog, so the parameter's default decides where it is deployed.
            for (const char *file : {"azure-pipelines.yml", "web/azure-pipelines.yml",
                                     "leaderboard/azure-pipelines.yml"}) {
                std::ifstream in(clone / file);
                std::string text((std::istreambuf_iterator<char>(in)),
                                 std::istreambuf_iterator<char>());
                const std::string before = "default: kubernetes";
                if (const std::size_t at = text.find(before); at != std::string::npos)
                    text.replace(at, before.size(), "default: docker");
                std::ofstream(clone / file) << text;
            }
        }
        RETURN_IF_ERROR(git({"init", "--quiet", "--initial-branch=main"}));
        RETURN_IF_ERROR(git({"add", "--all"}));
        RETURN_IF_ERROR(git(
            {"commit", "--quiet", "--message", "The space game: a web site and its leaderboard"}));
    }
    RETURN_IF_ERROR(pointClone(url));
    return git({"push", "--quiet", "--set-upstream", "origin", "main"});
}

schema::Result<json> Importer::makePipeline(const std::string &name, const std::string &path,
                                            const json &repository) const
{
    return ensure(
        project("pipelines"), name,
        {{"name", name},
         {"folder", "\\"},
         {"configuration",
          {{"type", "yaml"},
           {"path", path},
           {"repository", {{"id", textOf(repository, "id")}, {"type", "azureReposGit"}}}}}});
}

schema::Result<std::int64_t> Importer::run()
{
    ASSIGN_OR_RETURN(const json space,
                     ensure("/_apis/projects", kProject,
                            {{"name", kProject},
                             {"description", "Two services: a web site and its leaderboard"}}));
    ASSIGN_OR_RETURN(const json repository,
                     ensure(project("git/repositories"), kProject,
                            {{"name", kProject}, {"defaultBranch", "refs/heads/main"}}));
    RETURN_IF_ERROR(makeLibrary());
    RETURN_IF_ERROR(makeEnvironment("dev", false));
    RETURN_IF_ERROR(makeEnvironment("production", true));
    // The first push comes before the pipelines: it must not trigger all three of them.
    RETURN_IF_ERROR(makeClone(textOf(repository, "remoteUrl")));
    ASSIGN_OR_RETURN(const json whole, makePipeline(kProject, "azure-pipelines.yml", repository));
    for (const std::string service : {"web", "leaderboard"}) {
        ASSIGN_OR_RETURN(const json single,
                         makePipeline(service, service + "/azure-pipelines.yml", repository));
    }
    ASSIGN_OR_RETURN(const json first,
                     m_client.post(project(fmt::format("pipelines/{}/runs", numberOf(whole, "id"))),
                                   {{"templateParameters",
                                     {{"target", kubernetes() ? "kubernetes" : "docker"}}}}));
    return numberOf(first, "id");
}

} // namespace

schema::Result<std::int64_t> importSample(const ApiClient &client, const SampleSettings &settings,
                                          const StopSignals &signals, Console &console)
{
    console.begin("Importing the sample as the project 'space-game'");
    ASSIGN_OR_RETURN(const std::int64_t run,
                     Importer(client, settings, signals).run().withContext("import the sample"));
    console.done();
    return run;
}

schema::Status updateClone(const ApiClient &client, const SampleSettings &settings,
                           const StopSignals &signals)
{
    std::error_code problem;
    if (!std::filesystem::exists(settings.clone / ".git", problem))
        return {};
    ASSIGN_OR_RETURN(const json repository,
                     client.get(fmt::format("/{0}/_apis/git/repositories/{0}", kProject)));
    return Importer(client, settings, signals).pointClone(textOf(repository, "remoteUrl"));
}

} // namespace cli
