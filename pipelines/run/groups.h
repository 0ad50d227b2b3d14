#pragma once
/// The variable groups that a plan uses. Their values come from elsewhere: a server's library, the
/// command line.

#include "schema/model/plan.h"

#include <set>
#include <string>

namespace pipelines::run {

/// Names of the groups in root, stages and jobs, as the file writes them.
std::set<std::string> groupsOf(const schema::RunPlan &plan);

} // namespace pipelines::run
