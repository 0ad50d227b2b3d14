#pragma once
/// Stages of runs that have not ended, for whoever waits for a stage and not for its run.

#include "server/store/database.h"

#include <cstdint>
#include <map>

namespace server::store {

/// How many stages of each run that is not completed have succeeded (with or without issues); runs
/// without any are left out. Attempts count each.
std::map<std::int64_t, std::int64_t> succeededStagesOfOpenRuns(Connection &connection);

} // namespace server::store
