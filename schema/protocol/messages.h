#pragma once
/// The worker protocol, version 1: what server and worker say to each other. README.md beside this
/// file tells the life of a job in these words. Control travels as JSON text frames over one
/// WebSocket per worker; bulk (records, logs, artifacts, results) as HTTP requests of the job
/// process with the job's own token.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "schema/model/plan.h"
#include "schema/model/states.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace schema::protocol {

inline constexpr int kProtocolVersion = 1;
/// Longest control frame either side accepts, bytes. Longer ones close the connection.
inline constexpr std::size_t kMaxFrameBytes = 8U << 20U;
/// Lease of a running job, seconds. Renewed every third of it; not renewed in time = worker lost.
inline constexpr int kLeaseSeconds = 60;
/// Largest body of one log append, bytes.
inline constexpr std::size_t kMaxLogChunkBytes = 4U << 20U;

struct Capability
{
    std::string name, value;
    bool operator==(const Capability &) const = default;
};

// ---- the job message -------------------------------------------------------------------------

struct JobVariable
{
    std::string name, value;
    bool isSecret = false;
    bool readOnly = false;
    bool operator==(const JobVariable &) const = default;
};

/// A service connection with its credentials; lives in memory of server and job process only.
struct ServiceConnection
{
    std::string id, name;
    std::string type; ///< "dockerregistry", "kubernetes", "git", "generic"
    std::string url;
    std::string scheme; ///< "UsernamePassword", "Token", "Kubernetes", "None"
    TextMap parameters; ///< authorization parameters; every value is a secret
    TextMap data;       ///< not secret ("registrytype", "namespace", "acceptUntrustedCerts")
    bool operator==(const ServiceConnection &) const = default;
};

struct JobRepository
{
    std::string alias; ///< "self" or the resource alias
    std::string name;  ///< "space-game"
    std::string type;
    std::string url; ///< what `git fetch` takes
    std::string ref;
    std::string version;    ///< commit id
    std::string connection; ///< service connection id, or empty: the job token is the password
    bool operator==(const JobRepository &) const = default;
};

/// The target of a deployment job, resolved and checked by the server.
struct JobEnvironment
{
    std::int64_t id = 0;
    std::string name;
    std::int64_t resourceId = 0;
    std::string resourceName;
    std::string resourceType; ///< "kubernetes", "dockerHost" or empty
    std::string kubernetesNamespace;
    std::string connection; ///< service connection id the resource is reached through
    std::string hookName;   ///< toString(HookKind)
    std::string strategy;   ///< "runOnce", "rolling", "canary"
    bool operator==(const JobEnvironment &) const = default;
};

/// Everything one job instance needs; nothing else is asked of the server before its first step.
struct JobMessage
{
    std::string jobId;    ///< GUID of this attempt of this instance; key of every later call
    std::string recordId; ///< timeline record of the job; step records have parent = this
    std::int64_t runId = 0;
    std::string runNumber;
    std::string project;
    std::string pipelineName;
    std::string stageName, jobName, instanceName; ///< instanceName: matrix leg or "__default"
    std::string displayName;
    std::string identifier; ///< "Build.BuildImages.__default"
    int attempt = 1;
    std::vector<Step> steps;            ///< implicit checkout / artifact download already in place
    std::vector<JobVariable> variables; ///< final values; macros are the worker's
    std::vector<ServiceConnection> connections;
    std::vector<JobRepository> repositories;
    std::optional<Container> container;
    std::vector<std::pair<std::string, Container>> services;
    std::vector<std::pair<std::string, Container>> containers; ///< resources, for step targets
    std::optional<JobEnvironment> environment;
    std::string workspaceClean;
    std::uint32_t timeoutMinutes = 60; ///< 0: none
    std::uint32_t cancelTimeoutMinutes = 5;
    std::string serverUrl; ///< base for the job's HTTP calls, as the worker reached the server
    std::string jobToken;  ///< secret; valid for this job only, until it completes
    bool operator==(const JobMessage &) const = default;
};

nlohmann::ordered_json toJson(const JobMessage &message);
/// Errors: InvalidArgument naming the member.
Result<JobMessage> jobMessageFromJson(const nlohmann::ordered_json &json);

// ---- control frames --------------------------------------------------------------------------

/// worker -> server, first frame. `running`: jobs this worker still has processes for (restart).
struct Hello
{
    int protocol = kProtocolVersion;
    std::string version;
    int slots = 1;
    std::vector<Capability> capabilities;
    std::vector<std::string> running;
};

/// A worker with a capability of this name takes no jobs for now; its value says why ("no disk
/// space: ..."). Never one that a person gave.
inline constexpr const char *kUnavailable = "Agent.Unavailable";

struct CapabilitiesChanged
{
    std::vector<Capability> capabilities;
}; ///< worker -> server: instead of those said so far

struct Accepted
{
    std::string jobId;
}; ///< worker -> server: process started

struct Refused
{
    std::string jobId;
    std::string reason;
}; ///< worker -> server: give it to another

struct Renew
{
    std::vector<std::string> jobIds;
}; ///< worker -> server, every lease/3

struct Finished
{
    std::string jobId;
}; ///< worker -> server: slot free again

struct Welcome
{
    int leaseSeconds = kLeaseSeconds;
    std::string workerName;
}; ///< server -> worker

struct JobOffer
{
    JobMessage job;
}; ///< server -> worker

struct CancelJob
{
    std::string jobId;
    std::string reason;
}; ///< server -> worker

struct Renewed
{
    std::vector<std::string> jobIds;
}; ///< server -> worker

struct LeaseLost
{
    std::string jobId;
}; ///< server -> worker: kill it, say nothing more

struct Drain
{
}; ///< server -> worker: take no more jobs

using WorkerFrame = std::variant<Hello, CapabilitiesChanged, Accepted, Refused, Renew, Finished>;
using ServerFrame = std::variant<Welcome, JobOffer, CancelJob, Renewed, LeaseLost, Drain>;

std::string encode(const WorkerFrame &frame);
std::string encode(const ServerFrame &frame);
/// Errors: InvalidArgument naming the member; LimitExceeded past kMaxFrameBytes; NotFound for a
/// frame type this version does not know (ignore it). Never throws.
Result<WorkerFrame> decodeWorkerFrame(std::string_view text);
Result<ServerFrame> decodeServerFrame(std::string_view text);

// ---- bodies of the job's HTTP calls ----------------------------------------------------------

struct Issue
{
    bool isError = true; ///< else warning
    std::string message;
    TextMap data; ///< sourcepath, linenumber, columnnumber, code, logFileLineNumber
    bool operator==(const Issue &) const = default;
};

/// A partial timeline record: later non-null members win. `sequence` grows by one per update of the
/// record, so a repeated or late update is recognised and dropped.
struct RecordUpdate
{
    std::string id;
    std::string parentId;
    RecordType type = RecordType::Task;
    std::uint64_t sequence = 0;
    std::optional<std::string> name, refName, currentOperation, workerName;
    std::optional<int> order, percentComplete;
    std::optional<RecordState> state;
    std::optional<TaskResult> result;
    std::optional<TimePoint> startTime, finishTime;
    std::optional<std::vector<Issue>> issues; ///< whole list, at most 10 errors and 10 warnings
    std::optional<int> errorCount, warningCount;
    std::optional<std::string> taskId, taskName, taskVersion;
    bool operator==(const RecordUpdate &) const = default;
};

struct OutputVariable
{
    std::string step; ///< reference name of the step
    std::string name, value;
    bool isSecret = false;
    bool operator==(const OutputVariable &) const = default;
};

/// POST complete. Repeating it with the same body is harmless.
struct JobCompletion
{
    TaskResult result = TaskResult::Failed;
    std::string message; ///< why, when not succeeded
    std::vector<OutputVariable> outputs;
    bool operator==(const JobCompletion &) const = default;
};

/// POST images: an image that this job pushed.
struct PushedImage
{
    std::string repository; ///< "localhost:5000/space-game/web", without tag
    std::vector<std::string> tags;
    std::string digest;     ///< "sha256:..."
    std::string connection; ///< service connection name
    bool operator==(const PushedImage &) const = default;
};

/// POST deployed: one workload that this deployment job put in place (or left as it was).
struct DeployedItem
{
    std::string kind, name; ///< "Deployment", "web"; "ComposeService", "web"
    std::string container;  ///< container name inside the workload
    std::string image;      ///< as written in the manifest after substitution, with tag
    std::string digest;     ///< resolved digest, may be empty when nobody could tell
    std::string kubernetesNamespace;
    bool operator==(const DeployedItem &) const = default;
};

struct TestCaseResult
{
    std::string name, className, suite;
    std::string outcome; ///< "Passed", "Failed", "NotExecuted"
    std::int64_t durationMs = 0;
    std::string message, stackTrace;
    bool operator==(const TestCaseResult &) const = default;
};

/// POST testruns.
struct TestRunUpload
{
    std::string title;
    std::string key; ///< unique in the job: repeating the upload is harmless
    std::vector<TestCaseResult> results;
    bool operator==(const TestRunUpload &) const = default;
};

nlohmann::ordered_json toJson(const RecordUpdate &update);
nlohmann::ordered_json toJson(const JobCompletion &completion);
nlohmann::ordered_json toJson(const PushedImage &image);
nlohmann::ordered_json toJson(const DeployedItem &item);
nlohmann::ordered_json toJson(const TestRunUpload &run);
Result<RecordUpdate> recordUpdateFromJson(const nlohmann::ordered_json &json);
Result<JobCompletion> jobCompletionFromJson(const nlohmann::ordered_json &json);
Result<PushedImage> pushedImageFromJson(const nlohmann::ordered_json &json);
Result<DeployedItem> deployedItemFromJson(const nlohmann::ordered_json &json);
Result<TestRunUpload> testRunUploadFromJson(const nlohmann::ordered_json &json);

} // namespace schema::protocol
