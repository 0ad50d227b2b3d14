// The task store: packages of tasks that are not built in (worker-and-tasks 5.8).
#include "server/http/file_body.h"
#include "server/http/routes/routes.h"
#include "server/http/shapes.h"
#include "server/tasks/task_store.h"

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

Json taskJson(const tasks::StoredTask &task)
{
    return {{"id", task.id},
            {"name", task.name},
            {"version", task.version},
            {"friendlyName", task.title},
            {"description", task.description},
            {"contributionIdentifier",
             task.contribution.empty() ? Json(nullptr) : Json(task.contribution)},
            {"sha256", task.sha256},
            {"size", task.size},
            {"installedAt", schema::toIso8601(task.installedAt)}};
}

Json listJson(const std::vector<tasks::StoredTask> &tasks)
{
    Json list = Json::array();
    for (const auto &task : tasks)
        list.push_back(taskJson(task));
    return list;
}

Result<Reply> listTasks(Call & /*call*/, Services &services)
{
    return Reply::list(listJson(services.tasks.list()));
}

Result<Reply> installTasks(Call &call, Services &services)
{
    if (call.contentLength && *call.contentLength > tasks::kMaxPackageBytes)
        return {ErrorCode::LimitExceeded, "the package is longer than a task package may be"};
    ASSIGN_OR_RETURN(const auto installed,
                     services.tasks.install(*call.body, call.query().text("sha256")));
    return Reply::list(listJson(installed));
}

Result<Reply> removeTasks(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto removed,
                     services.tasks.remove(call.value("reference"), call.query().text("version")));
    return Reply::list(listJson(removed));
}

Result<Reply> findForJob(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto access, services.jobs.access(call.value("jobId"), call.credential));
    static_cast<void>(access); // who asks matters, not for which run
    ASSIGN_OR_RETURN(const auto task, services.tasks.find(call.query().text("reference"),
                                                          call.query().text("version")));
    return Reply::json(taskJson(task));
}

Result<Reply> packageForJob(Call &call, Services &services)
{
    ASSIGN_OR_RETURN(const auto access, services.jobs.access(call.value("jobId"), call.credential));
    static_cast<void>(access);
    ASSIGN_OR_RETURN(const auto file,
                     services.tasks.package(call.value("taskId"), call.value("version")));
    auto body = FileBody::open(file);
    if (!body)
        return std::move(body).error().withContext("the task's package");
    return Reply::ofFile(std::move(*body), "application/zip");
}

} // namespace

void addTaskRoutes(Router &router, Services &services)
{
    const auto add = [&](const char *method, const char *path, Access access,
                         Result<Reply> (*handler)(Call &, Services &)) {
        router.add(
            method, path, [&services, handler](Call &call) { return handler(call, services); },
            access);
    };
    add("GET", "_apis/slipway/tasks", Access::SignedIn, listTasks);
    add("POST", "_apis/slipway/tasks", Access::Admin, installTasks);
    add("DELETE", "_apis/slipway/tasks/{reference}", Access::Admin, removeTasks);
    add("GET", "_apis/slipway/jobs/{jobId}/tasks", Access::Credential, findForJob);
    add("GET", "_apis/slipway/jobs/{jobId}/tasks/{taskId}/{version}", Access::Credential,
        packageForJob);
}

} // namespace server::http
