#pragma once
/// What `slipway validate` and `slipway preview` share: options, files, compilation.

#include "cli/validate_format.h"
#include "pipelines/compile/compiler.h"
#include "schema/base/result.h"
#include "schema/tasks/task_definition.h"

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

struct LanguageOptions
{
    std::string file = "azure-pipelines.yml";
    std::string root;
    std::vector<std::string> repositories; ///< NAME=DIR
    std::vector<std::string> parameters;   ///< K=V
    std::string parametersFile;
    std::vector<std::string> variables;      ///< K=V
    std::vector<std::string> variableGroups; ///< NAME=FILE
    std::vector<std::string> tasks;          ///< folders with task.json files
    std::vector<std::string> limits;         ///< NAME=NUMBER
    std::string format;
    bool keepGoing = false;
};

void addLanguageOptions(CLI::App &command, LanguageOptions &options);

/// Files below folders: the pipeline's own and those given for other repositories.
class FolderSource : public pipelines::FileSource
{
public:
    /// `repositories`: alias, `org/repo` or `org/repo@ref` -> folder.
    FolderSource(std::string root, std::map<std::string, std::string> repositories);

    schema::Result<std::string> read(const std::string &alias,
                                     const schema::RepositoryResource *repository,
                                     const std::string &path) override;

    /// Folder of a repository, or nullptr when it is not known where it lies.
    [[nodiscard]] const std::string *folderOf(const std::string &alias,
                                              const schema::RepositoryResource *repository) const;

private:
    std::string m_root;
    std::map<std::string, std::string> m_repositories;
};

struct CompiledFile
{
    std::string text;                                ///< of the entry file
    std::string root;                                ///< folder that paths in messages start from
    std::map<std::string, std::string> repositories; ///< folders by --repository's NAME
    pipelines::Compilation result;
    std::map<std::string, std::string> variables; ///< predefined and those given
    std::map<std::string, schema::TextMap> variableGroups;
};

/// Text of a regular file of at most 64 MiB. Errors: NotFound, InvalidArgument, LimitExceeded, Io.
schema::Result<std::string> readTextFile(const std::string &path);
/// The folder that holds `.git`, at or above the file's folder; else the file's folder.
std::string repositoryFolder(const std::string &file);
/// NAME=DIR options. Errors: InvalidArgument.
schema::Result<std::map<std::string, std::string>>
readRepositories(const std::vector<std::string> &options);
/// The built-in tasks and those of the `task.json` files in these folders and at most three folders
/// below. Errors: InvalidArgument naming the folder or file.
schema::Result<schema::TaskCatalogue> readTasks(const std::vector<std::string> &folders);

/// Reads and compiles. Errors are those of usage: a file that cannot be read, a malformed option.
schema::Result<CompiledFile> compileFile(const LanguageOptions &options, bool requireParameters);
/// The texts that messages show lines of: of the file, and of templates in the folders given.
/// Refers to `compiled`, which has to live as long.
TextOfFile excerpts(const CompiledFile &compiled);

} // namespace cli
