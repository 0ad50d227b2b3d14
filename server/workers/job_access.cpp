#include "server/workers/job_access.h"

#include "server/store/token.h"

#include <fmt/format.h>

namespace server::workers {

using schema::Error;
using schema::ErrorCode;
using store::JobState;

Error leaseLost()
{
    return {ErrorCode::Conflict, "leaseLost: the server gave this job up"};
}

schema::Result<store::JobRow> openJob(store::Connection &connection, const std::string &jobId,
                                      const store::Blob &hash)
{
    auto job = store::RunStore(connection).findJob(jobId);
    if (!job)
        return Error{ErrorCode::NotFound, fmt::format("job {} is unknown", jobId)};
    if (job->state == JobState::Completed || job->state == JobState::Queued ||
        job->tokenHash.empty())
        return leaseLost();
    if (!store::sameHash(job->tokenHash, hash)) {
        // An earlier offer of the same job that was taken back, or a stranger; neither may go on.
        return store::RunStore(connection).findJobByToken(hash)
                   ? Error{ErrorCode::Unauthenticated, "this token is for another job"}
                   : leaseLost();
    }
    return std::move(*job);
}

std::string projectOf(store::Connection &connection, std::int64_t runId)
{
    return store::RunStore(connection).projectOf(runId);
}

std::string runEvent(std::int64_t runId, std::int64_t changeId)
{
    return fmt::format(R"({{"runId":{},"changeId":{}}})", runId, changeId);
}

} // namespace server::workers
