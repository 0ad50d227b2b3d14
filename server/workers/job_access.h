#pragma once
/// What all calls of job processes begin with. Internal to server/workers.

#include "schema/base/result.h"
#include "server/store/run_store.h"

#include <cstdint>
#include <string>

namespace server::workers {

/// The error that makes a job process stop at once and say nothing more.
schema::Error leaseLost();

/// The open job that the token of this hash is for. While a job is open its hash stands in the row;
/// a completed one keeps it so that a repeated completion is recognised, but takes nothing else any
/// more. Errors: NotFound, Conflict (leaseLost), Unauthenticated (token of another job).
schema::Result<store::JobRow> openJob(store::Connection &connection, const std::string &jobId,
                                      const store::Blob &hash);

/// Project of a run; empty when it is unknown.
std::string projectOf(store::Connection &connection, std::int64_t runId);

/// Data of a "run" event.
std::string runEvent(std::int64_t runId, std::int64_t changeId);

} // namespace server::workers
