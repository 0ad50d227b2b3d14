#pragma once
/// Summaries of code coverage files: Cobertura and JaCoCo (worker-and-tasks 10.2). External
/// entities and DTDs are ignored; memory does not grow with the file.

#include "schema/base/result.h"
#include "schema/protocol/job_resources.h"

#include <string_view>

namespace worker {

/// Statistics of one file; the root element tells the format. Counts that the root does not give
/// (Cobertura) are counted from its lines. Errors: InvalidArgument with the line for what is
/// neither format.
schema::Result<schema::protocol::CoverageUpload> readCoverage(std::string_view text);

/// Adds the counts of `more` to `sum` by label; the tool becomes both names when they differ.
void addCoverage(schema::protocol::CoverageUpload &sum,
                 const schema::protocol::CoverageUpload &more);

/// "Lines: 81.25 % (13 of 16)".
std::string sentence(const schema::protocol::CoverageStatistic &statistic);

} // namespace worker
