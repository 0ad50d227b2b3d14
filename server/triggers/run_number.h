#pragma once
/// The number of a run ("20260309.3") from the pipeline's `name:` format (pipeline-language 8).

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace server::triggers {

struct NumberFacts
{
    std::string format; ///< empty: $(Date:yyyyMMdd).$(Rev:r)
    std::map<std::string, std::string> variables;
    schema::TimePoint now;
};

/// `nextRevision(prefix)`: next number of runs whose text is otherwise equal. `$(BuildID)` and
/// `$(Build.BuildId)` come out as the latter, for the run service to fill in. Errors:
/// InvalidArgument.
schema::Result<std::string>
runNumber(const NumberFacts &facts,
          const std::function<std::int64_t(const std::string &prefix)> &nextRevision);

} // namespace server::triggers
