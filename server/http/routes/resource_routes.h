#pragma once
/// Registration of the routes of job_resources.cpp, run_resources.cpp and validations.cpp.

#include "server/http/router.h"
#include "server/http/services.h"

namespace server::artifacts {
struct Artifact;
}

namespace server::workers {
class ServerWorker;
}

namespace server::http {

/// The stream of an artifact, as it was published. Errors: NotFound, Io.
schema::Result<Reply> artifactReply(Services &services, const artifacts::Artifact &artifact);

void addJobResourceRoutes(Router &router, Services &services);
void addRunResourceRoutes(Router &router, Services &services);

/// The worker must outlive the router.
void addValidationRoutes(Router &router, Services &services, workers::ServerWorker &worker);

} // namespace server::http
