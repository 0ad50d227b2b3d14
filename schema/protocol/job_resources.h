#pragma once
/// Bodies of the job's calls beside those of messages.h: code coverage, and runs whose artifacts a
/// job may read.

#include "schema/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace schema::protocol {

struct CoverageStatistic
{
    std::string label; ///< "Lines", "Branches", "Instructions", ...
    std::int64_t covered = 0, total = 0;
    bool operator==(const CoverageStatistic &) const = default;
};

/// POST coverage: the summary of one publishing step.
struct CoverageUpload
{
    std::string key;  ///< unique in the job: repeating the upload is harmless
    std::string tool; ///< "Cobertura", "JaCoCo"
    std::vector<CoverageStatistic> statistics;
    bool operator==(const CoverageUpload &) const = default;
};

/// POST runs/find: which run of the same project is meant (worker-and-tasks 10.4, "specific").
struct RunQuery
{
    std::string pipeline;   ///< name or number of a pipeline, or alias of a pipeline resource
    std::int64_t runId = 0; ///< given: exactly this one
    std::string branch;     ///< newest of this ref only; empty: of any
    std::vector<std::string> tags;                   ///< all of them
    bool partiallySucceeded = false, failed = false; ///< may have ended so
    bool preferTriggering = false; ///< the run that triggered this one, when it is of the pipeline
    bool operator==(const RunQuery &) const = default;
};

struct RunFound
{
    std::int64_t runId = 0;
    std::string number;
    bool operator==(const RunFound &) const = default;
};

nlohmann::ordered_json toJson(const CoverageUpload &coverage);
nlohmann::ordered_json toJson(const RunQuery &query);
nlohmann::ordered_json toJson(const RunFound &found);
/// Errors: InvalidArgument naming the member.
Result<CoverageUpload> coverageUploadFromJson(const nlohmann::ordered_json &json);
Result<RunQuery> runQueryFromJson(const nlohmann::ordered_json &json);
Result<RunFound> runFoundFromJson(const nlohmann::ordered_json &json);

} // namespace schema::protocol
