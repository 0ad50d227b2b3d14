#pragma once
/// Which repositories a job's token may fetch.

#include "schema/base/result.h"
#include "server/store/database.h"
#include "server/store/repository_store.h"
#include "server/workers/worker_service.h"

namespace server::workers {

/// Whether the job may fetch this repository of its project: the pipeline's own, and those that its
/// checkout steps or its `uses` name (pipelines::run::jobRepositories). Within the caller's
/// transaction. Errors: Internal (the stored plan is unreadable).
schema::Result<bool> mayFetch(store::Connection &connection, const JobAccess &access,
                              const store::Repository &repository);

} // namespace server::workers
