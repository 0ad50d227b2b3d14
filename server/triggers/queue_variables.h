#pragma once
/// Which variables may be given when a run is queued.

#include "schema/base/result.h"
#include "schema/model/plan.h"

namespace server::triggers {

/// Refuses what would be without effect, or would pass for what the server knows: predefined
/// variables but `System.Debug` (pipeline-language 17; environments-and-portal C4), variables that
/// the file defines itself, whose value wins (pipeline-language 7.2; `plan` may be nullptr), and
/// the same name twice. Names compare ignoring case. Errors: InvalidArgument, with what to do.
schema::Status checkQueueVariables(const schema::TextMap &variables, const schema::RunPlan *plan);

} // namespace server::triggers
