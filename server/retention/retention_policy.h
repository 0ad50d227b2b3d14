#pragma once
/// Which runs stay, and why. Pure.

#include "server/store/retention_store.h"

#include <optional>
#include <string>

namespace server::retention {

enum class Fate : std::uint8_t { Keep, DropArtifacts, Delete };

/// What happens to a run now, and in one sentence why.
struct Verdict
{
    Fate fate = Fate::Keep;
    std::string sentence;
    std::optional<schema::TimePoint> until; ///< when a kept run may go; nothing: not by time alone
};

/// Reasons that keep a run, strongest first: what it made or deployed is deployed now; a lease;
/// it is among the newest of its pipeline; its days are not over.
///
/// `deployed`: the run made or deployed a version that is deployed now. `newest`: it is one of the
/// `minimumRuns` newest completed runs of its pipeline.
Verdict decideRetention(const store::CompletedRun &run, const store::RetentionPolicyRow &policy,
                        bool deployed, bool newest, schema::TimePoint now);

/// Errors: InvalidArgument naming the field and its range.
schema::Status checkPolicy(const store::RetentionPolicyRow &policy);

inline constexpr int kMostDays = 36500;
inline constexpr int kMostMinimumRuns = 1000;

} // namespace server::retention
