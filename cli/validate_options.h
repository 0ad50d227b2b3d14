#pragma once
/// What `slipway validate` and `slipway preview` share: options, files, compilation.

#include "pipelines/compile/compiler.h"
#include "schema/base/result.h"

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

private:
    [[nodiscard]] const std::string *folderOf(const std::string &alias,
                                              const schema::RepositoryResource *repository) const;

    std::string m_root;
    std::map<std::string, std::string> m_repositories;
};

struct CompiledFile
{
    std::string text; ///< of the entry file
    std::string root; ///< folder that paths in messages start from
    pipelines::Compilation result;
    std::map<std::string, std::string> variables; ///< predefined and those given
    std::map<std::string, schema::TextMap> variableGroups;
};

/// Reads and compiles. Errors are those of usage: a file that cannot be read, a malformed option.
schema::Result<CompiledFile> compileFile(const LanguageOptions &options, bool requireParameters);

} // namespace cli
