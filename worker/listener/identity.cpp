#include "worker/listener/identity.h"

#include "worker/base/text.h"
#include "worker/job/predefined.h"
#include "worker/process/process.h"
#include "worker/sink/http_client.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <unistd.h>
#include <utility>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;

std::string textMember(const Json &json, const char *name)
{
    const auto it = json.find(name);
    if (it == json.end())
        return {};
    if (it->is_string())
        return it->get<std::string>();
    return it->is_number_integer() ? it->dump() : std::string();
}

/// Capabilities by the program that they stand for; some go by two names (worker-and-tasks 11.2).
constexpr std::array<std::pair<std::string_view, std::string_view>, 33> kPrograms{{
    {"ant", "ant"},
    {"bash", "bash"},
    {"clang", "clang"},
    {"cmake", "cmake"},
    {"curl", "curl"},
    {"docker", "docker"},
    {"docker-compose", "docker-compose"},
    {"dotnet", "dotnet"},
    {"g++", "g++"},
    {"gcc", "gcc"},
    {"git", "git"},
    {"go", "go"},
    {"gradle", "gradle"},
    {"gulp", "gulp"},
    {"helm", "helm"},
    {"java", "java"},
    {"JDK", "javac"},
    {"kubectl", "kubectl"},
    {"make", "make"},
    {"maven", "mvn"},
    {"mvn", "mvn"},
    {"node", "node"},
    {"node.js", "node"},
    {"npm", "npm"},
    {"podman", "podman"},
    {"pwsh", "pwsh"},
    {"python", "python"},
    {"python3", "python3"},
    {"sh", "sh"},
    {"subversion", "svn"},
    {"svn", "svn"},
    {"tar", "tar"},
    {"zip", "zip"},
}};

} // namespace

Result<Identity> readIdentity(const fs::path &file)
{
    ASSIGN_OR_RETURN(const auto text, readFile(file, 1U << 16U));
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object())
        return {ErrorCode::InvalidArgument,
                "'" + file.string() + "' is damaged; delete it and register again with a token"};
    Identity out{textMember(json, "url"),  textMember(json, "id"),     textMember(json, "name"),
                 textMember(json, "pool"), textMember(json, "secret"), textMember(json, "ca")};
    if (out.id.empty() || out.secret.empty())
        return {ErrorCode::InvalidArgument,
                "'" + file.string() + "' is damaged; delete it and register again with a token"};
    return out;
}

Status writeIdentity(const fs::path &file, const Identity &identity)
{
    Json json = {{"url", identity.url},
                 {"id", identity.id},
                 {"name", identity.name},
                 {"pool", identity.pool},
                 {"secret", identity.secret}};
    if (!identity.authorityFile.empty())
        json["ca"] = identity.authorityFile;
    return writeFileDurably(file, json.dump(1) + "\n", 0600);
}

Result<Identity> registerWorker(const RegistrationRequest &request)
{
    ASSIGN_OR_RETURN(const auto client, HttpClient::create(request.url, "", request.authorityFile));
    Json capabilities = Json::array();
    for (const auto &capability : request.capabilities)
        capabilities.push_back({{"name", capability.name}, {"value", capability.value}});
    const Json body = {{"token", request.token},    {"name", request.name},
                       {"pool", request.pool},      {"version", SLIPWAY_VERSION},
                       {"slots", request.slots},    {"capabilities", std::move(capabilities)},
                       {"replace", request.replace}};
    ASSIGN_OR_RETURN(const auto reply,
                     client->call("POST", "/_apis/slipway/workers",
                                  body.dump(-1, ' ', false, Json::error_handler_t::replace)));
    const std::string token =
        "the registration token" + (request.tokenFrom.empty() ? "" : " of " + request.tokenFrom);
    if (reply.status == 401)
        return {ErrorCode::Unauthenticated, request.url + " does not accept " + token +
                                                ": it is wrong, expired or of another server; " +
                                                std::string(kNewToken)};
    if (reply.status == 403)
        return {ErrorCode::Unauthenticated, request.url + " does not accept " + token + ": " +
                                                replyMessage(reply) + "; " +
                                                std::string(kNewToken)};
    if (reply.status == 409)
        return {ErrorCode::AlreadyExists, "a worker named '" + request.name +
                                              "' is registered already; choose another --name or "
                                              "take its place with --replace"};
    if (!reply.ok())
        return {ErrorCode::InvalidArgument, "registration failed: " + replyMessage(reply)};
    const auto json = Json::parse(reply.body, nullptr, false);
    if (!json.is_object())
        return {ErrorCode::InvalidArgument, "registration failed: the answer is no JSON object"};
    Identity out{request.url,
                 textMember(json, "id"),
                 textMember(json, "name"),
                 textMember(json, "pool"),
                 textMember(json, "secret"),
                 request.authorityFile};
    if (out.id.empty() || out.secret.empty())
        return {ErrorCode::InvalidArgument, "registration failed: the answer has no id or secret"};
    return out;
}

std::vector<schema::protocol::Capability> detectCapabilities(const std::string &name,
                                                             const std::string &path,
                                                             const std::vector<std::string> &own)
{
    std::vector<schema::protocol::Capability> out;
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) == 0)
        out.push_back({"Agent.ComputerName", host.data()});
    out.push_back({"Agent.Name", name});
    out.push_back({"Agent.OS", "Linux"});
    out.push_back({"Agent.Version", kAgentVersion});
    for (const auto &[capability, program] : kPrograms) {
        if (auto found = findProgram(std::string(program), path); !found.empty())
            out.push_back({std::string(capability), std::move(found)});
    }
    for (const auto &[variable, value] : currentEnvironment()) {
        if (variable.ends_with("_HOME") && value.size() < 1024)
            out.push_back({variable, value});
    }
    for (const auto &entry : own) {
        const auto equals = entry.find('=');
        schema::protocol::Capability capability{
            trimmed(entry.substr(0, equals)),
            equals == std::string::npos ? std::string() : entry.substr(equals + 1)};
        if (equalsIgnoringCase(capability.name, schema::protocol::kUnavailable))
            continue; // the worker's own word
        std::erase_if(out, [&capability](const auto &known) {
            return equalsIgnoringCase(known.name, capability.name);
        });
        out.push_back(std::move(capability));
    }
    return out;
}

} // namespace worker
