#pragma once
/// A snapshot with edits on top: reading sees the edits, the snapshot stays as it is. Copying the
/// rows that change, and nothing else, keeps a decision about one of 10,000 jobs cheap.

#include "server/scheduler/state_machine.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace server::scheduler {

/// Internal to the state machine. References given by edit...() stay valid until takeChanges().
class WorkingCopy
{
public:
    /// The snapshot must outlive the copy.
    explicit WorkingCopy(const RunSnapshot &before)
        : m_before(before)
    {}

    [[nodiscard]] const RunSnapshot &before() const { return m_before; }

    [[nodiscard]] const store::RunRow &run() const { return m_run ? *m_run : m_before.run; }

    store::RunRow &editRun();

    /// nullptr when unknown; find... see the edits.
    [[nodiscard]] const store::StageRow *findStage(const std::string &name) const;
    [[nodiscard]] const store::PhaseRow *findPhase(const PhaseKey &key) const;
    [[nodiscard]] const store::JobRow *findJob(const std::string &id) const;
    [[nodiscard]] const store::ApprovalRow *findApproval(const std::string &id) const;

    /// The thing must exist.
    store::StageRow &editStage(const std::string &name);
    store::PhaseRow &editPhase(const PhaseKey &key);
    store::JobRow &editJob(const std::string &id);
    store::ApprovalRow &editApproval(const std::string &id);
    /// nullptr when there is none for the newest attempt.
    DeploymentState *editDeployment(const PhaseKey &key);

    void put(store::StageRow row); ///< a new attempt: approvals and locks of the old one are gone
    void put(store::PhaseRow row); ///< a new attempt: its deployment is gone
    void put(JobCreated created);
    void put(store::ApprovalRow row);
    void put(store::LockRow row);
    void put(DeploymentState deployment);
    void put(SecretOutputs outputs);
    void put(CheckpointRecord record);
    void release(const store::LockRow &lock);

    /// Jobs that are not completed.
    [[nodiscard]] std::vector<std::string> openJobs() const;
    [[nodiscard]] std::vector<PhaseKey> phasesOf(const std::string &stage) const;
    /// Approvals and locks of the newest stage attempts.
    [[nodiscard]] std::map<std::string, const store::ApprovalRow *> approvals() const;
    [[nodiscard]] std::vector<store::LockRow> locks() const;
    /// True when the checkpoint record was written in this decision or approvals or locks exist for
    /// it.
    [[nodiscard]] bool hasCheckpoint(const std::string &id) const;

    /// The graph's view, edits included.
    [[nodiscard]] pipelines::run::RunProgress progress() const;
    /// The same of some jobs of one stage, with the stages that this one depends on.
    [[nodiscard]] pipelines::run::RunProgress progress(const schema::Stage &stage,
                                                       const std::set<std::string> &jobs) const;

    /// Whether the graph may have to move, and because of what.
    enum class Moved : std::uint8_t {
        Nothing, ///< who holds a job, and until when, is not its concern
        Jobs,    ///< only jobs ended: endedPhases()
        Anything
    };

    [[nodiscard]] Moved moved() const;
    /// Phases of the jobs that this decision ended.
    [[nodiscard]] std::set<PhaseKey> endedPhases() const;
    /// Jobs of a phase that are not completed.
    [[nodiscard]] std::size_t openJobsOf(const PhaseKey &key) const;
    /// Phases of a stage that are not completed.
    [[nodiscard]] std::size_t openPhasesOf(const std::string &stage) const;

    /// Every edited row once, in an order in which they can be written. The copy is used up.
    std::vector<Change> takeChanges();

private:
    [[nodiscard]] bool ended(const store::JobRow &edited) const;
    [[nodiscard]] std::vector<const store::JobRow *> jobsOf(const PhaseKey &key) const;
    [[nodiscard]] pipelines::run::JobProgress progressOf(const PhaseKey &key) const;

    const RunSnapshot &m_before;
    std::optional<store::RunRow> m_run;
    std::map<std::string, store::StageRow> m_stages;
    std::map<PhaseKey, store::PhaseRow> m_phases;
    std::map<std::string, store::JobRow> m_jobs;
    std::map<std::string, std::shared_ptr<const pipelines::run::JobInstance>> m_created;
    std::map<PhaseKey, std::set<std::string>> m_createdOf;
    std::map<std::string, store::ApprovalRow> m_approvals;
    std::vector<store::LockRow> m_locks, m_released;
    std::map<PhaseKey, DeploymentState> m_deployments;
    std::vector<SecretOutputs> m_secrets;
    std::map<std::string, CheckpointRecord> m_checkpoints;
};

} // namespace server::scheduler
