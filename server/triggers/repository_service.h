#pragma once
/// Git repositories of projects. Hosted ones are bare repositories below `<data>/repositories`,
/// named by their id, so that renaming never moves a folder. Thread-safe.

#include "schema/base/result.h"
#include "server/environments/environment_service.h"
#include "server/store/repository_store.h"
#include "server/triggers/git_repository.h"

#include <filesystem>
#include <string>
#include <vector>

namespace server::triggers {

class RepositoryService final : public environments::CommitSource
{
public:
    /// The database must outlive the service; `root` is created when missing.
    RepositoryService(store::Database &database, std::filesystem::path root);

    /// Creates an empty hosted repository. Errors: AlreadyExists, InvalidArgument, Io.
    schema::Result<store::Repository> create(const std::string &projectId, const std::string &name,
                                             const std::string &defaultBranch);
    schema::Result<std::vector<store::Repository>> list(const std::string &projectId);
    /// By GUID or name. Errors: NotFound.
    schema::Result<store::Repository> find(const std::string &projectId,
                                           const std::string &idOrName);
    schema::Result<store::Repository> findById(const std::string &id);
    /// Every hosted repository of every project.
    schema::Result<std::vector<store::Repository>> hosted();

    /// Folder of a hosted repository.
    [[nodiscard]] std::filesystem::path folder(const store::Repository &repository) const;
    /// Errors: NotFound when the folder is gone.
    [[nodiscard]] schema::Result<GitRepository> open(const store::Repository &repository) const;

    // environments::CommitSource
    schema::Result<std::vector<environments::Commit>> between(const std::string &repositoryId,
                                                              const std::string &from,
                                                              const std::string &to,
                                                              int limit) override;
    schema::Result<bool> isAncestor(const std::string &repositoryId, const std::string &ancestor,
                                    const std::string &commit) override;

private:
    store::Database &m_database;
    std::filesystem::path m_root;
};

} // namespace server::triggers
