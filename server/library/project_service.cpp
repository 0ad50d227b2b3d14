#include "server/library/project_service.h"

#include "schema/base/guid.h"

#include <algorithm>

namespace server::library {

using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;
using store::Project;
using store::ProjectStore;

Status checkPathName(std::string_view what, std::string_view name)
{
    constexpr std::string_view kForbidden = "\\/:*?\"<>|#%;&{}+";
    const std::string begin = "name of a " + std::string(what) + " ";
    if (name.empty() || name.size() > 64)
        return {ErrorCode::InvalidArgument, begin + "must have 1 to 64 characters"};
    const auto isForbidden = [&](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
               kForbidden.find(c) != std::string_view::npos;
    };
    if (std::any_of(name.begin(), name.end(), isForbidden))
        return {ErrorCode::InvalidArgument,
                begin + "must not contain control characters or any of " + std::string(kForbidden)};
    if (name.front() == '.' || name.back() == '.' || name.front() == ' ' || name.back() == ' ' ||
        name.front() == '_')
        return {ErrorCode::InvalidArgument,
                begin + "must not begin with '_', nor begin or end with a dot or blank"};
    return {};
}

Result<std::vector<Project>> ProjectService::list()
{
    return m_database.read(
        [](Connection &connection) { return Result(ProjectStore(connection).list()); });
}

Result<Project> ProjectService::find(std::string_view idOrName)
{
    return m_database.read([&](Connection &connection) -> Result<Project> {
        auto project = ProjectStore(connection).find(idOrName);
        if (!project)
            return {ErrorCode::NotFound, "no project '" + std::string(idOrName) + "'"};
        return *std::move(project);
    });
}

Result<Project> ProjectService::create(const std::string &name, const std::string &description)
{
    RETURN_IF_ERROR(checkPathName("project", name));
    for (const std::string_view taken :
         {"signin", "signout", "assets", "healthz", "readyz", "metrics"})
        if (name == taken)
            return {ErrorCode::InvalidArgument,
                    "'" + name + "' is an address of the server itself"};
    const Project project{schema::randomGuid(), name, description, schema::wallClockNow()};
    return m_database.write([&](Connection &connection) -> Result<Project> {
        ProjectStore projects(connection);
        if (projects.find(name))
            return {ErrorCode::AlreadyExists, "a project '" + name + "' exists already"};
        projects.insert(project);
        return project;
    });
}

} // namespace server::library
