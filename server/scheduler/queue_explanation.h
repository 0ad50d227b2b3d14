#pragma once
/// Why the queued jobs of a run have no worker yet. Pure: from what the loop has in memory.

#include "server/scheduler/loop_state.h"

#include <cstdint>
#include <vector>

namespace server::scheduler {

/// One entry for each queued job of the run, in the order in which they would get workers at `now`.
std::vector<Waiting> waitingInQueues(const LoopState &state, std::int64_t runId, TimePoint now);

} // namespace server::scheduler
