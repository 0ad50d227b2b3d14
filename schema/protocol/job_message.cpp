// JSON form of the job message.
#include "schema/model/plan_json.h"
#include "schema/protocol/fields.h"
#include "schema/protocol/messages.h"

namespace schema::protocol {
namespace {

Json write(const JobVariable &variable)
{
    return {{"name", variable.name},
            {"value", variable.value},
            {"isSecret", variable.isSecret},
            {"readOnly", variable.readOnly}};
}

Json write(const ServiceConnection &connection)
{
    return {{"id", connection.id},
            {"name", connection.name},
            {"type", connection.type},
            {"url", connection.url},
            {"scheme", connection.scheme},
            {"parameters", schema::toJson(connection.parameters)},
            {"data", schema::toJson(connection.data)}};
}

Json write(const JobRepository &repository)
{
    return {{"alias", repository.alias},
            {"name", repository.name},
            {"type", repository.type},
            {"url", repository.url},
            {"ref", repository.ref},
            {"version", repository.version},
            {"connection", repository.connection}};
}

Json write(const JobEnvironment &environment)
{
    return {{"id", environment.id},
            {"name", environment.name},
            {"resourceId", environment.resourceId},
            {"resourceName", environment.resourceName},
            {"resourceType", environment.resourceType},
            {"kubernetesNamespace", environment.kubernetesNamespace},
            {"connection", environment.connection},
            {"hookName", environment.hookName},
            {"strategy", environment.strategy}};
}

Json write(const std::pair<std::string, Container> &named)
{
    return {{"name", named.first}, {"container", schema::toJson(named.second)}};
}

template <typename T> Json writeList(const std::vector<T> &values)
{
    Json list = Json::array();
    for (const T &value : values)
        list.push_back(write(value));
    return list;
}

Status readTextMap(const Json &json, const std::string &path, TextMap &out)
{
    auto map = textMapFromJson(json);
    if (!map)
        return map.error().withContext(path);
    out = std::move(*map);
    return {};
}

void readTextMap(Fields &fields, const char *name, TextMap &out)
{
    fields.member(name, [&out](const Json &json, const std::string &path) {
        return readTextMap(json, path, out);
    });
}

Status read(const Json &json, const std::string &path, JobVariable &out)
{
    Fields fields(json, path + ".");
    fields.text("name", out.name, Need::Required);
    fields.text("value", out.value);
    fields.boolean("isSecret", out.isSecret);
    fields.boolean("readOnly", out.readOnly);
    return fields.status();
}

Status read(const Json &json, const std::string &path, ServiceConnection &out)
{
    Fields fields(json, path + ".");
    fields.text("id", out.id, Need::Required);
    fields.text("name", out.name);
    fields.text("type", out.type);
    fields.text("url", out.url);
    fields.text("scheme", out.scheme);
    readTextMap(fields, "parameters", out.parameters);
    readTextMap(fields, "data", out.data);
    return fields.status();
}

Status read(const Json &json, const std::string &path, JobRepository &out)
{
    Fields fields(json, path + ".");
    fields.text("alias", out.alias, Need::Required);
    fields.text("name", out.name);
    fields.text("type", out.type);
    fields.text("url", out.url);
    fields.text("ref", out.ref);
    fields.text("version", out.version);
    fields.text("connection", out.connection);
    return fields.status();
}

Status read(const Json &json, const std::string &path, JobEnvironment &out)
{
    Fields fields(json, path + ".");
    fields.integer("id", out.id);
    fields.text("name", out.name);
    fields.integer("resourceId", out.resourceId);
    fields.text("resourceName", out.resourceName);
    fields.text("resourceType", out.resourceType);
    fields.text("kubernetesNamespace", out.kubernetesNamespace);
    fields.text("connection", out.connection);
    fields.text("hookName", out.hookName);
    fields.text("strategy", out.strategy);
    return fields.status();
}

Status read(const Json &json, const std::string &path, Step &out)
{
    auto step = stepFromJson(json);
    if (!step)
        return step.error().withContext(path);
    out = std::move(*step);
    return {};
}

Status read(const Json &json, const std::string &path, Container &out)
{
    auto container = containerFromJson(json);
    if (!container)
        return container.error().withContext(path);
    out = std::move(*container);
    return {};
}

Status read(const Json &json, const std::string &path, std::pair<std::string, Container> &out)
{
    Fields fields(json, path + ".");
    fields.text("name", out.first, Need::Required);
    fields.member(
        "container",
        [&out](const Json &value, const std::string &at) { return read(value, at, out.second); },
        Need::Required);
    return fields.status();
}

template <typename T> void readList(Fields &fields, const char *name, std::vector<T> &out)
{
    fields.list(name, [&out](const Json &element, const std::string &path) -> Status {
        T value;
        RETURN_IF_ERROR(read(element, path, value));
        out.push_back(std::move(value));
        return {};
    });
}

} // namespace

Json toJson(const JobMessage &message)
{
    Json steps = Json::array();
    for (const Step &step : message.steps)
        steps.push_back(schema::toJson(step));
    Json json = {{"jobId", message.jobId},
                 {"recordId", message.recordId},
                 {"runId", message.runId},
                 {"runNumber", message.runNumber},
                 {"project", message.project},
                 {"pipelineName", message.pipelineName},
                 {"stageName", message.stageName},
                 {"jobName", message.jobName},
                 {"instanceName", message.instanceName},
                 {"displayName", message.displayName},
                 {"identifier", message.identifier},
                 {"attempt", message.attempt},
                 {"steps", std::move(steps)},
                 {"variables", writeList(message.variables)},
                 {"connections", writeList(message.connections)},
                 {"repositories", writeList(message.repositories)},
                 {"services", writeList(message.services)},
                 {"containers", writeList(message.containers)},
                 {"workspaceClean", message.workspaceClean},
                 {"timeoutMinutes", message.timeoutMinutes},
                 {"cancelTimeoutMinutes", message.cancelTimeoutMinutes},
                 {"serverUrl", message.serverUrl},
                 {"jobToken", message.jobToken}};
    if (message.container)
        json["container"] = schema::toJson(*message.container);
    if (message.environment)
        json["environment"] = write(*message.environment);
    return json;
}

Result<JobMessage> jobMessageFromJson(const Json &json)
{
    JobMessage out;
    Fields fields(json, "");
    fields.text("jobId", out.jobId, Need::Required);
    fields.text("recordId", out.recordId, Need::Required);
    fields.integer("runId", out.runId);
    fields.text("runNumber", out.runNumber);
    fields.text("project", out.project);
    fields.text("pipelineName", out.pipelineName);
    fields.text("stageName", out.stageName);
    fields.text("jobName", out.jobName);
    fields.text("instanceName", out.instanceName);
    fields.text("displayName", out.displayName);
    fields.text("identifier", out.identifier);
    fields.integer("attempt", out.attempt);
    readList(fields, "steps", out.steps);
    readList(fields, "variables", out.variables);
    readList(fields, "connections", out.connections);
    readList(fields, "repositories", out.repositories);
    readList(fields, "services", out.services);
    readList(fields, "containers", out.containers);
    fields.member("container", [&out](const Json &value, const std::string &path) {
        return read(value, path, out.container.emplace());
    });
    fields.member("environment", [&out](const Json &value, const std::string &path) {
        return read(value, path, out.environment.emplace());
    });
    fields.text("workspaceClean", out.workspaceClean);
    fields.integer("timeoutMinutes", out.timeoutMinutes);
    fields.integer("cancelTimeoutMinutes", out.cancelTimeoutMinutes);
    fields.text("serverUrl", out.serverUrl);
    fields.text("jobToken", out.jobToken);
    if (auto status = fields.status(); !status)
        return std::move(status).error();
    return out;
}

} // namespace schema::protocol
