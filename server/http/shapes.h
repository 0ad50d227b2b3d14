#pragma once
/// JSON forms shared by several routes: Azure DevOps objects and Slipway's own (docs/api.md).

#include "server/http/call.h"
#include "server/http/services.h"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace server::http {

using Json = nlohmann::ordered_json;

/// Project of the call's {project} placeholder. Errors: NotFound.
schema::Result<store::Project> projectOf(const Call &call, Services &services);

/// "{base}/{project id}/_apis/{rest}".
std::string projectUrl(const Call &call, const std::string &projectId, std::string_view rest);
/// Page of the portal: "{base}/{project}/{rest}".
std::string pageUrl(const Call &call, const std::string &projectName, std::string_view rest);

/// Where the badge of a pipeline is.
std::string badgeUrl(const Call &call, const std::string &projectId, std::int64_t pipelineId);
/// "enabled", "paused", "disabled" of a pipeline's queueStatus (0 to 2).
const char *queueStatusName(int queueStatus);
Json projectJson(const Call &call, const store::Project &project);
Json identityJson(const Call &call, const std::string &id, const std::string &displayName,
                  const std::string &uniqueName = {});
/// A limit on jobs at once; null for none (0).
Json limitJson(int maxParallelism);
/// Member 'maxParallelism' of a body: 0 for null, nothing when it is absent. Errors:
/// InvalidArgument.
schema::Result<std::optional<std::int64_t>> limitMember(const Json &body);
/// Member 'priority' of a body, as word or number of Azure's QueuePriority. Errors:
/// InvalidArgument.
schema::Result<std::optional<schema::RunPriority>> priorityMember(const Json &body);
/// Adds `name: time` when the time is known.
void setTime(Json &object, const char *name, const std::optional<schema::TimePoint> &time);
/// An empty object with room for so many members. One that grows copies all their names.
Json objectWithRoom(std::size_t members);

/// An object of the names and values that follow each other, all names different. Initializer lists
/// of Json make an array of each pair first, which was a third of the time of making a build.
template <typename... Members> Json objectOf(Members &&...members)
{
    Json::object_t object;
    object.reserve(sizeof...(members) / 2);
    const auto add = [&object](const auto &self, const char *name, auto &&value, auto &&...rest) {
        object.emplace_back(name, std::forward<decltype(value)>(value));
        if constexpr (sizeof...(rest) > 0)
            self(self, std::forward<decltype(rest)>(rest)...);
    };
    add(add, std::forward<Members>(members)...);
    return object;
}

/// Parses stored JSON; `fallback` when it is damaged.
Json storedJson(const std::string &text, const Json &fallback);

/// Numbers of artifacts' and logs' addresses, project and pipeline names: looked up once per
/// answer.
class RunShapes
{
public:
    RunShapes(const Call &call, Services &services)
        : m_call(call)
        , m_services(services)
    {}

    /// Azure's Build of each run. Errors: those of the look-ups.
    schema::Result<std::vector<Json>> builds(const std::vector<store::RunRow> &runs);
    schema::Result<Json> build(const store::RunRow &run);
    /// Azure's Run of the pipelines area.
    schema::Result<Json> pipelineRun(const store::RunRow &run, bool full,
                                     const std::string &finalYaml = {});
    /// Slipway's RunSummary.
    schema::Result<Json> summary(const scheduler::RunOverview &overview);

private:
    /// What the builds of one pipeline have in common.
    struct BuildParts
    {
        Json definition, project, repository;
    };

    schema::Result<const BuildParts *> partsOf(const store::RunRow &run);
    schema::Result<Json> build(const store::RunRow &run, bool leased,
                               const std::vector<std::string> &tags);
    schema::Result<const store::Project *> project(const std::string &id);
    schema::Result<const store::Pipeline *> pipeline(std::int64_t id);
    schema::Result<const store::Repository *> repository(const std::string &id);

    const Call &m_call;
    Services &m_services;
    std::map<std::string, store::Project> m_projects;
    std::map<std::int64_t, store::Pipeline> m_pipelines;
    std::map<std::string, store::Repository> m_repositories;
    std::map<std::int64_t, BuildParts> m_buildParts;
};

/// Azure's TimelineRecord. `earlierAttempts`: by record, ascending; those before the record's own
/// are named. A timeline of its own shows each (timelineId()).
Json recordJson(const store::RunRow &run, const store::TimelineRow &record,
                const std::string &buildUrl,
                const std::map<std::string, std::vector<int>> &earlierAttempts);
/// The timeline that shows a run as it was in an attempt before the newest one
/// (environments-and-portal D5, previousAttempts). The newest one's id is that of the run's plan.
std::string timelineId(const store::RunRow &run, int attempt);
/// Azure's EnvironmentDeploymentExecutionRecord.
Json deploymentRecordJson(const Call &call, const store::Project &project,
                          const environments::DeploymentRecord &record);

/// Run of the call's placeholder, checked to belong to the project. Errors: NotFound.
schema::Result<store::RunRow> runOf(const Call &call, Services &services,
                                    const store::Project &project, std::string_view placeholder);

/// Reply to a person's queue request that the pipeline's errors refused: 400 with diagnostics.
Reply validationReply(const std::vector<pipelines::Diagnostic> &diagnostics);
Json diagnosticsList(const std::vector<pipelines::Diagnostic> &diagnostics);

} // namespace server::http
