#pragma once
/// How long jobs wait, over all schedulers of this process; read by /metrics.

#include "schema/base/durations.h"

namespace server::scheduler {

/// From the queue to the worker that was chosen. Any thread.
schema::Durations &queueWaits();

/// From the choice of a worker to the news that its job process runs. Any thread.
schema::Durations &dispatches();

} // namespace server::scheduler
