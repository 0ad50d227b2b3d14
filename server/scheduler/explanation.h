#pragma once
/// Why runs, stages and jobs are where they are, in words. Pure: from rows of one moment.

#include "schema/base/time.h"
#include "schema/model/plan.h"
#include "server/scheduler/run_service.h"
#include "server/store/check_store.h"
#include "server/store/run_store.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace server::scheduler {

/// What the sentences about a run are made of. Lists may be empty where a sentence needs none.
struct RunPicture
{
    const store::RunRow &run;
    const std::vector<store::StageRow> &stages;   ///< newest attempts, plan order
    const std::vector<std::string> &stageNames;   ///< shown names of `stages`
    std::vector<store::ApprovalRow> approvals;    ///< of this run
    std::vector<store::TimelineRow> failures;     ///< failed job and task records, oldest first
    std::map<std::string, std::string> jobStages; ///< job id -> stage name
    std::set<std::string> queuedStages;           ///< running stages that only wait for workers
};

/// "stage 'Build'", "stages 'A', 'B'"; "the run" for the only stage of a file without stages
/// (schema/model/plan.h), whose name nobody has written.
std::string stagesInWords(const std::vector<std::string> &names);

/// The run in one sentence, without a subject or with the stage as subject: "failed in stage Build,
/// job docker, step 'Build web': exit code 1", "stage 'Production' waits for approval of Ann since
/// 2026-11-21 10:23 UTC", "waits for a worker" (a file without stages).
std::string sentenceOf(const RunPicture &picture);
/// The same as a whole sentence that begins with the run.
std::string withRun(const std::string &number, const std::string &sentence);

/// The people who may still decide about a stage's newest attempt, and since when they are asked.
struct Asked
{
    std::vector<std::string> names;
    schema::TimePoint since{};
};

/// Nothing when no approval of the stage is pending.
std::optional<Asked> askedFor(const store::StageRow &stage,
                              const std::vector<store::ApprovalRow> &approvals);

/// A holder or waiter of a lock, with its run.
struct LockUse
{
    store::LockRow lock;
    std::string runNumber, pipelineName;
    std::optional<std::chrono::milliseconds> usual; ///< how long such a stage takes
};

/// The median; nothing of nothing.
std::optional<std::chrono::milliseconds>
usualDuration(std::vector<std::chrono::milliseconds> durations);

/// What a stage attempt that waits for a lock waits for: holder, place in the queue, and when its
/// turn comes when everybody before it takes as long as usual. `uses`: of that lock, in any order.
/// `what`: "the exclusive lock of environment 'production'".
Waiting waitingForLock(const store::LockRow &own, const std::vector<LockUse> &uses,
                       const std::string &what, const std::string &stageName,
                       schema::TimePoint now);

/// Job instances that a maxParallel holds back, one entry for each job of a running stage.
std::vector<Waiting> waitingForRoom(const schema::RunPlan &plan,
                                    const std::vector<store::PhaseRow> &phases,
                                    const std::vector<store::JobRow> &jobs);

/// Jobs of running stages that wait for other jobs of their stage.
std::vector<Waiting> waitingForJobs(const schema::RunPlan &plan,
                                    const std::vector<store::StageRow> &stages,
                                    const std::vector<store::PhaseRow> &phases);

/// "2026-11-21 10:23 UTC".
std::string shortTime(schema::TimePoint time);

} // namespace server::scheduler
