// What an unmodified task finds in its environment (worker-and-tasks 2.2, 2.4, 5.5).
#include "worker/base/text.h"
#include "worker/node/packaged_task.h"

#include <nlohmann/json.hpp>

#include <set>

namespace worker {
namespace {

using schema::protocol::ServiceConnection;
using Json = nlohmann::ordered_json;

std::string dump(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool namesConnections(const schema::TaskInputDefinition &input)
{
    return toLower(input.type).starts_with("connectedservice");
}

/// The folder that path inputs start from.
fs::path pathBase(const TaskContext &task)
{
    const auto &job = task.job();
    const auto sources = job.variables.value("Build.SourcesDirectory");
    return job.checkouts > 1 || sources.empty() ? task.defaultDirectory() : fs::path(sources);
}

void addConnection(Environment &out, const std::string &id, const ServiceConnection &connection)
{
    const auto add = [&out](std::string name, std::string value) {
        // What cannot be in an environment is left out; a task sees it in the JSON form.
        if (name.find_first_of(std::string_view("=\0", 2)) == std::string::npos &&
            value.find('\0') == std::string::npos)
            setEnvironment(out, name, std::move(value));
    };
    const std::string scheme = connection.scheme.empty() ? "None" : connection.scheme;
    Json parameters = Json::object();
    for (const auto &[name, value] : connection.parameters) {
        parameters[name] = value;
        add("ENDPOINT_AUTH_PARAMETER_" + id + "_" + environmentName(name), value);
    }
    add("ENDPOINT_URL_" + id, connection.url);
    add("ENDPOINT_AUTH_SCHEME_" + id, scheme);
    add("ENDPOINT_AUTH_" + id, dump({{"parameters", parameters}, {"scheme", scheme}}));
    Json data = Json::object();
    for (const auto &[name, value] : connection.data) {
        data[name] = value;
        add("ENDPOINT_DATA_" + id + "_" + environmentName(name), value);
        add("ENDPOINT_DATA_" + id + "_" + toUpper(name), value); // as the task library asks
    }
    if (!connection.data.empty())
        add("ENDPOINT_DATA_" + id, dump(data));
}

/// Replaces the names of connections in an input by their ids and exports the connections.
Result<std::string> exportConnections(TaskContext &task, const schema::TaskInputDefinition &input,
                                      const std::string &value, Environment &out)
{
    std::vector<std::string> ids;
    for (const auto &name : listEntries(value, ",")) {
        const auto *connection = task.job().connection(name);
        if (connection == nullptr)
            return {ErrorCode::NotFound,
                    "there is no service connection '" + name + "' (input '" + input.name +
                        "'); create it in the project's settings and let this pipeline use it" +
                        (task.job().options.local
                             ? ", or describe it in the file given with --connections"
                             : "")};
        const auto id = toLower(connection->id.empty() ? connection->name : connection->id);
        addConnection(out, id, *connection);
        ids.push_back(id);
    }
    return join(ids, ",");
}

/// Replaces the name of a secure file by its id and exports what the library needs to fetch it: the
/// name for the file's place, and a ticket.
Result<std::string> exportSecureFile(TaskContext &task, const schema::TaskInputDefinition &input,
                                     const std::string &value, Environment &out)
{
    auto file = task.job().sink.secureFileTicket(value);
    if (!file)
        return std::move(file).error().withContext("input '" + input.name + "'");
    task.job().masker.add(file->ticket); // the library prints it when system.debug is on
    setEnvironment(out, "SECUREFILE_NAME_" + file->id, file->name);
    setEnvironment(out, "SECUREFILE_TICKET_" + file->id, file->ticket);
    return file->id;
}

void addVariables(const TaskContext &task, Environment &out)
{
    const auto &variables = task.job().variables;
    std::set<std::string> open;
    for (const auto &[name, value] : variables.environment())
        open.insert(name);
    Json publicNames = Json::array();
    Json secretNames = Json::array();
    for (const auto &[key, variable] : variables) {
        const auto plain = environmentName(variable.name);
        const auto kept = replaceAll(replaceAll(variable.name, ".", "_"), " ", "_");
        if (open.contains(variable.preserveCase ? kept : plain)) {
            publicNames.push_back(variable.name);
            continue;
        }
        const auto value = variables.expand(variable.value);
        if (value.find('\0') != std::string::npos || plain.find('=') != std::string::npos)
            continue;
        secretNames.push_back(variable.name);
        setEnvironment(out, "SECRET_" + plain, value);
    }
    setEnvironment(out, "VSTS_PUBLIC_VARIABLES", dump(publicNames));
    setEnvironment(out, "VSTS_SECRET_VARIABLES", dump(secretNames));
}

} // namespace

std::vector<std::pair<std::string, std::string>> packagedInputs(const TaskContext &task,
                                                                const PackagedTask &package)
{
    const auto &job = task.job();
    const auto *trimming = job.variables.find("DISABLE_INPUT_TRIMMING");
    const bool trims = trimming == nullptr || !isTrue(trimming->value);
    std::vector<std::pair<std::string, std::string>> out;
    const auto &definition = package.execution.definition;
    const auto valueOf = [&](std::string_view raw) {
        auto value = job.variables.expand(raw);
        return trims ? trimmed(value) : value;
    };
    for (const auto &input : definition.inputs) {
        std::string_view raw = input.defaultValue;
        for (const auto &[name, value] : task.step().inputs) {
            if (definition.findInput(name) == &input)
                raw = value;
        }
        auto value = valueOf(raw);
        if (equalsIgnoringCase(input.type, "filePath")) {
            const fs::path path(value);
            value = (path.is_absolute() ? path : pathBase(task) / path).lexically_normal().string();
            while (value.size() > 1 && value.ends_with('/'))
                value.pop_back();
        } else if (equalsIgnoringCase(input.type, "boolean") &&
                   (equalsIgnoringCase(value, "true") || equalsIgnoringCase(value, "false"))) {
            value = toLower(value);
        }
        out.emplace_back(input.name, std::move(value));
    }
    // Inputs that task.json does not name are handed on as they are.
    for (const auto &[name, value] : task.step().inputs) {
        if (definition.findInput(name) == nullptr)
            out.emplace_back(name, valueOf(value));
    }
    return out;
}

Result<Environment> packagedEnvironment(TaskContext &task, const PackagedTask &package)
{
    Environment out;
    addVariables(task, out);
    for (auto &[name, value] : packagedInputs(task, package)) {
        const auto *input = package.execution.definition.findInput(name);
        if (input != nullptr && namesConnections(*input) && !value.empty()) {
            ASSIGN_OR_RETURN(value, exportConnections(task, *input, value, out));
        }
        if (input != nullptr && equalsIgnoringCase(input->type, "secureFile") && !value.empty()) {
            ASSIGN_OR_RETURN(value, exportSecureFile(task, *input, value, out));
        }
        if (value.find('\0') == std::string::npos && name.find('=') == std::string::npos)
            setEnvironment(out, "INPUT_" + environmentName(name), std::move(value));
    }
    const auto &message = task.job().message;
    if (!message.serverUrl.empty()) {
        ServiceConnection server;
        server.url = message.serverUrl.ends_with('/') ? message.serverUrl : message.serverUrl + "/";
        server.scheme = "OAuth";
        server.parameters = {{"AccessToken", message.jobToken}};
        addConnection(out, "SYSTEMVSSCONNECTION", server);
        const std::string &authorities = task.job().options.authorityFile;
        if (!authorities.empty() && findEnvironment(out, "NODE_EXTRA_CA_CERTS") == nullptr)
            setEnvironment(out, "NODE_EXTRA_CA_CERTS", authorities);
    }
    setEnvironment(out, "SYSTEM_TASKINSTANCEID", task.step().id);
    setEnvironment(out, "SYSTEM_TASKINSTANCENAME", task.step().name);
    setEnvironment(out, "SYSTEM_TASKDISPLAYNAME", task.state().displayName);
    return out;
}

} // namespace worker
