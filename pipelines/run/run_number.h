#pragma once
/// Run numbers (`name:`, pipeline-language 8).

#include "pipelines/run/step_context.h"
#include "schema/base/result.h"
#include "schema/base/time.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pipelines::run {

/// What `name` absent or empty means.
inline constexpr std::string_view kDefaultRunNumber = "$(Date:yyyyMMdd).$(Rev:r)";

/// How many runs of the pipeline had this text so far, plus one. `text` is the number with its Rev
/// tokens left out; called once, and only when the format has a Rev.
using RevisionCounter = std::function<std::uint64_t(const std::string &text)>;

/// Whether a text may be a run's number (environments-and-portal: the service's rules). Errors:
/// InvalidArgument, when it is empty, longer than 255 UTF-16 units, holds one of
/// `" / : < > \ | ? @ *` or ends in a dot.
schema::Status checkRunNumber(std::string_view number);

/// Fills in a format. Tokens compare ignoring case; names that are no token are looked up as
/// variables (BuildID, BuildDefinitionName, SourceBranchName and TeamProject too, under the names
/// Build.BuildId, Build.DefinitionName, Build.SourceBranchName, System.TeamProject); unknown ones
/// stay as text. Times are UTC. Errors: InvalidArgument, in the service's words, when the result is
/// longer than 255 characters, holds one of `" / : < > \ | ? @ *` or ends in a dot.
schema::Result<std::string> formatRunNumber(std::string_view format, schema::TimePoint now,
                                            const VariableLookup &variables,
                                            const RevisionCounter &revision);

} // namespace pipelines::run
