#pragma once
/// Registration of all routes, one function per area of the API (docs/api.md).

#include "server/http/router.h"
#include "server/http/services.h"

namespace server::http {

void addDiscoveryRoutes(Router &router, Services &services);
void addOperationRoutes(Router &router, Services &services);
void addSignInRoutes(Router &router, Services &services);
void addProjectRoutes(Router &router, Services &services);
void addGitRoutes(Router &router, Services &services);
void addPipelineRoutes(Router &router, Services &services);
void addBuildRoutes(Router &router, Services &services);
void addBuildResultRoutes(Router &router, Services &services);
void addBadgeRoutes(Router &router, Services &services);
void addDefinitionRoutes(Router &router, Services &services);
void addEnvironmentRoutes(Router &router, Services &services);
void addCheckRoutes(Router &router, Services &services);
void addPoolRoutes(Router &router, Services &services);
void addLibraryRoutes(Router &router, Services &services);
void addRetentionRoutes(Router &router, Services &services);
void addPullRequestRoutes(Router &router, Services &services);
void addWebhookRoutes(Router &router, Services &services);
void addTestInsightRoutes(Router &router, Services &services);
void addTestRoutes(Router &router, Services &services);
void addPortalRunRoutes(Router &router, Services &services);
void addPortalFileRoutes(Router &router, Services &services);
void addPortalEnvironmentRoutes(Router &router, Services &services);
void addLogRoutes(Router &router, Services &services);
void addEventRoutes(Router &router, Services &services);
void addWorkerRoutes(Router &router, Services &services);
void addJobRoutes(Router &router, Services &services);
void addTaskRoutes(Router &router, Services &services);

/// All of them. `services` must outlive the router.
void addRoutes(Router &router, Services &services);

} // namespace server::http
