#pragma once
/// An open run in the scheduler's memory: the snapshot plus what job messages need. Loaded from the
/// database and dropped whenever a commit fails, so that memory never says more than the disk.

#include "schema/base/result.h"
#include "server/scheduler/run_snapshot.h"
#include "server/scheduler/secret_source.h"
#include "server/store/database.h"
#include "server/store/run_store.h"

#include <map>
#include <memory>
#include <string>

namespace server::scheduler {

struct RunContext
{
    RunSnapshot snapshot;
    store::RunFacts facts;
    /// Instances of jobs that are not completed, as far as they were needed yet.
    std::map<std::string, std::shared_ptr<const pipelines::run::JobInstance>> instances;
    /// Change id of the batch at hand; 0 between batches.
    std::int64_t changeId = 0;
};

/// Plans of open runs; runs of the same compilation share one.
class PlanCache
{
public:
    /// Parses the plan of a run. Errors: Internal (stored plan is unreadable).
    schema::Result<std::shared_ptr<const schema::RunPlan>> get(store::Connection &connection,
                                                               std::int64_t compiledPlanId);

private:
    std::map<std::int64_t, std::weak_ptr<const schema::RunPlan>> m_plans;
};

/// Loads a run. Errors: NotFound, Internal.
schema::Result<std::unique_ptr<RunContext>> loadContext(store::Connection &connection,
                                                        SecretSource &secrets, PlanCache &plans,
                                                        std::int64_t runId);

/// Reads run variables and groups again (they may have been changed in the library).
void loadVariables(RunContext &context, SecretSource &secrets);

/// Evaluates the `$[ ]` of the root variables of a run that is being created and keeps the values
/// with it, sealed: never again, so that counter() counts once for each run (pipeline-language 9).
/// Variables must be loaded. Errors: InvalidArgument naming the variable.
schema::Status evaluateRootVariables(store::Connection &connection, RunContext &context,
                                     SecretSource &secrets);

/// The instance of an open job: from memory, else opened from its row. Errors: Internal.
schema::Result<std::shared_ptr<const pipelines::run::JobInstance>>
instanceOf(RunContext &context, const std::string &jobId, SecretSource &secrets);

} // namespace server::scheduler
