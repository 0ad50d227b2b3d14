#pragma once
/// Which repositories a job may fetch.

#include "pipelines/base/text.h"
#include "schema/model/plan.h"

#include <set>
#include <string>

namespace pipelines::run {

using Aliases = std::set<std::string, LessIgnoringCase>;

/// `self`, what the job's checkout steps name, and what stands under `uses: repositories`
/// (pipeline-language 3.3). A checkout whose name only the run knows, by a macro, names nothing: it
/// reaches what `uses` declares, as in the service. Pure.
Aliases jobRepositories(const schema::Job &job);

} // namespace pipelines::run
