#pragma once
/// Text form of a job instance, as kept (sealed) in the job's row until it completes.

#include "pipelines/run/graph.h"
#include "schema/base/result.h"
#include "schema/protocol/messages.h"

#include <string>
#include <string_view>
#include <vector>

namespace server::scheduler {

std::string instanceToText(const pipelines::run::JobInstance &instance);
/// Errors: Internal (the text is not of this program).
schema::Result<pipelines::run::JobInstance> instanceFromText(std::string_view text);

std::string outputsToText(const std::vector<schema::protocol::OutputVariable> &outputs);
schema::Result<std::vector<schema::protocol::OutputVariable>>
outputsFromText(std::string_view text);

/// Names and values of evaluated root variables, for the sealed column of the run.
std::string pairsToText(const std::vector<std::pair<std::string, std::string>> &pairs);
schema::Result<std::vector<std::pair<std::string, std::string>>>
pairsFromText(std::string_view text);

} // namespace server::scheduler
