#pragma once
/// The run plan: what the compiler makes of a pipeline file and what server, worker and
/// `slipway run` carry out. Plain values; serialised as JSON (plan_json.h) into the database, the
/// worker's job message and `slipway preview --format plan`.
///
/// Texts marked [R] may hold a runtime expression `$[ ]`, [M] a macro `$( )`; who expands them and
/// when stands in pipeline-language 12. Template expressions are gone from a plan.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace schema {

/// Ordered text map: YAML order matters to users (inputs, env, variables).
using TextMap = std::vector<std::pair<std::string, std::string>>;

/// Value of `key`, compared ignoring ASCII case (task inputs, variables); nullptr when absent.
const std::string *findText(const TextMap &map, std::string_view key);

/// Where a thing was written. Lines and columns are 1-based; 0 means generated.
struct SourcePosition
{
    std::string file; ///< repository-rooted ("/azure-pipelines.yml", "/t.yml@alias")
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    bool operator==(const SourcePosition &) const = default;
};

/// One entry of a `variables:` list, in order: either a named value or a group reference.
struct VariableEntry
{
    std::string name;  ///< empty for a group
    std::string value; ///< [R][M]
    std::string group; ///< group name; its contents are never inlined in a plan
    bool readOnly = false;
    SourcePosition position{}; ///< of a group's entry; whether it exists is not known here
    bool operator==(const VariableEntry &) const = default;
};

struct Pool
{
    std::string name;                 ///< empty: default pool (or the one vmImage maps to)
    std::string vmImage;              ///< [R][M]
    std::vector<std::string> demands; ///< "Name" or "Name -equals Value"
    bool server = false;              ///< `pool: server`, agentless job
    bool operator==(const Pool &) const = default;
};

struct Container
{
    std::string alias;               ///< alias of resources.containers, if it came from one
    std::string image;               ///< [R][M]
    std::string endpoint;            ///< service connection for a private registry
    SourcePosition endpointPosition; ///< line 0: none is named
    std::string options;
    TextMap env;
    std::vector<std::string> ports;
    std::vector<std::string> volumes;
    bool mapDockerSocket = true;
    /// Of the worker's folders, those that the container may not write: "work", "tools", "tasks",
    /// "externals".
    std::vector<std::string> mountReadOnly;
    bool localImage = false; ///< never pulled
    bool operator==(const Container &) const = default;
};

struct StepTarget
{
    std::string container; ///< empty: the job's; "host": the host
    bool restrictedCommands = false;
    std::optional<std::vector<std::string>> settableVariables; ///< absent: all
    bool operator==(const StepTarget &) const = default;
};

struct Step
{
    std::string id;   ///< name-based GUID, unique in the plan, stable across attempts
    std::string name; ///< reference name for outputs; generated ("CmdLine1") when not written
    std::string displayName; ///< [M]
    std::string task;        ///< "CmdLine", or the GUID of a built-in (checkout, download, publish)
    std::string taskVersion; ///< as written after '@' ("2", "2.1.3")
    std::string condition;   ///< empty: succeeded()
    bool continueOnError = false;
    std::uint32_t timeoutMinutes = 0; ///< 0: no own limit
    std::uint32_t retryCount = 0;     ///< 0..10
    std::optional<StepTarget> target;
    TextMap inputs; ///< [M]
    TextMap env;    ///< [M]
    SourcePosition position;
    std::vector<SourcePosition> includedFrom; ///< innermost template reference first
    bool operator==(const Step &) const = default;
};

/// Built-in tasks without a catalogue entry (pipeline-language 3.9, measured).
inline constexpr const char *kCheckoutTaskId = "6d15af64-176c-496d-b583-fd2ae21d4df4";
inline constexpr const char *kDownloadTaskId = "30f35852-3f7e-4c0c-9a88-e127b4f97211";
inline constexpr const char *kPublishTaskId = "ecdc45f6-832d-4ad9-b52b-ee49e94659be";

/// `environment:` of a deployment job. Texts are [M]: resolved when the stage starts.
struct EnvironmentReference
{
    std::string name;
    std::string resourceName; ///< after the first dot of the short form, or resourceName
    std::string resourceType; ///< "Kubernetes", "VirtualMachine" or empty
    std::vector<std::string> tags;
    bool operator==(const EnvironmentReference &) const = default;
};

enum class HookKind : std::uint8_t {
    PreDeploy,
    Deploy,
    RouteTraffic,
    PostRouteTraffic,
    OnFailure,
    OnSuccess
};

/// "preDeploy", "deploy", "routeTraffic", "postRouteTraffic", "on.failure", "on.success".
std::string_view toString(HookKind kind);

struct DeploymentHook
{
    HookKind kind = HookKind::Deploy;
    std::vector<Step> steps;
    std::optional<Pool> pool;
    bool operator==(const DeploymentHook &) const = default;
};

enum class DeploymentStrategy : std::uint8_t { RunOnce, Rolling, Canary };

struct MatrixLeg
{
    std::string name;
    TextMap variables;
    bool operator==(const MatrixLeg &) const = default;
};

/// One job of the YAML (a "phase" in the timeline). How many instances it has is known when it
/// starts: one, one per matrix leg, one per slice, or one per deployment hook.
struct Job
{
    std::string id; ///< name-based GUID of the phase
    std::string name;
    std::string displayName; ///< [M]
    std::vector<std::string>
        dependsOn;         ///< names of jobs of the same stage, spelled as declared there
    std::string condition; ///< empty: succeeded()
    std::string continueOnError = "false";  ///< boolean text [R]
    std::string timeoutMinutes = "60";      ///< number text [R]; 0: no limit
    std::string cancelTimeoutMinutes = "5"; ///< number text [R]
    Pool pool;                              ///< effective: job > stage > root > default
    std::optional<Container> container;
    std::vector<std::pair<std::string, Container>> services;
    std::string workspaceClean;                ///< "", "outputs", "resources", "all"
    std::vector<std::string> usedRepositories; ///< `uses`: aliases whose credentials it gets
    std::vector<std::string> usedPools;        ///< `uses`: pools that are named at run time only
    std::vector<VariableEntry> variables;
    std::vector<Step> steps; ///< without the implicit checkout; empty for a deployment

    std::vector<MatrixLeg> matrix; ///< literal matrix
    std::string matrixExpression;  ///< `$[ ]` matrix [R]
    std::string maxParallel;       ///< number text [R]; empty or 0: no limit
    std::string parallel;          ///< slice count, number text [R]; empty: not sliced

    bool isDeployment = false;
    std::optional<EnvironmentReference> environment;
    DeploymentStrategy strategy = DeploymentStrategy::RunOnce;
    std::string rollingMaxParallel;
    std::vector<std::uint32_t> canaryIncrements;
    std::vector<DeploymentHook> hooks;
    SourcePosition position;
    bool operator==(const Job &) const = default;
};

enum class LockBehavior : std::uint8_t { RunLatest, Sequential };

struct Stage
{
    std::string id;   ///< name-based GUID
    std::string name; ///< "__default" for a file without stages
    std::string displayName;
    std::vector<std::string> dependsOn; ///< resolved default included
    std::string condition;              ///< empty: succeeded()
    std::optional<LockBehavior> lockBehavior;
    bool manualTrigger = false;
    bool isSkippable = true;
    std::vector<VariableEntry> variables;
    std::vector<Job> jobs;
    SourcePosition position;
    bool operator==(const Stage &) const = default;
};

struct RepositoryResource
{
    std::string alias;
    std::string type; ///< "git", "github", ...
    std::string name; ///< "org/repo"
    std::string ref;  ///< "refs/heads/main"
    std::string endpoint;
    SourcePosition endpointPosition; ///< line 0: none is named
    bool operator==(const RepositoryResource &) const = default;
};

struct PipelineResource
{
    std::string alias, source, project, version, branch;
    bool operator==(const PipelineResource &) const = default;
};

struct RunPlan
{
    std::string name; ///< run number format; empty: $(Date:yyyyMMdd).$(Rev:r)
    bool appendCommitMessageToRunName = true;
    LockBehavior lockBehavior = LockBehavior::RunLatest;
    std::vector<VariableEntry> variables; ///< root
    std::vector<Stage> stages;
    std::vector<RepositoryResource> repositories; ///< without self
    std::vector<PipelineResource> pipelines;
    std::vector<std::pair<std::string, Container>> containers; ///< alias -> definition
    bool operator==(const RunPlan &) const = default;
};

} // namespace schema
