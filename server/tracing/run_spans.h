#pragma once
/// A finished run as OpenTelemetry spans: run, stages, jobs, steps. Pure. Ids are made from the run
/// and its records, so that sending a run twice gives the same spans. Names of attributes follow
/// OpenTelemetry's semantic conventions for CI/CD where they have one.

#include "server/scheduler/run_service.h"

#include <string>
#include <vector>

namespace server::tracing {

/// Bodies for OTLP/HTTP (JSON encoding of ExportTraceServiceRequest), each with at most
/// `spansPerBody` spans. `serverUrl` makes links to the run; may be empty. A run that has not ended
/// gives none.
std::vector<std::string> otlpBodies(const scheduler::RunDetail &run, const std::string &serverUrl,
                                    std::size_t spansPerBody = 500);

} // namespace server::tracing
