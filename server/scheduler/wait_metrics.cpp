#include "server/scheduler/wait_metrics.h"

namespace server::scheduler {

schema::Durations &queueWaits()
{
    static schema::Durations durations;
    return durations;
}

schema::Durations &dispatches()
{
    static schema::Durations durations;
    return durations;
}

} // namespace server::scheduler
