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
    m_createdOf[{created.row.stage, created.row.phase}].insert(created.row.id);
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
    for (const auto &[key, count] : m_before.index.open) {
        for (const std::string &id : m_before.index.ofPhase.at(key)) {
            if (findJob(id)->state != store::JobState::Completed)
                ids.push_back(id);
        }
    }
    std::sort(ids.begin(), ids.end());
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

pipelines::run::JobProgress WorkingCopy::progressOf(const PhaseKey &key) const
{
    auto job = jobProgressOf(*findPhase(key), jobsOf(key), m_before);
    for (const SecretOutputs &outputs : m_secrets) {
        const store::JobRow *owner = findJob(outputs.jobId);
        if (!owner || owner->stage != key.first || owner->phase != key.second)
            continue;
        for (auto &result : job.finished) {
            if (result.name == owner->name)
                result.outputs.insert(result.outputs.end(), outputs.outputs.begin(),
                                      outputs.outputs.end());
        }
    }
    return job;
}

pipelines::run::RunProgress WorkingCopy::progress() const
{
    pipelines::run::RunProgress progress = emptyProgressOf(m_before);
    progress.cancelRequested = run().status == schema::RunStatus::Cancelling;
    for (const auto &[name, row] : m_before.stages)
        progress.stages[name] = stageProgressOf(*findStage(name));
    for (const auto &[key, row] : m_before.phases)
        progress.stages[key.first].jobs[key.second] = progressOf(key);
    return progress;
}

pipelines::run::RunProgress WorkingCopy::progress(const schema::Stage &stage,
                                                  const std::set<std::string> &jobs) const
{
    pipelines::run::RunProgress progress = emptyProgressOf(m_before);
    progress.cancelRequested = run().status == schema::RunStatus::Cancelling;
    for (const std::string &name : stage.dependsOn) {
        if (const store::StageRow *row = findStage(name))
            progress.stages[name] = stageProgressOf(*row);
        for (const PhaseKey &key : phasesOf(name))
            progress.stages[name].jobs[key.second] = progressOf(key);
    }
    if (const store::StageRow *row = findStage(stage.name))
        progress.stages[stage.name] = stageProgressOf(*row);
    for (const std::string &name : jobs) {
        if (findPhase({stage.name, name}))
            progress.stages[stage.name].jobs[name] = progressOf({stage.name, name});
    }
    return progress;
}

bool WorkingCopy::ended(const store::JobRow &edited) const
{
    if (edited.state != store::JobState::Completed)
        return false;
    const auto before = m_before.jobs.find(edited.id);
    return before == m_before.jobs.end() || before->second.state != store::JobState::Completed;
}

WorkingCopy::Moved WorkingCopy::moved() const
{
    if (!m_stages.empty() || !m_phases.empty() || !m_created.empty() ||
        (m_run && m_run->status == schema::RunStatus::Cancelling))
        return Moved::Anything;
    const bool jobs = std::any_of(m_jobs.begin(), m_jobs.end(),
                                  [&](const auto &entry) { return ended(entry.second); });
    return jobs ? Moved::Jobs : Moved::Nothing;
}

std::set<PhaseKey> WorkingCopy::endedPhases() const
{
    std::set<PhaseKey> keys;
    for (const auto &[id, job] : m_jobs) {
        if (ended(job))
            keys.insert({job.stage, job.phase});
    }
    return keys;
}

std::size_t WorkingCopy::openJobsOf(const PhaseKey &key) const
{
    const auto before = m_before.index.open.find(key);
    std::size_t count = before == m_before.index.open.end() ? 0 : before->second;
    for (const auto &[id, job] : m_jobs) {
        if (job.stage != key.first || job.phase != key.second)
            continue;
        if (m_created.contains(id))
            count += job.state != store::JobState::Completed ? 1 : 0;
        else if (ended(job))
            --count;
    }
    return count;
}

std::size_t WorkingCopy::openPhasesOf(const std::string &stage) const
{
    const auto before = m_before.index.openPhases.find(stage);
    if (before == m_before.index.openPhases.end())
        return 0;
    std::size_t count = before->second.size();
    for (const auto &[key, row] : m_phases) {
        if (key.first == stage && row.state == schema::RecordState::Completed &&
            before->second.contains(key.second))
            --count;
    }
    return count;
}

std::vector<const store::JobRow *> WorkingCopy::jobsOf(const PhaseKey &key) const
{
    std::vector<const store::JobRow *> rows;
    const store::PhaseRow &phase = *findPhase(key);
    const auto add = [&](const std::string &id) {
        const store::JobRow *row = findJob(id);
        if (countsFor(*row, phase))
            rows.push_back(row);
    };
    if (const auto ids = m_before.index.ofPhase.find(key); ids != m_before.index.ofPhase.end())
        std::for_each(ids->second.begin(), ids->second.end(), add);
    if (const auto ids = m_createdOf.find(key); ids != m_createdOf.end())
        std::for_each(ids->second.begin(), ids->second.end(), add);
    return rows;
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

    void forget(const store::JobRow &row) const
    {
        JobIndex &index = snapshot.index;
        const PhaseKey key{row.stage, row.phase};
        index.held.erase(row.id);
        if (const auto ids = index.ofPhase.find(key); ids != index.ofPhase.end()) {
            ids->second.erase(row.id);
            if (ids->second.empty())
                index.ofPhase.erase(ids);
        }
        if (const auto open = index.open.find(key);
            open != index.open.end() && row.state != store::JobState::Completed) {
            if (--open->second == 0)
                index.open.erase(open);
        }
    }

    void put(const store::JobRow &row) const
    {
        if (const auto before = snapshot.jobs.find(row.id); before != snapshot.jobs.end())
            forget(before->second);
        JobIndex &index = snapshot.index;
        const PhaseKey key{row.stage, row.phase};
        if (row.state == store::JobState::Assigned || row.state == store::JobState::Running)
            index.held.insert(row.id);
        index.ofPhase[key].insert(row.id);
        if (row.state != store::JobState::Completed)
            ++index.open[key];
        snapshot.jobs.insert_or_assign(row.id, row);
    }

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
            const auto known = snapshot.index.ofPhase.find(key);
            const std::set<std::string> ids =
                known == snapshot.index.ofPhase.end() ? std::set<std::string>() : known->second;
            for (const std::string &id : ids) {
                const auto job = snapshot.jobs.find(id);
                if (countsFor(job->second, row))
                    continue;
                forget(job->second);
                snapshot.jobs.erase(job);
            }
        }
        auto &open = snapshot.index.openPhases[row.stage];
        if (row.state == schema::RecordState::Completed)
            open.erase(row.name);
        else
            open.insert(row.name);
        snapshot.phases.insert_or_assign(key, row);
    }

    void operator()(const JobCreated &created) const { put(created.row); }

    void operator()(const store::JobRow &row) const { put(row); }

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
