#include "server/triggers/git_file_source.h"

namespace server::triggers {

using schema::ErrorCode;
using schema::Result;

namespace {

constexpr std::size_t kMaxFileBytes = 10U << 20U; // the compiler's own limit says so in words

} // namespace

GitFileSource::GitFileSource(RepositoryService &repositories, std::string projectId,
                             GitRepository self, std::string commit)
    : m_repositories(repositories)
    , m_projectId(std::move(projectId))
{
    m_sources.emplace("self", Source{std::move(self), std::move(commit)});
}

Result<const GitFileSource::Source *>
GitFileSource::source(const std::string &alias, const schema::RepositoryResource *repository)
{
    if (const auto known = m_sources.find(alias); known != m_sources.end())
        return &known->second;
    if (!repository)
        return {ErrorCode::NotFound, "no repository resource '" + alias + "'"};
    // "project/repository" or just "repository"; only what this server hosts can be read.
    const auto slash = repository->name.rfind('/');
    const std::string name =
        slash == std::string::npos ? repository->name : repository->name.substr(slash + 1);
    auto found = m_repositories.find(m_projectId, name);
    if (!found)
        return {ErrorCode::NotFound, "repository '" + repository->name + "' (resource '" + alias +
                                         "') is not hosted by this server; push a copy of it "
                                         "here to use its templates"};
    ASSIGN_OR_RETURN(auto git, m_repositories.open(*found));
    ASSIGN_OR_RETURN(auto commit,
                     git.resolve(repository->ref.empty() ? found->defaultBranch : repository->ref));
    const auto inserted = m_sources.emplace(alias, Source{std::move(git), std::move(commit)}).first;
    return &inserted->second;
}

Result<std::string> GitFileSource::read(const std::string &alias,
                                        const schema::RepositoryResource *repository,
                                        const std::string &path)
{
    ASSIGN_OR_RETURN(const Source *from, source(alias, repository));
    return from->repository.readFile(from->commit, path, kMaxFileBytes);
}

} // namespace server::triggers
