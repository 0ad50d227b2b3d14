#include "server/scheduler/explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace server::scheduler {
namespace {

using schema::RecordType;
using schema::RunResult;
using schema::RunStatus;
using schema::TaskResult;
using store::StagePhase;
using store::StageRow;

/// Longest message of a step in a sentence, bytes.
constexpr std::size_t kMessageLength = 200;
constexpr std::string_view kOnlyStage = "__default";
constexpr std::string_view kNext = ", ";

bool failed(const std::optional<TaskResult> &result)
{
    return result == TaskResult::Failed || result == TaskResult::Abandoned;
}

/// First line of the first error among a record's issues.
std::string firstError(const store::TimelineRow &record)
{
    const auto issues = nlohmann::json::parse(record.issuesJson, nullptr, false);
    if (!issues.is_array())
        return {};
    for (const auto &issue : issues) {
        if (!issue.is_object() || issue.value("type", "") != "error")
            continue;
        std::string message = issue.value("message", "");
        message = message.substr(0, message.find('\n'));
        if (message.size() > kMessageLength) {
            std::size_t end = kMessageLength;
            while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0U) == 0x80U)
                --end; // not within a character
            message = message.substr(0, end) + "…";
        }
        return message;
    }
    return {};
}

/// ", job docker, step 'Build web': exit code 1" for the first failure of a stage.
std::string failureIn(const std::string &stage, const RunPicture &picture)
{
    const store::TimelineRow *step = nullptr;
    const store::TimelineRow *job = nullptr;
    for (const store::TimelineRow &record : picture.failures) {
        const auto owner =
            record.jobId ? picture.jobStages.find(*record.jobId) : picture.jobStages.end();
        if (owner == picture.jobStages.end() || owner->second != stage)
            continue;
        if (record.type == RecordType::Job && !job)
            job = &record;
        if (record.type == RecordType::Task && !step)
            step = &record;
    }
    if (step && (!job || job->jobId != step->jobId)) {
        for (const store::TimelineRow &record : picture.failures) {
            if (record.type == RecordType::Job && record.jobId == step->jobId)
                job = &record;
        }
    }
    std::string text;
    if (job)
        text += fmt::format(", job {}", job->name);
    if (step)
        text += fmt::format(", step '{}'", step->name);
    std::string why = step ? firstError(*step) : std::string();
    if (why.empty() && job)
        why = firstError(*job);
    return why.empty() ? text : text + ": " + why;
}

std::string endOf(const RunPicture &picture)
{
    switch (picture.run.result) {
    case RunResult::Succeeded:
        return "succeeded";
    case RunResult::PartiallySucceeded:
        return "succeeded with issues";
    case RunResult::Canceled:
        return "was canceled";
    default:
        break;
    }
    std::string first;
    std::vector<std::string> others;
    for (std::size_t i = 0; i < picture.stages.size(); ++i) {
        const StageRow &stage = picture.stages[i];
        if (stage.phase != StagePhase::Completed || !failed(stage.result))
            continue;
        if (!first.empty()) {
            others.push_back(picture.stageNames[i]);
            continue;
        }
        std::string where = failureIn(stage.name, picture);
        if (where.empty() && !stage.waitingReason.empty())
            where = ": " + stage.waitingReason;
        if (picture.stageNames[i] != kOnlyStage)
            first = fmt::format("failed in stage {}{}", picture.stageNames[i], where);
        else if (where.starts_with(kNext))
            first = "failed in " + where.substr(kNext.size());
        else
            first = "failed" + where;
    }
    if (first.empty())
        return "could not start: the pipeline has errors";
    return others.empty() ? first : fmt::format("{}; also in {}", first, stagesInWords(others));
}

std::string waitOf(const StageRow &stage, const std::string &name, const RunPicture &picture)
{
    const std::string subject = name == kOnlyStage ? "" : stagesInWords({name}) + " ";
    if (const auto asked = askedFor(stage, picture.approvals))
        return fmt::format("{}waits for approval of {} since {}", subject,
                           fmt::join(asked->names, ", "), shortTime(asked->since));
    return subject + (stage.waitingReason.empty() ? "waits for its checks" : stage.waitingReason);
}

std::string ordinal(int number)
{
    const int tens = number % 100;
    const char *ending = tens >= 11 && tens <= 13 ? "th"
                         : number % 10 == 1       ? "st"
                         : number % 10 == 2       ? "nd"
                         : number % 10 == 3       ? "rd"
                                                  : "th";
    return fmt::format("{}{}", number, ending);
}

const store::PhaseRow *phaseOf(const std::vector<store::PhaseRow> &phases, const std::string &stage,
                               const std::string &name)
{
    const auto at = std::find_if(phases.begin(), phases.end(), [&](const store::PhaseRow &row) {
        return row.stage == stage && row.name == name;
    });
    return at == phases.end() ? nullptr : &*at;
}

std::string shown(const schema::Job &job)
{
    return job.displayName.empty() ? job.name : job.displayName;
}

} // namespace

std::string shortTime(schema::TimePoint time)
{
    std::string text = schema::toIso8601(time).substr(0, 16); // to the minute
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text + " UTC";
}

std::optional<Asked> askedFor(const StageRow &stage,
                              const std::vector<store::ApprovalRow> &approvals)
{
    std::optional<Asked> asked;
    for (const store::ApprovalRow &approval : approvals) {
        if (approval.stage != stage.name || approval.stageAttempt != stage.attempt ||
            approval.status != store::ApprovalStatus::Pending)
            continue;
        if (!asked)
            asked = Asked{{}, approval.createdAt};
        asked->since = std::min(asked->since, approval.createdAt);
        for (const store::ApprovalStepRow &step : approval.steps) {
            if (step.status == store::ApprovalStatus::Pending &&
                std::find(asked->names.begin(), asked->names.end(), step.displayName) ==
                    asked->names.end())
                asked->names.push_back(step.displayName);
        }
    }
    return asked;
}

std::string stagesInWords(const std::vector<std::string> &names)
{
    if (names.size() != 1)
        return fmt::format("stages '{}'", fmt::join(names, "', '"));
    return names.front() == kOnlyStage ? "the run" : fmt::format("stage '{}'", names.front());
}

std::string withRun(const std::string &number, const std::string &sentence)
{
    const bool ownSubject = sentence.starts_with("stage");
    return fmt::format("run {}{} {}", number, ownSubject ? ":" : "", sentence);
}

std::string sentenceOf(const RunPicture &picture)
{
    if (picture.run.status == RunStatus::Completed)
        return endOf(picture);
    if (picture.run.status == RunStatus::Cancelling)
        return "is being canceled";
    std::vector<std::string> running, queued, failures, waiting;
    for (std::size_t i = 0; i < picture.stages.size(); ++i) {
        const StageRow &stage = picture.stages[i];
        if (stage.phase == StagePhase::Running)
            (picture.queuedStages.contains(stage.name) ? queued : running)
                .push_back(picture.stageNames[i]);
        else if (stage.phase == StagePhase::Checking)
            waiting.push_back(waitOf(stage, picture.stageNames[i], picture));
        else if (stage.phase == StagePhase::Completed && failed(stage.result))
            failures.push_back(picture.stageNames[i]);
    }
    const auto isOnly = [](const std::vector<std::string> &names) {
        return names.size() == 1 && names.front() == kOnlyStage;
    };
    if (isOnly(running))
        return "runs";
    if (!running.empty())
        return fmt::format("runs {}{}", stagesInWords(running),
                           failures.empty() ? ""
                                            : fmt::format("; {} failed", stagesInWords(failures)));
    if (isOnly(queued))
        return "waits for a worker";
    if (!queued.empty())
        waiting.insert(waiting.begin(), fmt::format("{} {} for a worker", stagesInWords(queued),
                                                    queued.size() == 1 ? "waits" : "wait"));
    if (!waiting.empty())
        return fmt::format("{}", fmt::join(waiting, "; "));
    return "is about to start";
}

std::optional<std::chrono::milliseconds>
usualDuration(std::vector<std::chrono::milliseconds> durations)
{
    if (durations.empty())
        return std::nullopt;
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
    std::nth_element(durations.begin(), middle, durations.end());
    return *middle;
}

Waiting waitingForLock(const store::LockRow &own, const std::vector<LockUse> &uses,
                       const std::string &what, const std::string &stageName, schema::TimePoint now)
{
    Waiting waiting;
    waiting.kind = "lock";
    waiting.stage = own.stage;
    waiting.since = own.requestedAt;
    std::string holder;
    schema::TimePoint turn = now;
    std::chrono::milliseconds before{0};
    bool known = true;
    for (const LockUse &use : uses) {
        if (use.lock.grantedAt) {
            waiting.heldBy = RunReference{use.lock.runId, use.runNumber, use.pipelineName};
            holder = fmt::format(", which run {} of {} holds since {}", use.runNumber,
                                 use.pipelineName, shortTime(*use.lock.grantedAt));
            known = known && use.usual.has_value();
            turn = std::max(now, *use.lock.grantedAt + use.usual.value_or(before));
            continue;
        }
        ++waiting.queueLength;
        const auto place = std::tie(use.lock.requestedAt, use.lock.runId);
        const auto ownPlace = std::tie(own.requestedAt, own.runId);
        waiting.position += place <= ownPlace ? 1 : 0;
        if (place < ownPlace) {
            known = known && use.usual.has_value();
            before += use.usual.value_or(std::chrono::milliseconds(0));
        }
    }
    waiting.sentence =
        fmt::format("{} waits for {}{}; {} of {} in the queue", stagesInWords({stageName}), what,
                    holder, ordinal(waiting.position), waiting.queueLength);
    if (known && waiting.heldBy) {
        waiting.estimatedAt = turn + before;
        waiting.sentence += fmt::format(", its turn comes at about {} when the others take as long "
                                        "as usual",
                                        shortTime(*waiting.estimatedAt));
    }
    return waiting;
}

std::vector<Waiting> waitingForRoom(const schema::RunPlan &plan,
                                    const std::vector<store::PhaseRow> &phases,
                                    const std::vector<store::JobRow> &jobs)
{
    std::vector<Waiting> list;
    for (const schema::Stage &stage : plan.stages) {
        for (const schema::Job &job : stage.jobs) {
            const store::PhaseRow *phase = phaseOf(phases, stage.name, job.name);
            std::size_t limit = 0;
            const std::string &text = job.maxParallel;
            std::from_chars(text.data(), text.data() + text.size(), limit);
            if (limit == 0 || job.matrix.empty() || !phase ||
                phase->state != schema::RecordState::InProgress)
                continue;
            const auto begun = static_cast<std::size_t>(
                std::count_if(jobs.begin(), jobs.end(), [&](const store::JobRow &row) {
                    return row.stage == stage.name && row.phase == job.name &&
                           row.attempt == phase->attempt;
                }));
            if (begun >= job.matrix.size())
                continue;
            Waiting waiting;
            waiting.kind = "parallel";
            waiting.stage = stage.name;
            waiting.job = shown(job);
            waiting.since = phase->startedAt;
            waiting.sentence =
                fmt::format("{} more of job '{}' wait: at most {} of them at a time (maxParallel)",
                            job.matrix.size() - begun, shown(job), limit);
            list.push_back(std::move(waiting));
        }
    }
    return list;
}

std::vector<Waiting> waitingForJobs(const schema::RunPlan &plan,
                                    const std::vector<StageRow> &stages,
                                    const std::vector<store::PhaseRow> &phases)
{
    std::vector<Waiting> list;
    for (const schema::Stage &stage : plan.stages) {
        const auto row = std::find_if(stages.begin(), stages.end(),
                                      [&](const StageRow &one) { return one.name == stage.name; });
        if (row == stages.end() || row->phase != StagePhase::Running)
            continue;
        for (const schema::Job &job : stage.jobs) {
            const store::PhaseRow *phase = phaseOf(phases, stage.name, job.name);
            if (!phase || phase->state != schema::RecordState::Pending)
                continue;
            std::vector<std::string> open;
            for (const std::string &dependency : job.dependsOn) {
                const store::PhaseRow *other = phaseOf(phases, stage.name, dependency);
                if (other && other->state != schema::RecordState::Completed)
                    open.push_back(dependency);
            }
            if (open.empty())
                continue;
            Waiting waiting;
            waiting.kind = "dependency";
            waiting.stage = stage.name;
            waiting.job = shown(job);
            waiting.sentence =
                fmt::format("job '{}' waits for {} '{}'", shown(job),
                            open.size() == 1 ? "job" : "jobs", fmt::join(open, "', '"));
            list.push_back(std::move(waiting));
        }
    }
    return list;
}

} // namespace server::scheduler
