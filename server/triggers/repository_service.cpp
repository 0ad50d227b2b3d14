#include "server/triggers/repository_service.h"

#include "schema/base/guid.h"
#include "server/library/project_service.h"

#include <algorithm>

namespace server::triggers {

using schema::ErrorCode;
using schema::Result;
using store::Connection;
using store::Repository;
using store::RepositoryStore;

RepositoryService::RepositoryService(store::Database &database, std::filesystem::path root)
    : m_database(database)
    , m_root(std::move(root))
{}

Result<Repository> RepositoryService::create(const std::string &projectId, const std::string &name,
                                             const std::string &defaultBranch)
{
    RETURN_IF_ERROR(library::checkPathName("repository", name));
    Repository repository;
    repository.id = schema::randomGuid();
    repository.projectId = projectId;
    repository.name = name;
    repository.url = repository.id + ".git";
    if (!defaultBranch.empty())
        repository.defaultBranch =
            defaultBranch.starts_with("refs/") ? defaultBranch : "refs/heads/" + defaultBranch;
    repository.createdAt = schema::wallClockNow();
    if (find(projectId, name))
        return {ErrorCode::AlreadyExists, "a repository '" + name + "' exists already"};
    // The folder first: a row without folder would be broken, a folder without row is only unused.
    RETURN_IF_ERROR(GitRepository::createBare(folder(repository), repository.defaultBranch));
    return m_database.write([&](Connection &connection) -> Result<Repository> {
        RepositoryStore repositories(connection);
        if (repositories.find(projectId, name))
            return {ErrorCode::AlreadyExists, "a repository '" + name + "' exists already"};
        repositories.insert(repository);
        return repository;
    });
}

Result<std::vector<Repository>> RepositoryService::list(const std::string &projectId)
{
    return m_database.read([&](Connection &connection) {
        return Result(RepositoryStore(connection).list(projectId));
    });
}

Result<Repository> RepositoryService::find(const std::string &projectId,
                                           const std::string &idOrName)
{
    return m_database.read([&](Connection &connection) -> Result<Repository> {
        auto repository = RepositoryStore(connection).find(projectId, idOrName);
        if (!repository)
            return {ErrorCode::NotFound, "no repository '" + idOrName + "'"};
        return *std::move(repository);
    });
}

Result<Repository> RepositoryService::findById(const std::string &id)
{
    return m_database.read([&](Connection &connection) -> Result<Repository> {
        auto repository = RepositoryStore(connection).findById(id);
        if (!repository)
            return {ErrorCode::NotFound, "no repository " + id};
        return *std::move(repository);
    });
}

Result<std::vector<Repository>> RepositoryService::hosted()
{
    ASSIGN_OR_RETURN(auto all, list(""));
    std::erase_if(all, [](const Repository &repository) { return !repository.hosted; });
    return all;
}

std::filesystem::path RepositoryService::folder(const Repository &repository) const
{
    return m_root / repository.url;
}

Result<GitRepository> RepositoryService::open(const Repository &repository) const
{
    if (!repository.hosted)
        return {ErrorCode::NotFound,
                "repository '" + repository.name + "' is not hosted by this server"};
    return GitRepository::open(folder(repository));
}

Result<std::vector<environments::Commit>>
RepositoryService::between(const std::string &repositoryId, const std::string &from,
                           const std::string &to, int limit)
{
    ASSIGN_OR_RETURN(const auto repository, findById(repositoryId));
    ASSIGN_OR_RETURN(const auto git, open(repository));
    ASSIGN_OR_RETURN(const auto commits,
                     git.commitsBetween(from, to, static_cast<std::size_t>(std::max(limit, 0))));
    std::vector<environments::Commit> out;
    for (const auto &commit : commits)
        out.push_back({commit.id, firstLine(commit.message), commit.authorName, commit.at});
    return out;
}

Result<bool> RepositoryService::isAncestor(const std::string &repositoryId,
                                           const std::string &ancestor, const std::string &commit)
{
    ASSIGN_OR_RETURN(const auto repository, findById(repositoryId));
    ASSIGN_OR_RETURN(const auto git, open(repository));
    return git.isAncestor(ancestor, commit);
}

} // namespace server::triggers
