#include "server/scheduler/lock_queue.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace server::scheduler {

LockDecision grantLock(std::vector<LockEntry> entries)
{
    LockDecision decision;
    if (std::any_of(entries.begin(), entries.end(),
                    [](const LockEntry &e) { return e.lock.grantedAt.has_value(); }))
        return decision;
    std::sort(entries.begin(), entries.end(), [](const LockEntry &a, const LockEntry &b) {
        return std::tie(a.lock.requestedAt, a.lock.runId, a.lock.stage) <
               std::tie(b.lock.requestedAt, b.lock.runId, b.lock.stage);
    });
    std::map<std::tuple<std::int64_t, std::string, std::string>, const LockEntry *> newest;
    for (const LockEntry &entry : entries) {
        if (!entry.lock.latestOnly)
            continue;
        const LockEntry *&best = newest[{entry.pipelineId, entry.branch, entry.lock.stage}];
        if (!best || best->lock.runId < entry.lock.runId)
            best = &entry;
    }
    for (const LockEntry &entry : entries) {
        const LockEntry *best = entry.lock.latestOnly
                                    ? newest[{entry.pipelineId, entry.branch, entry.lock.stage}]
                                    : &entry;
        if (best->lock.runId != entry.lock.runId)
            decision.superseded.push_back({entry, best->runNumber});
        else if (decision.granted.empty())
            decision.granted.push_back(entry);
    }
    return decision;
}

} // namespace server::scheduler
