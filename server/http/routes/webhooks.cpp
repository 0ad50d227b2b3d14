// Calls from outside that start runs: webhooks and registries (environments-and-portal D11).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/triggers/resource_triggers.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

constexpr std::size_t kMaxPayloadBytes = 1U << 20U;
/// Events of one registry notification that are looked at.
constexpr std::size_t kMostEvents = 1000;

Result<Reply> webhook(Call &call, Services &services)
{
    triggers::WebhookCall hook;
    hook.name = call.value("webHookId");
    ASSIGN_OR_RETURN(hook.body, call.text(kMaxPayloadBytes));
    hook.header = [&call](const std::string &name) { return call.header(name); };
    ASSIGN_OR_RETURN(const auto runs, services.resourceTriggers.webhook(hook));
    return Reply::json({{"runs", runs.size()}});
}

/// The envelope of a container registry (distribution), `{"events": [{"action": "push", "target":
/// {"repository", "tag", "digest"}, "request": {"host"}}]}`.
Result<Reply> registryNotification(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.json());
    const Json *events = member(body, "events");
    if (!events || !events->is_array())
        return {ErrorCode::InvalidArgument,
                "'events' must be a list, as a container registry sends it"};
    if (events->size() > kMostEvents)
        return {ErrorCode::InvalidArgument, "at most 1000 events in one call"};
    Json started = Json::array();
    for (const auto &event : *events) {
        ASSIGN_OR_RETURN(const auto action, textMember(event, "action"));
        const Json *target = member(event, "target");
        if (action != "push" || !target)
            continue;
        triggers::PushedImage image;
        ASSIGN_OR_RETURN(const auto repository, textMember(*target, "repository"));
        ASSIGN_OR_RETURN(const auto tag, textMember(*target, "tag"));
        ASSIGN_OR_RETURN(const auto digest, textMember(*target, "digest"));
        if (!repository || !tag || tag->empty())
            continue; // a layer or a manifest without a name
        image.repository = *repository;
        image.tag = *tag;
        image.digest = digest.value_or("");
        if (const Json *request = member(event, "request")) {
            ASSIGN_OR_RETURN(const auto host, textMember(*request, "host"));
            image.registry = host.value_or("");
        }
        ASSIGN_OR_RETURN(const auto runs, services.resourceTriggers.imagePushed(project.id, image));
        for (const auto run : runs)
            started.push_back(run);
    }
    return Reply::json({{"runs", started}});
}

} // namespace

void addWebhookRoutes(Router &router, Services &services)
{
    router.serve(
        "POST", "44f7ed85", Form::Item, [&services](Call &call) { return webhook(call, services); },
        Access::Public);
    router.add("POST", "{project}/_apis/slipway/registrynotifications",
               [&services](Call &call) { return registryNotification(call, services); });
}

} // namespace server::http
