#include "server/triggers/pipeline_service.h"

#include "pipelines/base/text.h"
#include "pipelines/run/run_number.h"
#include "schema/base/guid.h"
#include "server/environments/environment_service.h"
#include "server/tasks/task_demands.h"
#include "server/triggers/git_file_source.h"
#include "server/triggers/queue_variables.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace server::triggers {

using pipelines::Diagnostic;
using pipelines::Severity;
using schema::ErrorCode;
using schema::Result;
using store::Connection;
using store::Pipeline;
using store::PipelineStore;

namespace {

constexpr std::size_t kMaxFileBytes = 10U << 20U;

std::string lastSegment(const std::string &ref)
{
    const auto slash = ref.rfind('/');
    return slash == std::string::npos ? ref : ref.substr(slash + 1);
}

std::string fullRef(const std::string &branch, const std::string &fallback)
{
    if (branch.empty())
        return fallback;
    return branch.starts_with("refs/") ? branch : "refs/heads/" + branch;
}

std::string capitalised(std::string_view word)
{
    std::string out(word);
    if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
        out.front() = static_cast<char>(out.front() - 'a' + 'A');
    return out;
}

/// Predefined variables that template expressions may see (pipeline-language 17, column T).
std::map<std::string, std::string> templateVariables(const CompiledPipeline &at,
                                                     const QueueRequest &request)
{
    const auto &pipeline = at.pipeline;
    std::map<std::string, std::string> out;
    for (const auto &[name, value] : request.variables)
        out[name] = value;
    const auto set = [&out](const char *name, std::string value) { out[name] = std::move(value); };
    set("Build.DefinitionName", pipeline.name);
    set("Build.DefinitionVersion", std::to_string(pipeline.revision));
    set("Build.DefinitionFolderPath", pipeline.folder);
    set("Build.Reason", capitalised(schema::toString(request.reason)));
    set("Build.Repository.ID", at.repository.id);
    set("Build.Repository.Name", at.repository.name);
    set("Build.Repository.Provider", "TfsGit");
    set("Build.SourceBranch", at.branch);
    set("Build.SourceBranchName", lastSegment(at.branch));
    set("Build.SourceVersion", at.commit.id);
    set("Build.SourceVersionAuthor", at.commit.authorName);
    const std::string person =
        request.requestedBy ? request.requestedBy->displayName : at.commit.authorName;
    set("Build.QueuedBy", person);
    set("Build.RequestedFor", person);
    set("Build.RequestedForEmail",
        request.requestedBy ? request.requestedBy->uniqueName : at.commit.authorEmail);
    if (request.requestedBy) {
        set("Build.QueuedById", request.requestedBy->identityId);
        set("Build.RequestedForId", request.requestedBy->identityId);
    }
    if (!request.scheduleName.empty())
        set("Build.CronSchedule.DisplayName", request.scheduleName);
    set("System.TeamProject", at.project.name);
    set("System.TeamProjectId", at.project.id);
    set("System.DefinitionId", std::to_string(pipeline.id));
    set("System.CollectionId", schema::nameGuid("slipway", "collection"));
    set("System.HostType", "build");
    set("System.IsTriggeringRepository", "True");
    set("System.PullRequest.IsFork", "False");
    for (const auto &[name, value] : request.triggerVariables)
        if (!name.starts_with("Slipway."))
            out[name] = value;
    return out;
}

void sortByPlace(std::vector<Diagnostic> &diagnostics)
{
    std::stable_sort(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic &a, const Diagnostic &b) {
                         return std::tie(a.position.file, a.position.line) <
                                std::tie(b.position.file, b.position.line);
                     });
}

/// Puts path and folder into their stored form. Errors: InvalidArgument naming the field.
schema::Status normalise(Pipeline &pipeline)
{
    if (pipeline.name.empty() || pipeline.name.size() > 256)
        return {ErrorCode::InvalidArgument, "'name' must have 1 to 256 characters"};
    if (pipeline.yamlPath.empty())
        return {ErrorCode::InvalidArgument, "'configuration.path' is missing"};
    if (pipeline.yamlPath.front() != '/')
        pipeline.yamlPath.insert(0, "/");
    if (pipeline.folder.empty())
        pipeline.folder = "\\";
    return {};
}

schema::Status checkSkipped(const schema::RunPlan &plan, const std::vector<std::string> &skipped)
{
    for (const auto &name : skipped) {
        const auto stage =
            std::find_if(plan.stages.begin(), plan.stages.end(),
                         [&](const schema::Stage &candidate) { return candidate.name == name; });
        if (stage == plan.stages.end())
            return {ErrorCode::InvalidArgument,
                    "'stagesToSkip' names stage '" + name + "', which the pipeline does not have"};
        if (!stage->isSkippable)
            return {ErrorCode::InvalidArgument, "stage '" + name + "' may not be skipped"};
    }
    return {};
}

} // namespace

std::string diagnosticsJson(const std::vector<Diagnostic> &diagnostics)
{
    auto list = nlohmann::ordered_json::array();
    for (const auto &diagnostic : diagnostics)
        list.push_back({{"severity", diagnostic.severity == Severity::Error ? "error" : "warning"},
                        {"code", diagnostic.code},
                        {"message", diagnostic.message},
                        {"file", diagnostic.position.file},
                        {"line", diagnostic.position.line},
                        {"column", diagnostic.position.column},
                        {"hint", diagnostic.hint}});
    return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

PipelineService::PipelineService(store::Database &database, library::ProjectService &projects,
                                 RepositoryService &repositories, library::LibraryService &library,
                                 environments::EnvironmentService &environments,
                                 scheduler::RunService &runs, const tasks::TaskStore &tasks)
    : m_database(database)
    , m_projects(projects)
    , m_repositories(repositories)
    , m_library(library)
    , m_environments(environments)
    , m_runs(runs)
    , m_tasks(tasks)
{}

Result<std::vector<Pipeline>> PipelineService::list(const std::string &projectId)
{
    return m_database.read(
        [&](Connection &connection) { return Result(PipelineStore(connection).list(projectId)); });
}

Result<std::vector<Pipeline>> PipelineService::ofRepository(const std::string &repositoryId)
{
    return m_database.read([&](Connection &connection) {
        return Result(PipelineStore(connection).listOfRepository(repositoryId));
    });
}

Result<std::vector<Pipeline>> PipelineService::all()
{
    return m_database.read(
        [](Connection &connection) { return Result(PipelineStore(connection).listAll()); });
}

Result<Pipeline> PipelineService::find(const std::string &projectId, std::int64_t id)
{
    return m_database.read([&](Connection &connection) -> Result<Pipeline> {
        auto pipeline = PipelineStore(connection).find(id);
        if (!pipeline ||
            (!projectId.empty() && (pipeline->projectId != projectId || pipeline->deleted)))
            return {ErrorCode::NotFound, "no pipeline " + std::to_string(id) + " in this project"};
        return *std::move(pipeline);
    });
}

Result<Pipeline> PipelineService::update(Pipeline pipeline)
{
    ASSIGN_OR_RETURN(const auto before, find(pipeline.projectId, pipeline.id));
    RETURN_IF_ERROR(normalise(pipeline));
    pipeline.defaultBranch = fullRef(pipeline.defaultBranch, before.defaultBranch);
    RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> schema::Status {
        PipelineStore pipelines(connection);
        for (const auto &other : pipelines.list(pipeline.projectId))
            if (other.id != pipeline.id && other.folder == pipeline.folder &&
                other.name == pipeline.name)
                return {ErrorCode::AlreadyExists,
                        "a pipeline '" + pipeline.name + "' exists already"};
        pipelines.update(pipeline);
        return {};
    }));
    if (pipeline.maxParallelism != before.maxParallelism)
        m_runs.limitsChanged();
    return find(pipeline.projectId, pipeline.id);
}

Result<Pipeline> PipelineService::create(Pipeline pipeline)
{
    RETURN_IF_ERROR(normalise(pipeline));
    pipeline.createdAt = schema::wallClockNow();
    ASSIGN_OR_RETURN(const auto repository,
                     m_repositories.find(pipeline.projectId, pipeline.repositoryId));
    pipeline.repositoryId = repository.id;
    pipeline.defaultBranch = fullRef(pipeline.defaultBranch, repository.defaultBranch);
    return m_database.write([&](Connection &connection) -> Result<Pipeline> {
        PipelineStore pipelines(connection);
        for (const auto &other : pipelines.list(pipeline.projectId))
            if (other.folder == pipeline.folder && other.name == pipeline.name)
                return {ErrorCode::AlreadyExists,
                        "a pipeline '" + pipeline.name + "' exists already"};
        pipeline.id = pipelines.insert(pipeline);
        return pipeline;
    });
}

Result<KnownNames> PipelineService::knownNames(const std::string &projectId, bool mayCreate)
{
    KnownNames known;
    known.mayCreateEnvironments = mayCreate;
    ASSIGN_OR_RETURN(const auto groups, m_library.groups(projectId));
    for (const auto &group : groups)
        known.groups.push_back(group.name);
    ASSIGN_OR_RETURN(const auto connections, m_library.connections(projectId));
    for (const auto &connection : connections) {
        known.connections.push_back(connection.name);
        known.connections.push_back(connection.id);
    }
    ASSIGN_OR_RETURN(const auto environments, m_environments.list(projectId));
    for (const auto &environment : environments) {
        KnownNames::Environment entry{environment.name, {}};
        for (const auto &resource : environment.resources)
            entry.resources.push_back(resource.name);
        known.environments.push_back(std::move(entry));
    }
    return known;
}

Result<CompiledPipeline> PipelineService::compile(const QueueRequest &request,
                                                  bool requireParameters)
{
    CompiledPipeline out;
    if (request.draft) {
        out.pipeline = *request.draft;
    } else {
        ASSIGN_OR_RETURN(out.pipeline, find("", request.pipelineId));
    }
    ASSIGN_OR_RETURN(out.project, m_projects.find(out.pipeline.projectId));
    ASSIGN_OR_RETURN(out.repository, m_repositories.findById(out.pipeline.repositoryId));
    out.branch = fullRef(request.branch, out.pipeline.defaultBranch);
    ASSIGN_OR_RETURN(auto git, m_repositories.open(out.repository));
    ASSIGN_OR_RETURN(const std::string commitId,
                     git.resolve(request.version.empty() ? out.branch : request.version));
    ASSIGN_OR_RETURN(out.commit, git.commit(commitId));

    pipelines::CompileRequest compileRequest;
    compileRequest.path = out.pipeline.yamlPath;
    if (request.yamlOverride) {
        compileRequest.text = *request.yamlOverride;
    } else {
        auto text = git.readFile(commitId, out.pipeline.yamlPath, kMaxFileBytes);
        if (!text) {
            Diagnostic missing;
            missing.code = "file-not-found";
            missing.message = text.error().message + " (branch " + out.branch + ")";
            missing.position.file = out.pipeline.yamlPath;
            missing.hint = "commit the file or correct the pipeline's path";
            out.diagnostics.push_back(std::move(missing));
            return out;
        }
        compileRequest.text = *std::move(text);
    }
    out.text = compileRequest.text;
    for (const auto &[name, value] : request.parameters)
        compileRequest.parameters[name] = value;
    compileRequest.variables = templateVariables(out, request);
    ASSIGN_OR_RETURN(const auto groups, m_library.plainGroups(out.project.id));
    for (const auto &[name, values] : groups)
        compileRequest.variableGroups[name] = values;
    compileRequest.requireParameters = requireParameters;
    GitFileSource files(m_repositories, out.project.id, std::move(git), commitId);
    out.compilation = pipelines::compile(compileRequest, files);
    out.diagnostics = out.compilation.diagnostics;
    if (out.compilation.plan) {
        ASSIGN_OR_RETURN(const auto known,
                         knownNames(out.project.id, request.requestedBy.has_value()));
        for (auto &diagnostic : missingReferences(*out.compilation.plan, known))
            out.diagnostics.push_back(std::move(diagnostic));
        sortByPlace(out.diagnostics);
    }
    out.valid = out.compilation.ok() && out.compilation.plan &&
                std::none_of(out.diagnostics.begin(), out.diagnostics.end(),
                             [](const Diagnostic &diagnostic) {
                                 return diagnostic.severity == Severity::Error;
                             });
    return out;
}

Result<std::string> PipelineService::nextNumber(const CompiledPipeline &compiled,
                                                const QueueRequest &request,
                                                const schema::RunPlan &plan)
{
    const auto variables = templateVariables(compiled, request);
    const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
        // The id is not known yet; the run service fills it in.
        if (pipelines::equalIgnoringCase(name, "Build.BuildId"))
            return "$(Build.BuildId)";
        for (const auto &[key, value] : variables)
            if (pipelines::equalIgnoringCase(key, name))
                return value;
        for (const auto &entry : plan.variables)
            if (pipelines::equalIgnoringCase(entry.name, name))
                // `$[ ]` gets its value when the run is created
                return entry.value.find("$[") == std::string::npos ? entry.value
                                                                   : "$(" + entry.name + ")";
        return std::nullopt;
    };
    const auto now = schema::wallClockNow();
    return m_database.write([&](Connection &connection) -> Result<std::string> {
        PipelineStore counters(connection);
        const auto revision = [&](const std::string &text) {
            return static_cast<std::uint64_t>(
                counters.nextCounter(compiled.pipeline.id, "rev:" + text, 1));
        };
        const std::string format =
            plan.name.empty() ? std::string(pipelines::run::kDefaultRunNumber) : plan.name;
        return pipelines::run::formatRunNumber(format, now, lookup, revision)
            .withContext("run number '" + format + "' (name:)");
    });
}

Result<QueuedRun> PipelineService::queue(const QueueRequest &request)
{
    ASSIGN_OR_RETURN(auto compiled, compile(request));
    if (compiled.pipeline.queueStatus == 2)
        return {ErrorCode::Conflict, "pipeline '" + compiled.pipeline.name + "' is disabled"};
    if (!compiled.valid && request.requestedBy)
        return QueuedRun{0, compiled.diagnostics};
    const auto &known = compiled.compilation.plan;
    RETURN_IF_ERROR(checkQueueVariables(request.variables, known ? &*known : nullptr));
    // The number is part of the file too: one that cannot be formed makes the run invalid.
    const schema::RunPlan noPlan;
    auto number = nextNumber(compiled, request,
                             compiled.compilation.plan ? *compiled.compilation.plan : noPlan);
    if (!number && number.error().code == ErrorCode::InvalidArgument) {
        Diagnostic wrong;
        wrong.code = "invalid-run-number";
        wrong.message = number.error().message;
        wrong.position.file = compiled.pipeline.yamlPath;
        compiled.diagnostics.push_back(std::move(wrong));
        compiled.valid = false;
        number = nextNumber(compiled, request, noPlan);
    }
    if (!number)
        return number.error();
    QueuedRun out{0, compiled.diagnostics};
    if (!compiled.valid && request.requestedBy)
        return out;
    scheduler::NewRun run;
    run.triggerVariables = request.triggerVariables;
    if (!request.scheduleName.empty())
        run.triggerVariables.emplace_back("Build.CronSchedule.DisplayName", request.scheduleName);
    run.pipelineId = compiled.pipeline.id;
    run.reason = request.reason;
    run.priority = request.priority;
    run.sourceBranch = compiled.branch;
    run.sourceVersion = compiled.commit.id;
    run.commitMessage = firstLine(compiled.commit.message);
    run.commitAuthor = compiled.commit.authorName;
    if (request.requestedBy)
        run.requestedBy = request.requestedBy->identityId;
    run.parameters = request.parameters;
    run.variables = request.variables;
    run.validationJson = diagnosticsJson(compiled.diagnostics);
    run.valid = compiled.valid;
    auto &plan = compiled.compilation.plan;
    if (compiled.valid && plan) {
        RETURN_IF_ERROR(checkSkipped(*plan, request.stagesToSkip));
        run.stagesToSkip = request.stagesToSkip;
        run.plan = std::move(*plan);
        tasks::addTaskDemands(run.plan, m_tasks);
        run.finalYaml = std::move(compiled.compilation.finalYaml);
    }
    run.number = *std::move(number);
    ASSIGN_OR_RETURN(out.runId, m_runs.createRun(std::move(run)));
    return out;
}

} // namespace server::triggers
