#include "server/scheduler/working_copy.h"

#include <algorithm>

namespace server::scheduler {
namespace {

template <typename Key, typename Row>
const Row *findIn(const std::map<Key, Row> &edits, const std::map<Key, Row> &before, const Key &key)
{
    if (const auto edited = edits.find(key); edited != edits.end())
        return &edited->second;
    const auto at = before.find(key);
    return at == before.end() ? nullptr : &at->second;
}

template <typename Key, typename Row>
Row &editIn(std::map<Key, Row> &edits, const std::map<Key, Row> &before, const Key &key)
{
    if (const auto edited = edits.find(key); edited != edits.end())
        return edited->second;
    return edits.emplace(key, before.at(key)).first->second;
}

bool sameLock(const store::LockRow &a, const store::LockRow &b)
{
    return a.environmentId == b.environmentId && a.stage == b.stage &&
           a.stageAttempt == b.stageAttempt;
}

} // namespace

store::RunRow &WorkingCopy::editRun()
{
    if (!m_run)
        m_run = m_before.run;
    return *m_run;
}

const store::StageRow *WorkingCopy::findStage(const std::string &name) const
{
    return findIn(m_stages, m_before.stages, name);
}

const store::PhaseRow *WorkingCopy::findPhase(const PhaseKey &key) const
{
    return findIn(m_phases, m_before.phases, key);
}

const store::JobRow *WorkingCopy::findJob(const std::string &id) const
{
    return findIn(m_jobs, m_before.jobs, id);
}

const store::ApprovalRow *WorkingCopy::findApproval(const std::string &id) const
{
    return findIn(m_approvals, m_before.approvals, id);
}

store::StageRow &WorkingCopy::editStage(const std::string &name)
{
    return editIn(m_stages, m_before.stages, name);
}

store::PhaseRow &WorkingCopy::editPhase(const PhaseKey &key)
{
    return editIn(m_phases, m_before.phases, key);
}

store::JobRow &WorkingCopy::editJob(const std::string &id)
{
    return editIn(m_jobs, m_before.jobs, id);
}

store::ApprovalRow &WorkingCopy::editApproval(const std::string &id)
{
    return editIn(m_approvals, m_before.approvals, id);
}

DeploymentState *WorkingCopy::editDeployment(const PhaseKey &key)
{
    if (const auto edited = m_deployments.find(key); edited != m_deployments.end())
        return &edited->second;
    const auto at = m_before.deployments.find(key);
    if (at == m_before.deployments.end() || at->second.phaseAttempt != findPhase(key)->attempt)
        return nullptr;
    return &m_deployments.emplace(key, at->second).first->second;
}

void WorkingCopy::put(store::StageRow row)
{
    m_stages.insert_or_assign(row.name, std::move(row));
}

void WorkingCopy::put(store::PhaseRow row)
{
    m_phases.insert_or_assign(PhaseKey{row.stage, row.name}, std::move(row));
}

void WorkingCopy::put(JobCreated created)
{
    m_created.insert_or_assign(created.row.id, std::move(created.instance));
    m_jobs.insert_or_assign(created.row.id, std::move(created.row));
}

void WorkingCopy::put(store::ApprovalRow row)
{
    m_approvals.insert_or_assign(row.id, std::move(row));
}

void WorkingCopy::put(store::LockRow row)
{
    for (store::LockRow &lock : m_locks) {
        if (sameLock(lock, row)) {
            lock = std::move(row);
            return;
        }
    }
    m_locks.push_back(std::move(row));
}

void WorkingCopy::put(DeploymentState deployment)
{
    m_deployments.insert_or_assign(PhaseKey{deployment.stage, deployment.phase},
                                   std::move(deployment));
}

void WorkingCopy::put(SecretOutputs outputs)
{
    m_secrets.push_back(std::move(outputs));
}

void WorkingCopy::put(CheckpointRecord record)
{
    const std::string id = record.id;
    const auto known = m_checkpoints.find(id);
    if (known != m_checkpoints.end() && !record.startedAt)
        record.startedAt = known->second.startedAt;
    m_checkpoints.insert_or_assign(id, std::move(record));
}

void WorkingCopy::release(const store::LockRow &lock)
{
    std::erase_if(m_locks, [&](const store::LockRow &one) { return sameLock(one, lock); });
    m_released.push_back(lock);
}

std::vector<std::string> WorkingCopy::openJobs() const
{
    std::vector<std::string> ids;
    for (const auto &[id, job] : m_before.jobs) {
        if (findJob(id)->state != store::JobState::Completed)
            ids.push_back(id);
    }
    for (const auto &[id, instance] : m_created) {
        if (findJob(id)->state != store::JobState::Completed)
            ids.push_back(id);
    }
    return ids;
}

std::vector<PhaseKey> WorkingCopy::phasesOf(const std::string &stage) const
{
    std::vector<PhaseKey> keys;
    for (auto at = m_before.phases.lower_bound({stage, {}});
         at != m_before.phases.end() && at->first.first == stage; ++at)
        keys.push_back(at->first);
    return keys;
}

std::map<std::string, const store::ApprovalRow *> WorkingCopy::approvals() const
{
    std::map<std::string, const store::ApprovalRow *> all;
    const auto add = [&](const std::map<std::string, store::ApprovalRow> &rows) {
        for (const auto &[id, row] : rows) {
            const store::StageRow *stage = findStage(row.stage);
            if (stage && stage->attempt == row.stageAttempt)
                all[id] = &row;
        }
    };
    add(m_before.approvals);
    add(m_approvals);
    return all;
}

std::vector<store::LockRow> WorkingCopy::locks() const
{
    std::vector<store::LockRow> all = m_locks;
    for (const store::LockRow &lock : m_before.locks) {
        const auto same = [&](const store::LockRow &other) { return sameLock(other, lock); };
        if (std::none_of(m_locks.begin(), m_locks.end(), same) &&
            std::none_of(m_released.begin(), m_released.end(), same))
            all.push_back(lock);
    }
    return all;
}

bool WorkingCopy::hasCheckpoint(const std::string &id) const
{
    return m_checkpoints.contains(id);
}

pipelines::run::RunProgress WorkingCopy::progress() const
{
    // progressOf() works on snapshots; one with the few edited rows laid over is the simplest
    // truth. Rows are shared by value, so only runs with very many jobs feel it.
    RunSnapshot merged = m_before;
    if (m_run)
        merged.run = *m_run;
    for (const auto &[name, row] : m_stages)
        merged.stages.insert_or_assign(name, row);
    for (const auto &[key, row] : m_phases)
        merged.phases.insert_or_assign(key, row);
    for (const auto &[id, row] : m_jobs)
        merged.jobs.insert_or_assign(id, row);
    for (const SecretOutputs &secrets : m_secrets)
        merged.secretOutputs.insert_or_assign(secrets.jobId, secrets.outputs);
    std::erase_if(merged.jobs, [&](const auto &entry) {
        const auto phase = merged.phases.find({entry.second.stage, entry.second.phase});
        return phase == merged.phases.end() || !countsFor(entry.second, phase->second);
    });
    return progressOf(merged);
}

std::vector<Change> WorkingCopy::takeChanges()
{
    std::vector<Change> changes;
    if (m_run)
        changes.emplace_back(std::move(*m_run));
    for (auto &[name, row] : m_stages)
        changes.emplace_back(std::move(row));
    for (auto &[key, row] : m_phases)
        changes.emplace_back(std::move(row));
    for (auto &[id, row] : m_jobs) {
        if (const auto created = m_created.find(id); created != m_created.end())
            changes.emplace_back(JobCreated{std::move(row), created->second});
        else
            changes.emplace_back(std::move(row));
    }
    for (SecretOutputs &outputs : m_secrets)
        changes.emplace_back(std::move(outputs));
    for (auto &[id, row] : m_approvals)
        changes.emplace_back(std::move(row));
    for (store::LockRow &lock : m_released)
        changes.emplace_back(LockReleased{std::move(lock)});
    for (store::LockRow &lock : m_locks)
        changes.emplace_back(std::move(lock));
    for (auto &[key, deployment] : m_deployments)
        changes.emplace_back(std::move(deployment));
    for (auto &[id, record] : m_checkpoints)
        changes.emplace_back(std::move(record));
    return changes;
}

namespace {

struct Applier
{
    RunSnapshot &snapshot;

    void operator()(const store::RunRow &row) const { snapshot.run = row; }

    void operator()(const store::StageRow &row) const
    {
        const auto before = snapshot.stages.find(row.name);
        if (before != snapshot.stages.end() && before->second.attempt < row.attempt) {
            std::erase_if(snapshot.approvals,
                          [&](const auto &one) { return one.second.stage == row.name; });
            std::erase_if(snapshot.locks, [&](const auto &lock) { return lock.stage == row.name; });
        }
        snapshot.stages.insert_or_assign(row.name, row);
    }

    void operator()(const store::PhaseRow &row) const
    {
        const PhaseKey key{row.stage, row.name};
        const auto before = snapshot.phases.find(key);
        if (before != snapshot.phases.end() && before->second.attempt < row.attempt) {
            snapshot.deployments.erase(key);
            std::erase_if(snapshot.jobs, [&](const auto &entry) {
                return entry.second.stage == row.stage && entry.second.phase == row.name &&
                       !countsFor(entry.second, row);
            });
        }
        snapshot.phases.insert_or_assign(key, row);
    }

    void operator()(const JobCreated &created) const
    {
        snapshot.jobs.insert_or_assign(created.row.id, created.row);
    }

    void operator()(const store::JobRow &row) const { snapshot.jobs.insert_or_assign(row.id, row); }

    void operator()(const SecretOutputs &secrets) const
    {
        snapshot.secretOutputs[secrets.jobId] = secrets.outputs;
    }

    void operator()(const store::ApprovalRow &row) const
    {
        snapshot.approvals.insert_or_assign(row.id, row);
    }

    void operator()(const store::LockRow &row) const
    {
        for (store::LockRow &lock : snapshot.locks) {
            if (sameLock(lock, row)) {
                lock = row;
                return;
            }
        }
        snapshot.locks.push_back(row);
    }

    void operator()(const LockReleased &released) const
    {
        std::erase_if(snapshot.locks,
                      [&](const auto &lock) { return sameLock(lock, released.lock); });
    }

    void operator()(const DeploymentState &deployment) const
    {
        snapshot.deployments.insert_or_assign(PhaseKey{deployment.stage, deployment.phase},
                                              deployment);
    }

    void operator()(const CheckpointRecord &) const {} // seen in the timeline only
};

} // namespace

void applyChange(RunSnapshot &snapshot, const Change &change)
{
    std::visit(Applier{snapshot}, change);
}

} // namespace server::scheduler
