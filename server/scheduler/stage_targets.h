#pragma once
/// Finds the environments and checks of a stage that became ready (environments-and-portal A2, A3).

#include "server/scheduler/run_context.h"
#include "server/scheduler/state_machine.h"

#include <string>

namespace server::scheduler {

/// Answers a ResolveStage within the transaction. An unknown environment is created when a person
/// asked for the run; else the answer carries an error that names it and what to do. Throws
/// store::SqlError.
StageResolved resolveTargets(store::Connection &connection, const RunContext &context,
                             const std::string &stage, TimePoint now);

} // namespace server::scheduler
