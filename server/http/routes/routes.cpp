#include "server/http/routes/routes.h"

#include "server/http/routes/resource_routes.h"

namespace server::http {

void addRoutes(Router &router, Services &services)
{
    addDiscoveryRoutes(router, services);
    addOperationRoutes(router, services);
    addSignInRoutes(router, services);
    addProjectRoutes(router, services);
    addGitRoutes(router, services);
    addPipelineRoutes(router, services);
    addBuildRoutes(router, services);
    addBuildResultRoutes(router, services);
    addBadgeRoutes(router, services);
    addDefinitionRoutes(router, services);
    addEnvironmentRoutes(router, services);
    addCheckRoutes(router, services);
    addPoolRoutes(router, services);
    addLibraryRoutes(router, services);
    addRetentionRoutes(router, services);
    addPullRequestRoutes(router, services);
    addWebhookRoutes(router, services);
    addTestInsightRoutes(router, services);
    addTestRoutes(router, services);
    addPortalRunRoutes(router, services);
    addPortalFileRoutes(router, services);
    addPortalEnvironmentRoutes(router, services);
    addLogRoutes(router, services);
    addEventRoutes(router, services);
    addWorkerRoutes(router, services);
    addJobRoutes(router, services);
    addTaskRoutes(router, services);
    addJobResourceRoutes(router, services);
    addRunResourceRoutes(router, services);
}

} // namespace server::http
