#pragma once
/// Template files for the compiler, from git trees at fixed commits.

#include "pipelines/compile/compiler.h"
#include "server/triggers/repository_service.h"

#include <map>
#include <string>

namespace server::triggers {

/// Lives for one compilation, on one thread. "self" is the pipeline's repository at the run's
/// commit; other aliases are repositories of the same server, at the head of their ref when the
/// compilation began.
class GitFileSource final : public pipelines::FileSource
{
public:
    GitFileSource(RepositoryService &repositories, std::string projectId, GitRepository self,
                  std::string commit);

    schema::Result<std::string> read(const std::string &alias,
                                     const schema::RepositoryResource *repository,
                                     const std::string &path) override;

private:
    struct Source
    {
        GitRepository repository;
        std::string commit;
    };

    schema::Result<const Source *> source(const std::string &alias,
                                          const schema::RepositoryResource *repository);

    RepositoryService &m_repositories;
    std::string m_projectId;
    std::map<std::string, Source> m_sources; ///< by alias
};

} // namespace server::triggers
