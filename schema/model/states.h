#pragma once
/// The states and results that the API, the database, the portal and the worker protocol share.
/// Numeric values are those of the Azure DevOps REST API (environments-and-portal D5) where one
/// exists and are persisted: never change them.

#include <cstdint>
#include <optional>
#include <string_view>

namespace schema {

/// Result of a run (Build.result).
enum class RunResult : std::uint8_t {
    None = 0,
    Succeeded = 2,
    PartiallySucceeded = 4,
    Failed = 8,
    Canceled = 32
};

/// State of a run (Build.status).
enum class RunStatus : std::uint8_t {
    None = 0,
    InProgress = 1,
    Completed = 2,
    Cancelling = 4,
    NotStarted = 32
};

/// State of a timeline record.
enum class RecordState : std::uint8_t { Pending = 0, InProgress = 1, Completed = 2 };

/// Result of a stage, job, step or deployment (TimelineRecord.result, TaskResult).
enum class TaskResult : std::uint8_t {
    Succeeded = 0,
    SucceededWithIssues = 1,
    Failed = 2,
    Canceled = 3,
    Skipped = 4,
    Abandoned = 5, ///< the worker holding it was lost
};

/// Kind of a timeline record.
enum class RecordType : std::uint8_t {
    Stage,
    Checkpoint,
    CheckpointApproval,
    CheckpointExclusiveLock,
    Phase,
    Job,
    Task
};

/// Why a run was created (Build.reason).
enum class RunReason : std::uint16_t {
    Manual = 1,
    IndividualCI = 2,
    BatchedCI = 4,
    Schedule = 8,
    PullRequest = 256,
    BuildCompletion = 512,
    ResourceTrigger = 1024,
};

/// How urgent a run is (Build.priority): which of several waiting jobs gets a worker first.
enum class RunPriority : std::uint8_t {
    High = 1,
    AboveNormal = 2,
    Normal = 3,
    BelowNormal = 4,
    Low = 5
};

/// API spellings ("succeededWithIssues", "inProgress", "Checkpoint.Approval", "individualCI").
std::string_view toString(RunResult value);
std::string_view toString(RunStatus value);
std::string_view toString(RecordState value);
std::string_view toString(TaskResult value);
std::string_view toString(RecordType value);
std::string_view toString(RunReason value);
std::string_view toString(RunPriority value);

/// Reads the API spelling, ignoring case; nothing for an unknown word.
std::optional<TaskResult> taskResultFromString(std::string_view text);
std::optional<RecordState> recordStateFromString(std::string_view text);
std::optional<RecordType> recordTypeFromString(std::string_view text);

} // namespace schema
