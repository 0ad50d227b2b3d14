#include "server/environments/environment_service.h"

#include "server/store/check_store.h"
#include "server/store/environment_store.h"
#include "server/store/project_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace server::environments {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;

Resource toResource(store::ResourceRow row)
{
    return {row.id,
            row.environmentId,
            std::move(row.name),
            std::move(row.type),
            std::move(row.clusterName),
            std::move(row.kubernetesNamespace),
            std::move(row.connectionId)};
}

Environment toEnvironment(Connection &connection, store::EnvironmentRow row)
{
    Environment environment{row.id,
                            std::move(row.projectId),
                            std::move(row.name),
                            std::move(row.description),
                            row.ordinal,
                            std::move(row.createdBy),
                            std::move(row.createdByName),
                            row.createdAt,
                            {}};
    for (store::ResourceRow &resource : store::EnvironmentStore(connection).resources(row.id))
        environment.resources.push_back(toResource(std::move(resource)));
    return environment;
}

Status checkName(std::string_view what, std::string_view name)
{
    // A dot separates environment and resource in YAML; the service forbids these too.
    constexpr std::string_view kForbidden = ",'\"/\\[]:|<>+=;?*%";
    if (name.empty() || name.size() > 128)
        return {ErrorCode::InvalidArgument,
                fmt::format("{}: give a name of 1 to 128 characters", what)};
    for (const char c : name) {
        if (static_cast<unsigned char>(c) < 0x20 || kForbidden.find(c) != std::string_view::npos)
            return {ErrorCode::InvalidArgument,
                    fmt::format("{} '{}': none of {} may be in a name", what, name, kForbidden)};
    }
    return {};
}

} // namespace

std::string_view toString(CellState state)
{
    switch (state) {
    case CellState::Ok:
        return "ok";
    case CellState::InProgress:
        return "inProgress";
    case CellState::Failed:
        return "failed";
    case CellState::Waiting:
        return "waiting";
    }
    return "ok";
}

std::string_view toString(Direction direction)
{
    switch (direction) {
    case Direction::First:
        return "first";
    case Direction::Forward:
        return "forward";
    case Direction::Rollback:
        return "rollback";
    case Direction::Redeploy:
        return "redeploy";
    case Direction::Sideways:
        return "sideways";
    }
    return "first";
}

EnvironmentService::EnvironmentService(store::Database &database, CommitSource &commits)
    : m_database(database)
    , m_commits(commits)
{}

Result<std::vector<Environment>> EnvironmentService::list(const std::string &projectId)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<Environment>> {
        std::vector<Environment> environments;
        for (store::EnvironmentRow &row : store::EnvironmentStore(connection).list(projectId))
            environments.push_back(toEnvironment(connection, std::move(row)));
        return environments;
    });
}

Result<Environment> EnvironmentService::find(std::int64_t environmentId)
{
    return m_database.read([&](Connection &connection) -> Result<Environment> {
        auto row = store::EnvironmentStore(connection).find(environmentId);
        if (!row)
            return Error{ErrorCode::NotFound,
                         fmt::format("environment {} does not exist", environmentId)};
        return toEnvironment(connection, std::move(*row));
    });
}

Result<Environment> EnvironmentService::findByName(const std::string &projectId,
                                                   const std::string &name)
{
    return m_database.read([&](Connection &connection) -> Result<Environment> {
        store::EnvironmentStore environments(connection);
        auto row = environments.find(projectId, name);
        const bool number =
            !name.empty() && name.size() < 18 &&
            std::all_of(
                name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
        if (!row && number) {
            row = environments.find(std::stoll(name));
            if (row && row->projectId != projectId)
                row.reset();
        }
        if (row)
            return toEnvironment(connection, std::move(*row));
        std::vector<std::string> names;
        for (const store::EnvironmentRow &known : environments.list(projectId))
            names.push_back(known.name);
        return Error{
            ErrorCode::NotFound,
            names.empty()
                ? fmt::format("environment '{}' does not exist; the project has none", name)
                : fmt::format("environment '{}' does not exist; the project has: {}", name,
                              fmt::join(names, ", "))};
    });
}

Result<Environment> EnvironmentService::create(const Environment &environment)
{
    RETURN_IF_ERROR(checkName("environment", environment.name));
    return m_database.write([&](Connection &connection) -> Result<Environment> {
        store::EnvironmentStore environments(connection);
        if (!store::ProjectStore(connection).find(environment.projectId))
            return Error{ErrorCode::NotFound,
                         fmt::format("project {} does not exist", environment.projectId)};
        if (environments.find(environment.projectId, environment.name))
            return Error{ErrorCode::AlreadyExists,
                         fmt::format("environment '{}' exists already", environment.name)};
        store::EnvironmentRow row{0,
                                  environment.projectId,
                                  environment.name,
                                  environment.description,
                                  environment.ordinal,
                                  environment.createdBy,
                                  schema::wallClockNow(),
                                  {}};
        if (row.ordinal == 0)
            row.ordinal = static_cast<int>(environments.list(row.projectId).size()) + 1;
        row.id = environments.insert(row);
        return toEnvironment(connection, environments.find(row.id).value_or(std::move(row)));
    });
}

Result<Environment> EnvironmentService::update(const Environment &environment)
{
    RETURN_IF_ERROR(checkName("environment", environment.name));
    return m_database.write([&](Connection &connection) -> Result<Environment> {
        store::EnvironmentStore environments(connection);
        auto row = environments.find(environment.id);
        if (!row)
            return Error{ErrorCode::NotFound,
                         fmt::format("environment {} does not exist", environment.id)};
        const auto same = environments.find(row->projectId, environment.name);
        if (same && same->id != row->id)
            return Error{ErrorCode::AlreadyExists,
                         fmt::format("environment '{}' exists already", environment.name)};
        row->name = environment.name;
        row->description = environment.description;
        row->ordinal = environment.ordinal;
        environments.update(*row);
        return toEnvironment(connection, std::move(*row));
    });
}

Status EnvironmentService::remove(std::int64_t environmentId)
{
    return m_database.write([&](Connection &connection) -> Status {
        store::EnvironmentStore environments(connection);
        const auto row = environments.find(environmentId);
        if (!row)
            return {ErrorCode::NotFound,
                    fmt::format("environment {} does not exist", environmentId)};
        if (!environments.deployments(environmentId, std::nullopt, 1).empty() ||
            environments.isReferenced(environmentId))
            return {ErrorCode::Conflict,
                    fmt::format(
                        "environment '{}' has a history, which would be lost; rename it instead",
                        row->name)};
        environments.remove(environmentId);
        return {};
    });
}

Result<Resource> EnvironmentService::addResource(const Resource &resource)
{
    RETURN_IF_ERROR(checkName("resource", resource.name));
    if (resource.type != "kubernetes" && resource.type != "dockerHost")
        return Error{
            ErrorCode::InvalidArgument,
            fmt::format("type: '{}' is unknown; use kubernetes or dockerHost", resource.type)};
    return m_database.write([&](Connection &connection) -> Result<Resource> {
        store::EnvironmentStore environments(connection);
        if (!environments.find(resource.environmentId))
            return Error{ErrorCode::NotFound,
                         fmt::format("environment {} does not exist", resource.environmentId)};
        for (const store::ResourceRow &known : environments.resources(resource.environmentId)) {
            if (known.name.size() == resource.name.size() &&
                std::equal(known.name.begin(), known.name.end(), resource.name.begin(),
                           [](unsigned char a, unsigned char b) {
                               return std::tolower(a) == std::tolower(b);
                           }))
                return Error{
                    ErrorCode::AlreadyExists,
                    fmt::format("the environment has a resource '{}' already", known.name)};
        }
        store::ResourceRow row{0,
                               resource.environmentId,
                               resource.name,
                               resource.type,
                               resource.clusterName,
                               resource.kubernetesNamespace,
                               resource.connectionId};
        if (row.type == "kubernetes" && row.kubernetesNamespace.empty())
            row.kubernetesNamespace = row.name;
        row.id = environments.insertResource(row);
        return toResource(std::move(row));
    });
}

Status EnvironmentService::removeResource(std::int64_t resourceId)
{
    return m_database.write([&](Connection &connection) -> Status {
        store::EnvironmentStore environments(connection);
        const auto row = environments.findResource(resourceId);
        if (!row)
            return {ErrorCode::NotFound, fmt::format("resource {} does not exist", resourceId)};
        for (const store::DeploymentRow &deployment :
             environments.deployments(row->environmentId, std::nullopt, 1000)) {
            if (deployment.resourceId == resourceId)
                return {ErrorCode::Conflict,
                        fmt::format("resource '{}' has a history, which would be lost", row->name)};
        }
        environments.removeResource(resourceId);
        return {};
    });
}

Result<std::vector<DeploymentRecord>>
EnvironmentService::deployments(std::int64_t environmentId, std::optional<std::int64_t> beforeId,
                                int top)
{
    return m_database.read([&](Connection &connection) -> Result<std::vector<DeploymentRecord>> {
        store::EnvironmentStore environments(connection);
        if (!environments.find(environmentId))
            return Error{ErrorCode::NotFound,
                         fmt::format("environment {} does not exist", environmentId)};
        std::vector<DeploymentRecord> records;
        for (const store::DeploymentRow &row :
             environments.deployments(environmentId, beforeId, top))
            records.push_back(toRecord(row));
        return records;
    });
}

} // namespace server::environments
