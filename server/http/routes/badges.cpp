// Badges of pipelines for READMEs, and the setting of a project that says who may see them (the
// build area's generalSettings; environments-and-portal D5).
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/store/setting_store.h"

#include <algorithm>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

constexpr const char *kPrivateBadges = "statusBadgesArePrivate";
constexpr std::size_t kLongestLabel = 64;

struct Shown
{
    std::string text = "never built";
    const char *colour = "#767676";
};

std::string settingName(const store::Project &project)
{
    return "project." + project.id + "." + kPrivateBadges;
}

/// Private until an administrator says otherwise: a state tells a stranger that a pipeline is
/// there.
Result<bool> badgesArePrivate(Services &services, const store::Project &project)
{
    return services.database.read([&](store::Connection &connection) {
        return Result(store::SettingStore(connection).find(settingName(project)) != "false");
    });
}

Shown shownOf(std::string_view word, bool good, bool partly, bool canceled)
{
    return {std::string(word), good       ? "#107c10"
                               : partly   ? "#8a6100"
                               : canceled ? "#767676"
                                          : "#c50f1f"};
}

/// Of the newest completed run of the branch, or of one of its stages. Errors: NotFound (stage).
Result<Shown> newestState(Services &services, const store::Pipeline &pipeline,
                          const std::string &branch, const std::string &stage)
{
    store::RunFilter filter;
    filter.pipelineId = pipeline.id;
    filter.status = schema::RunStatus::Completed;
    filter.top = 1;
    if (!branch.empty())
        filter.branch = branch.starts_with("refs/") ? branch : "refs/heads/" + branch;
    if (stage.empty()) {
        ASSIGN_OR_RETURN(const auto newest, services.runs.list(filter));
        if (newest.empty())
            return Shown();
        const auto result = newest.front().result;
        return shownOf(schema::toString(result), result == schema::RunResult::Succeeded,
                       result == schema::RunResult::PartiallySucceeded,
                       result == schema::RunResult::Canceled);
    }
    ASSIGN_OR_RETURN(const auto newest, services.runs.overviews(filter));
    if (newest.empty())
        return Shown();
    for (const auto &one : newest.front().stages) {
        if (!equalsIgnoringCase(one.name, stage) || !one.result)
            continue;
        return shownOf(schema::toString(*one.result), *one.result == schema::TaskResult::Succeeded,
                       *one.result == schema::TaskResult::SucceededWithIssues,
                       *one.result == schema::TaskResult::Canceled ||
                           *one.result == schema::TaskResult::Skipped);
    }
    return {ErrorCode::NotFound, "the newest run of '" + pipeline.name + "' has no stage '" +
                                     stage + "'; stages are named as in its file"};
}

std::string escaped(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
    }
    return out;
}

std::string drawn(const std::string &label, const Shown &shown)
{
    // 7 pixels a character are enough for this font at 11 pixels, in any language that uses
    // letters.
    const auto width = [](std::size_t characters) { return static_cast<int>(characters) * 7 + 18; };
    const int left = width(label.size());
    const int right = width(shown.text.size());
    const auto number = [](int value) { return std::to_string(value); };
    const std::string name = escaped(label);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(left + right) +
           "\" height=\"20\" role=\"img\" aria-label=\"" + name + ": " + shown.text +
           "\"><rect width=\"" + number(left) + "\" height=\"20\" fill=\"#424242\"/><rect x=\"" +
           number(left) + "\" width=\"" + number(right) + "\" height=\"20\" fill=\"" +
           shown.colour +
           "\"/><g fill=\"#fff\" font-family=\"sans-serif\" font-size=\"11\" "
           "text-anchor=\"middle\"><text x=\"" +
           number(left / 2) + "\" y=\"14\">" + name + "</text><text x=\"" +
           number(left + right / 2) + "\" y=\"14\">" + shown.text + "</text></g></svg>\n";
}

Result<Reply> badgeOf(Call &call, Services &services, const std::string &wanted)
{
    const bool stranger = call.principal.identityId.empty();
    const auto project = projectOf(call, services);
    bool hidden = false;
    if (stranger) {
        hidden = true;
        if (project) {
            ASSIGN_OR_RETURN(hidden, badgesArePrivate(services, *project));
        }
    }
    // One answer for what is private and for what is not there.
    if (hidden)
        return {ErrorCode::NotFound,
                "no badge here for readers who are not signed in; an administrator can open the "
                "badges of a project on the page of any of its pipelines"};
    if (!project)
        return project.error();
    const std::string label = call.query().text("label");
    if (label.size() > kLongestLabel)
        return {ErrorCode::InvalidArgument, "parameter 'label' has at most 64 bytes"};
    ASSIGN_OR_RETURN(const auto pipelines, services.pipelines.list(project->id));
    const auto found =
        std::find_if(pipelines.begin(), pipelines.end(), [&](const store::Pipeline &pipeline) {
            return std::to_string(pipeline.id) == wanted ||
                   equalsIgnoringCase(pipeline.name, wanted);
        });
    if (found == pipelines.end())
        return {ErrorCode::NotFound,
                "project '" + project->name + "' has no pipeline '" + wanted + "'"};
    ASSIGN_OR_RETURN(const auto shown,
                     newestState(services, *found, call.query().text("branchname"),
                                 call.query().text("stagename")));
    Reply reply = Reply::text(drawn(label.empty() ? "pipeline" : label, shown), "image/svg+xml");
    // Hosts of READMEs keep pictures; they are to ask again each time, and get 304.
    reply.with("Cache-Control", "no-cache");
    return reply;
}

Result<Reply> badge(Call &call, Services &services)
{
    return badgeOf(call, services, call.value("definition"));
}

Result<Reply> badgeById(Call &call, Services &services)
{
    return badgeOf(call, services, call.value("definitionId"));
}

Result<Reply> generalSettings(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const bool hidden, badgesArePrivate(services, project));
    return Reply::json({{kPrivateBadges, hidden}});
}

Result<Reply> changeGeneralSettings(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto project, projectOf(call, services));
    ASSIGN_OR_RETURN(const auto body, call.object());
    for (const auto &item : body.items()) {
        if (!equalsIgnoringCase(item.key(), kPrivateBadges))
            return {ErrorCode::InvalidArgument, "there is no setting '" +
                                                    item.key().substr(0, 100) +
                                                    "' here; statusBadgesArePrivate is the one"};
    }
    ASSIGN_OR_RETURN(const auto hidden, flagMember(body, kPrivateBadges));
    if (hidden) {
        RETURN_IF_ERROR(services.database.write([&](store::Connection &connection) -> Status {
            store::SettingStore(connection).put(settingName(project), *hidden ? "true" : "false");
            return {};
        }));
    }
    return generalSettings(call, services);
}

} // namespace

void addBadgeRoutes(Router &router, Services &services)
{
    const auto bind = [&services](Result<Reply> (*handler)(Call &, Services &)) {
        return [&services, handler](Call &call) { return handler(call, services); };
    };
    router.serve("GET", "07acfdce", Form::Item, bind(badge), Access::Public);
    router.serve("GET", "de6a4df8", Form::Item, bind(badgeById), Access::Public);
    router.serve("GET", "c4aefd19", Form::Item, bind(generalSettings));
    router.serve("PATCH", "c4aefd19", Form::Item, bind(changeGeneralSettings), Access::Admin);
}

} // namespace server::http
