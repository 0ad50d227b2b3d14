#include "schema/model/states.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace schema {
namespace {

bool equalIgnoringCase(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

template <typename T, std::size_t N>
std::optional<T> find(const std::array<T, N> &all, std::string_view text)
{
    for (const T value : all) {
        if (equalIgnoringCase(toString(value), text))
            return value;
    }
    return std::nullopt;
}

} // namespace

std::string_view toString(RunResult value)
{
    switch (value) {
    case RunResult::None:
        return "none";
    case RunResult::Succeeded:
        return "succeeded";
    case RunResult::PartiallySucceeded:
        return "partiallySucceeded";
    case RunResult::Failed:
        return "failed";
    case RunResult::Canceled:
        return "canceled";
    }
    return "none";
}

std::string_view toString(RunStatus value)
{
    switch (value) {
    case RunStatus::None:
        return "none";
    case RunStatus::InProgress:
        return "inProgress";
    case RunStatus::Completed:
        return "completed";
    case RunStatus::Cancelling:
        return "cancelling";
    case RunStatus::NotStarted:
        return "notStarted";
    }
    return "none";
}

std::string_view toString(RecordState value)
{
    switch (value) {
    case RecordState::Pending:
        return "pending";
    case RecordState::InProgress:
        return "inProgress";
    case RecordState::Completed:
        return "completed";
    }
    return "pending";
}

std::string_view toString(TaskResult value)
{
    switch (value) {
    case TaskResult::Succeeded:
        return "succeeded";
    case TaskResult::SucceededWithIssues:
        return "succeededWithIssues";
    case TaskResult::Failed:
        return "failed";
    case TaskResult::Canceled:
        return "canceled";
    case TaskResult::Skipped:
        return "skipped";
    case TaskResult::Abandoned:
        return "abandoned";
    }
    return "failed";
}

std::string_view toString(RecordType value)
{
    switch (value) {
    case RecordType::Stage:
        return "Stage";
    case RecordType::Checkpoint:
        return "Checkpoint";
    case RecordType::CheckpointApproval:
        return "Checkpoint.Approval";
    case RecordType::CheckpointExclusiveLock:
        return "Checkpoint.ExclusiveLock";
    case RecordType::Phase:
        return "Phase";
    case RecordType::Job:
        return "Job";
    case RecordType::Task:
        return "Task";
    }
    return "Task";
}

std::string_view toString(RunReason value)
{
    switch (value) {
    case RunReason::Manual:
        return "manual";
    case RunReason::IndividualCI:
        return "individualCI";
    case RunReason::BatchedCI:
        return "batchedCI";
    case RunReason::Schedule:
        return "schedule";
    case RunReason::PullRequest:
        return "pullRequest";
    case RunReason::BuildCompletion:
        return "buildCompletion";
    case RunReason::ResourceTrigger:
        return "resourceTrigger";
    }
    return "manual";
}

std::string_view toString(RunPriority value)
{
    switch (value) {
    case RunPriority::High:
        return "high";
    case RunPriority::AboveNormal:
        return "aboveNormal";
    case RunPriority::Normal:
        return "normal";
    case RunPriority::BelowNormal:
        return "belowNormal";
    case RunPriority::Low:
        return "low";
    }
    return "normal";
}

std::optional<TaskResult> taskResultFromString(std::string_view text)
{
    using enum TaskResult;
    return find(std::array{Succeeded, SucceededWithIssues, Failed, Canceled, Skipped, Abandoned},
                text);
}

std::optional<RecordState> recordStateFromString(std::string_view text)
{
    using enum RecordState;
    return find(std::array{Pending, InProgress, Completed}, text);
}

std::optional<RecordType> recordTypeFromString(std::string_view text)
{
    using enum RecordType;
    return find(std::array{Stage, Checkpoint, CheckpointApproval, CheckpointExclusiveLock, Phase,
                           Job, Task},
                text);
}

} // namespace schema
