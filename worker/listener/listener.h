#pragma once
/// The listener of a worker: keeps the channel open, renews leases, starts one process per job and
/// looks after it. One thread, one loop; waits in poll only.

#include "worker/job/job_context.h"
#include "worker/listener/identity.h"

#include <functional>

namespace worker {

struct ListenerOptions
{
    std::string url;
    std::string registrationToken; ///< may be empty when the worker is registered already
    std::string tokenFrom;         ///< where the operator gave it, for errors
    std::string name, pool;
    int slots = 1;
    bool once = false; ///< end after one job
    bool replace = false;
    std::vector<std::string> capabilities; ///< "N=V"
    WorkerOptions worker;
};

/// Runs until it is told to end (SIGTERM or SIGINT: takes no more jobs and ends with the last one;
/// a second signal cancels them) or, with `once`, after one job. `say` gets one line per event, for
/// the operator. Errors: what keeps the worker from starting at all.
Status runListener(const ListenerOptions &options,
                   const std::function<void(const std::string &)> &say);

} // namespace worker
