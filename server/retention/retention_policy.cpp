#include "server/retention/retention_policy.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace server::retention {

using schema::ErrorCode;
using schema::TimePoint;

Verdict decideRetention(const store::CompletedRun &run, const store::RetentionPolicyRow &policy,
                        bool deployed, bool newest, TimePoint now)
{
    using std::chrono::days;
    if (deployed)
        return {Fate::Keep, "it made or deployed a version that is deployed now", std::nullopt};
    if (run.leased)
        return {Fate::Keep, "somebody asked to keep it (a retention lease)", std::nullopt};
    if (newest)
        return {Fate::Keep,
                fmt::format("it is one of the {} newest of its pipeline", policy.minimumRuns),
                std::nullopt};
    const bool pullRequest = run.reason == schema::RunReason::PullRequest;
    const int kept = pullRequest ? policy.pullRequestDays : policy.runDays;
    const TimePoint until = run.finishedAt + days(kept);
    if (now >= until)
        return {Fate::Delete,
                fmt::format("it ended more than {} days ago{}", kept,
                            pullRequest ? " (run of a pull request)" : ""),
                std::nullopt};
    if (run.hasArtifacts && now >= run.finishedAt + days(policy.artifactDays))
        return {Fate::DropArtifacts,
                fmt::format("its artifacts are older than {} days", policy.artifactDays), until};
    return {Fate::Keep, fmt::format("runs are kept for {} days", kept), until};
}

schema::Status checkPolicy(const store::RetentionPolicyRow &policy)
{
    for (const auto &[name, days] :
         {std::pair("runDays", policy.runDays), std::pair("artifactDays", policy.artifactDays),
          std::pair("pullRequestDays", policy.pullRequestDays)})
        if (days < 1 || days > kMostDays)
            return {ErrorCode::InvalidArgument,
                    fmt::format("'{}' must be from 1 to {}", name, kMostDays)};
    if (policy.minimumRuns < 0 || policy.minimumRuns > kMostMinimumRuns)
        return {ErrorCode::InvalidArgument,
                fmt::format("'minimumRuns' must be from 0 to {}", kMostMinimumRuns)};
    return {};
}

} // namespace server::retention
