#pragma once
/// The task records of a job that has ended, as one blob (job_pack.tasks). Its first byte is the
/// number of the format; blobs of earlier formats are read forever.

#include "server/store/run_store.h"

#include <span>
#include <string>
#include <vector>

namespace server::store {

/// What the records of a pack have in common and what is therefore not in it.
struct PackedJob
{
    std::int64_t runId = 0;
    std::string id, recordId;
    int attempt = 1;
};

/// `records`: of tasks, completed, of this job.
Blob packRecords(const PackedJob &job, const std::vector<TimelineRow> &records);
/// Throws SqlError when the blob is damaged or of a newer format.
std::vector<TimelineRow> unpackRecords(const PackedJob &job, std::span<const std::uint8_t> pack);

} // namespace server::store
