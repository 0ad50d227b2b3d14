#pragma once
/// Writes the changes of decisions: the rows themselves, the timeline records that stand for them,
/// and the matrix.

#include "server/scheduler/run_context.h"
#include "server/scheduler/state_machine.h"
#include "server/store/run_store.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace server::scheduler {

/// What watchers are told after the commit.
struct Notices
{
    struct Approval
    {
        std::string id, projectId, status;
        std::int64_t runId = 0;
    };

    struct Cell
    {
        std::string projectId;
        std::int64_t serviceId = 0, environmentId = 0, resourceId = 0;
    };

    std::vector<Approval> approvals;
    std::vector<Cell> cells;

    struct Log
    {
        std::string projectId;
        store::LogRow row;
        std::uint64_t bytes = 0; ///< its final length
    };

    std::vector<Log> sealed;
};

/// Within one transaction. Methods throw store::SqlError.
class ChangeWriter
{
public:
    ChangeWriter(store::Connection &connection, SecretSource &secrets, TimePoint now,
                 Notices &notices, std::function<std::string(std::int64_t)> workerName)
        : m_connection(connection)
        , m_secrets(secrets)
        , m_now(now)
        , m_notices(notices)
        , m_workerName(std::move(workerName))
    {}

    /// Writes `change`, whose effect the context's snapshot does not show yet; fills in what is
    /// sealed.
    void write(RunContext &context, Change &change);

    /// The change id of this batch for the run; the first call takes a new one.
    std::int64_t change(RunContext &context);

private:
    void put(RunContext &context, store::RunRow &row);
    void put(RunContext &context, store::StageRow &row);
    void put(RunContext &context, store::PhaseRow &row);
    void put(RunContext &context, JobCreated &created);
    void put(RunContext &context, store::JobRow &row);
    void put(RunContext &context, SecretOutputs &outputs);
    void put(RunContext &context, store::ApprovalRow &row);
    void put(RunContext &context, store::LockRow &row);
    void put(RunContext &context, LockReleased &released);
    void put(RunContext &context, DeploymentState &deployment);
    void put(RunContext &context, CheckpointRecord &record);
    void putRecord(RunContext &context, const store::JobRow &row);

    store::Connection &m_connection;
    SecretSource &m_secrets;
    TimePoint m_now;
    Notices &m_notices;
    std::function<std::string(std::int64_t)> m_workerName;
};

} // namespace server::scheduler
