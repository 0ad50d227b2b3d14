#pragma once
/// One transaction of the loop: a list of commands, everything that follows from them, and what is
/// to be told to workers, watchers and callers once it is on disk.

#include "server/scheduler/change_writer.h"
#include "server/scheduler/loop_state.h"
#include "server/scheduler/state_machine.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace server::scheduler {

/// Frames, in order, for after the commit.
using Outbox = std::vector<std::pair<std::int64_t, schema::protocol::ServerFrame>>;

struct WorkerNotice
{
    std::int64_t workerId = 0;
    bool online = false;
};

class Batch
{
public:
    Batch(LoopState &state, store::Connection &connection, SecretSource &secrets,
          const SchedulerOptions &options, TimePoint now);

    /// Carries out the commands in order, then timers, locks and assignments until nothing moves.
    /// Throws store::SqlError; the caller then drops the state.
    /// `clockJump`: by how much the wall clock was set since the batch before.
    void run(std::vector<Command> &commands, std::chrono::milliseconds clockJump = {});

    // Results, for after the commit.
    Outbox outbox;
    Notices notices;
    std::vector<WorkerNotice> workerNotices;
    std::vector<std::function<void()>> replies;
    std::uint64_t jobsCompleted = 0;
    /// Run id -> (project, change id)
    std::map<std::int64_t, std::pair<std::string, std::int64_t>> changedRuns;

private:
    void take(CreateRunCommand &command);
    void take(RunEventCommand &command);
    void take(PriorityCommand &command);
    void take(RenameCommand &command);
    void take(DecideApprovalCommand &command);
    void take(DeliverCommand &command);
    void take(WorkerUpCommand &command);
    void take(WorkerDownCommand &command);
    void take(WorkerFrameCommand &command);
    void take(JobSeenCommand &command);
    void take(ConfigurationCommand &command);
    void take(LocksCommand &command);
    void take(ExplainCommand &command);

    void frame(ConnectedWorker &worker, const schema::protocol::Hello &hello);
    void frame(ConnectedWorker &worker, const schema::protocol::CapabilitiesChanged &changed);
    void frame(ConnectedWorker &worker, const schema::protocol::Accepted &accepted);
    void frame(ConnectedWorker &worker, const schema::protocol::Refused &refused);
    void frame(ConnectedWorker &worker, const schema::protocol::Renew &renew);
    void frame(ConnectedWorker &worker, const schema::protocol::Finished &finished);

    schema::Result<std::int64_t> create(NewRun &run);
    schema::Result<bool> deliver(JobDelivery &delivery);
    /// The run in memory, loaded when it is not; nullptr when there is none.
    RunContext *context(std::int64_t runId);
    /// Decides, writes, applies; then what that asks for.
    schema::Status happen(std::int64_t runId, const RunEvent &event);
    /// happen() for news that may come too late: a refusal changes nothing and concerns nobody.
    void tell(std::int64_t runId, const RunEvent &event);
    void write(RunContext &context, std::vector<Change> &changes);
    void noteChange(RunContext &context, const Change &change);
    void resolve(RunContext &context, const ResolveStage &query);
    void act(const Action &action);
    void drain();
    void moveDeadlines(std::chrono::milliseconds by);
    bool grantLocks();
    bool assignJobs();
    bool assignJobsOf(std::int64_t pool);
    bool offer(RunContext &context, const std::string &jobId, ConnectedWorker &worker);
    TimePoint leaseEnd() const;
    TimePoint offerEnd() const;

    LoopState &m_state;
    store::Connection &m_connection;
    SecretSource &m_secrets;
    const SchedulerOptions &m_options;
    TimePoint m_now;
    ChangeWriter m_writer;
    std::deque<std::pair<std::int64_t, RunEvent>> m_events; ///< follow-ups
    std::set<std::int64_t> m_touched;
    std::set<store::LockKey> m_dirtyLocks;
};

} // namespace server::scheduler
