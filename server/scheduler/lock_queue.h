#pragma once
/// Who gets an exclusive lock. Pure.

#include "server/store/check_store.h"

#include <string>
#include <vector>

namespace server::scheduler {

/// A holder or waiter with what its place in the queue depends on.
struct LockEntry
{
    store::LockRow lock;
    std::int64_t pipelineId = 0;
    std::string branch;
    std::string runNumber;
};

struct LockDecision
{
    std::vector<LockEntry> granted; ///< at most one

    struct Superseded
    {
        LockEntry entry;
        std::string byRunNumber;
    };

    std::vector<Superseded> superseded;
};

/// Decides for one lock (environments-and-portal B8). Nothing while somebody holds the lock.
/// When it is free: of waiters that want `runLatest`, only the newest of each pipeline, branch and
/// stage stays, so that a newer run of one branch never cancels a hotfix of another; then the one
/// that waits longest gets it.
LockDecision grantLock(std::vector<LockEntry> ofOneLock);

} // namespace server::scheduler
