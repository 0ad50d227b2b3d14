#include "server/scheduler/job_queue.h"

#include <algorithm>
#include <utility>

namespace server::scheduler {

void Shares::take(std::int64_t pipelineId)
{
    ++held[pipelineId];
}

void Shares::giveBack(std::int64_t pipelineId)
{
    const auto found = held.find(pipelineId);
    if (found != held.end() && --found->second <= 0)
        held.erase(found);
}

std::size_t JobQueue::levelOf(schema::RunPriority priority)
{
    const auto value = static_cast<std::size_t>(priority);
    return kLevels - std::clamp<std::size_t>(value, 1, kLevels);
}

void JobQueue::put(QueuedJob job)
{
    Where where{
        job.pipelineId, levelOf(job.priority), {job.queuedAt, job.runId, job.position, job.jobId}};
    if (!m_places.try_emplace(job.jobId, where).second)
        return;
    m_pipelines[where.pipelineId].at(where.level).emplace(where.place, std::move(job));
}

void JobQueue::remove(const std::string &jobId)
{
    const auto found = m_places.find(jobId);
    if (found == m_places.end())
        return;
    const auto pipeline = m_pipelines.find(found->second.pipelineId);
    Levels &levels = pipeline->second;
    levels.at(found->second.level).erase(found->second.place);
    m_places.erase(found);
    if (std::all_of(levels.begin(), levels.end(), [](const Jobs &jobs) { return jobs.empty(); }))
        m_pipelines.erase(pipeline);
}

const QueuedJob *JobQueue::find(const std::string &jobId) const
{
    const auto found = m_places.find(jobId);
    if (found == m_places.end())
        return nullptr;
    const Where &where = found->second;
    return &m_pipelines.at(where.pipelineId).at(where.level).at(where.place);
}

QueuedJob *JobQueue::find(const std::string &jobId)
{
    return const_cast<QueuedJob *>(std::as_const(*this).find(jobId));
}

void JobQueue::forgetRefusals()
{
    for (auto &[pipeline, levels] : m_pipelines) {
        for (Jobs &jobs : levels) {
            for (auto &[place, job] : jobs)
                job.refusedBy.clear();
        }
    }
}

QueueOrder::QueueOrder(const JobQueue &queue, Shares shares, schema::TimePoint now)
    : m_shares(std::move(shares))
    , m_now(now)
{
    for (const auto &[pipelineId, levels] : queue.m_pipelines) {
        Cursor &cursor = m_cursors[pipelineId];
        for (std::size_t level = 0; level < levels.size(); ++level) {
            cursor.at.at(level) = levels.at(level).begin();
            cursor.end.at(level) = levels.at(level).end();
        }
        enter(pipelineId);
    }
}

std::pair<int, int> QueueOrder::best(const Cursor &cursor) const
{
    constexpr int kTop = static_cast<int>(JobQueue::kLevels) - 1;
    std::pair<int, int> found{-1, -1};
    for (int level = 0; level <= kTop; ++level) {
        const auto at = cursor.at.at(static_cast<std::size_t>(level));
        if (at == cursor.end.at(static_cast<std::size_t>(level)))
            continue;
        const auto waited = std::max(m_now - at->second.queuedAt, schema::TimePoint::duration(0));
        const int urgency =
            static_cast<int>(std::min<std::int64_t>(kTop, level + waited / kPriorityStep));
        if (urgency > found.second ||
            (urgency == found.second &&
             at->first < cursor.at.at(static_cast<std::size_t>(found.first))->first))
            found = {level, urgency};
    }
    return found;
}

void QueueOrder::enter(std::int64_t pipelineId)
{
    const Cursor &cursor = m_cursors.at(pipelineId);
    const auto [level, urgency] = best(cursor);
    if (level < 0)
        return;
    const auto held = m_shares.held.find(pipelineId);
    const auto served = m_shares.served.find(pipelineId);
    m_ranks.emplace(-urgency, held == m_shares.held.end() ? 0 : held->second,
                    served == m_shares.served.end() ? 0 : served->second,
                    cursor.at.at(static_cast<std::size_t>(level))->first, pipelineId);
}

const QueuedJob *QueueOrder::next()
{
    if (m_current != 0)
        enter(m_current);
    m_current = 0;
    if (m_ranks.empty())
        return nullptr;
    m_current = std::get<4>(*m_ranks.begin());
    m_ranks.erase(m_ranks.begin());
    Cursor &cursor = m_cursors.at(m_current);
    return &(cursor.at.at(static_cast<std::size_t>(best(cursor).first))++)->second;
}

void QueueOrder::taken()
{
    m_shares.take(m_current);
    m_shares.serve(m_current);
}

void QueueOrder::skipPipeline()
{
    m_current = 0;
}

} // namespace server::scheduler
