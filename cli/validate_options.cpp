#include "cli/validate_options.h"

#include "pipelines/base/text.h"
#include "pipelines/yaml/reader.h"
#include "pipelines/yaml/writer.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cli {
namespace {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;

/// More than any file the compiler accepts; keeps a wrong path to a device or an image short.
constexpr std::uintmax_t kMaxFileBytes = 64U << 20U;

Result<std::string> readFile(const fs::path &path)
{
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status))
        return Error{ErrorCode::NotFound, path.string() + " does not exist"};
    if (!fs::is_regular_file(status))
        return Error{ErrorCode::InvalidArgument, path.string() + " is not a file"};
    if (fs::file_size(path, error) > kMaxFileBytes)
        return Error{ErrorCode::LimitExceeded,
                     path.string() + " is larger than 64 MiB: is it a pipeline file?"};
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream || stream.bad())
        return Error{ErrorCode::Io, path.string() + " cannot be read: " + std::strerror(errno)};
    return text.str();
}

Result<std::pair<std::string, std::string>> split(const std::string &option,
                                                  const std::string &text)
{
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return Error{ErrorCode::InvalidArgument, option + " " + text + ": write it as NAME=VALUE"};
    return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

enum class Values : std::uint8_t { Any, Texts };

/// A YAML or JSON file with one mapping; structured values as YAML text.
Result<schema::TextMap> readMapping(const std::string &path, Values kind)
{
    ASSIGN_OR_RETURN(const std::string text, readFile(path));
    pipelines::yaml::Arena arena;
    pipelines::yaml::Source source;
    source.name = path;
    std::vector<pipelines::Diagnostic> diagnostics;
    const auto *const root =
        pipelines::yaml::read(arena, arena.source(source), text, {}, nullptr, diagnostics);
    if (root == nullptr || pipelines::hasErrors(diagnostics))
        return Error{ErrorCode::InvalidArgument, path + ":" +
                                                     std::to_string(diagnostics[0].position.line) +
                                                     ": " + diagnostics[0].message};
    if (!root->isMapping())
        return Error{ErrorCode::InvalidArgument, path + ": write one `name: value` per line"};
    schema::TextMap out;
    for (const auto &entry : root->entries()) {
        if (kind == Values::Texts && !entry.value->isScalar())
            return Error{ErrorCode::InvalidArgument, path + ":" +
                                                         std::to_string(entry.value->line) + ": " +
                                                         std::string(entry.key->text) +
                                                         " is no text: a variable group holds one "
                                                         "`name: value` per line"};
        out.emplace_back(entry.key->text, entry.value->isScalar()
                                              ? std::string(entry.value->text)
                                              : pipelines::yaml::write(*entry.value));
    }
    return out;
}

/// The folder that holds `.git`, at or above the file's folder; else the file's folder.
fs::path repositoryOf(const fs::path &file)
{
    for (fs::path folder = file.parent_path();; folder = folder.parent_path()) {
        std::error_code error;
        if (fs::exists(folder / ".git", error))
            return folder;
        if (folder == folder.parent_path())
            return file.parent_path();
    }
}

/// Predefined variables that exist at compile time, as a plain manual run would have them; every
/// one can be replaced with --variable.
std::map<std::string, std::string> predefinedVariables(const fs::path &root)
{
    return {{"Build.Reason", "Manual"},
            {"Build.SourceBranch", "refs/heads/main"},
            {"Build.SourceBranchName", "main"},
            {"Build.DefinitionName", root.filename().string()},
            {"Build.Repository.Name", root.filename().string()},
            {"System.TeamProject", root.filename().string()},
            {"System.HostType", "build"},
            {"System.PullRequest.IsFork", "False"}};
}

schema::Status readLimits(const std::vector<std::string> &options, pipelines::Limits &limits)
{
    const std::array<std::pair<std::string_view, std::size_t *>, 7> known{
        {{"files", &limits.maxFiles},
         {"depth", &limits.maxDepth},
         {"file-bytes", &limits.maxFileBytes},
         {"expanded-nodes", &limits.maxExpandedNodes},
         {"yaml-depth", &limits.maxYamlDepth},
         {"expression-length", &limits.expression.length},
         {"expression-depth", &limits.expression.depth}}};
    constexpr std::size_t kDeepestYaml = 1000; // the reader's own stack
    for (const std::string &option : options) {
        ASSIGN_OR_RETURN(const auto pair, split("--limit", option));
        const auto found = std::find_if(known.begin(), known.end(), [&](const auto &limit) {
            return limit.first == pair.first;
        });
        std::size_t value = 0;
        const char *const end = pair.second.data() + pair.second.size();
        const auto [rest, problem] = std::from_chars(pair.second.data(), end, value);
        if (found == known.end())
            return Error{ErrorCode::InvalidArgument, "--limit " + option + ": there is no limit " +
                                                         pair.first +
                                                         "; there are files, depth, file-bytes, "
                                                         "expanded-nodes, yaml-depth, "
                                                         "expression-length and expression-depth"};
        if (problem != std::errc{} || rest != end || value == 0)
            return Error{ErrorCode::InvalidArgument,
                         "--limit " + option + ": write a whole number above 0"};
        *found->second = value;
    }
    limits.maxYamlDepth = std::min(limits.maxYamlDepth, kDeepestYaml);
    return {};
}

} // namespace

Result<std::string> readTextFile(const std::string &path)
{
    return readFile(path);
}

std::string repositoryFolder(const std::string &file)
{
    return repositoryOf(file).string();
}

Result<std::map<std::string, std::string>> readRepositories(const std::vector<std::string> &options)
{
    std::map<std::string, std::string> repositories;
    for (const std::string &option : options) {
        ASSIGN_OR_RETURN(const auto pair, split("--repository", option));
        std::error_code error;
        if (!fs::is_directory(pair.second, error))
            return Error{ErrorCode::InvalidArgument,
                         "--repository " + option + ": " + pair.second + " is not a folder"};
        repositories.insert(pair);
    }
    return repositories;
}

Result<schema::TaskCatalogue> readTasks(const std::vector<std::string> &folders)
{
    constexpr int kDeepest = 3;
    schema::TaskCatalogue catalogue = schema::builtInTaskCatalogue();
    for (const std::string &folder : folders) {
        std::error_code error;
        if (!fs::is_directory(folder, error))
            return Error{ErrorCode::InvalidArgument, "--tasks " + folder + " is not a folder"};
        auto found = fs::recursive_directory_iterator(
            folder, fs::directory_options::skip_permission_denied, error);
        for (; !error && found != fs::recursive_directory_iterator(); found.increment(error)) {
            if (found.depth() >= kDeepest)
                found.disable_recursion_pending();
            if (found->path().filename() != "task.json")
                continue;
            const std::string name = found->path().string();
            ASSIGN_OR_RETURN(const std::string text, readFile(found->path()));
            auto task = schema::parseTaskDefinition(text);
            if (!task)
                return std::move(task).error().withContext(name);
            catalogue.add(std::move(*task));
        }
        if (error)
            return Error{ErrorCode::Io, "--tasks " + folder + ": " + error.message()};
    }
    return catalogue;
}

void addLanguageOptions(CLI::App &command, LanguageOptions &options)
{
    command.add_option("FILE", options.file, "Pipeline file")->capture_default_str();
    command.add_option("--root", options.root,
                       "Folder that absolute template paths start from (default: the file's "
                       "repository or folder)");
    command.add_option("--repository", options.repositories,
                       "NAME=DIR: folder of another repository; NAME is an alias, org/repo or "
                       "org/repo@ref");
    command.add_option("--parameter", options.parameters, "K=V: value of a parameter");
    command.add_option("--parameters-file", options.parametersFile,
                       "YAML or JSON file with values of parameters");
    command.add_option("--variable", options.variables, "K=V: value of a variable");
    command.add_option("--variable-group", options.variableGroups,
                       "NAME=FILE: YAML or JSON file with the values of a variable group");
    command.add_option(
        "--tasks", options.tasks,
        "Folder with further tasks (task.json in it or at most three folders below)");
    command.add_option("--limit", options.limits,
                       "NAME=NUMBER: files, depth, file-bytes, expanded-nodes, yaml-depth, "
                       "expression-length or expression-depth");
    for (const char *const repeated :
         {"--repository", "--parameter", "--variable", "--variable-group", "--tasks", "--limit"})
        command.get_option(repeated)->allow_extra_args(false);
}

FolderSource::FolderSource(std::string root, std::map<std::string, std::string> repositories)
    : m_root(std::move(root))
    , m_repositories(std::move(repositories))
{}

const std::string *FolderSource::folderOf(const std::string &alias,
                                          const schema::RepositoryResource *repository) const
{
    if (alias == "self")
        return &m_root;
    const auto matches = [&](const std::string &name) {
        if (pipelines::equalIgnoringCase(name, alias))
            return true;
        if (repository == nullptr)
            return false;
        const std::string_view ref = repository->ref;
        const std::string_view branch = ref.starts_with("refs/heads/") ? ref.substr(11) : ref;
        return pipelines::equalIgnoringCase(name, repository->name) ||
               pipelines::equalIgnoringCase(name, repository->name + "@" + std::string(ref)) ||
               pipelines::equalIgnoringCase(name, repository->name + "@" + std::string(branch));
    };
    for (const auto &[name, folder] : m_repositories) {
        if (matches(name))
            return &folder;
    }
    return nullptr;
}

Result<std::string> FolderSource::read(const std::string &alias,
                                       const schema::RepositoryResource *repository,
                                       const std::string &path)
{
    const std::string *const folder = folderOf(alias, repository);
    if (folder == nullptr)
        return Error{ErrorCode::NotFound,
                     "say where the repository is with --repository " + alias + "=DIR"};
    auto text = readFile(fs::path(*folder + path));
    if (!text && text.error().code == ErrorCode::NotFound)
        return Error{ErrorCode::NotFound, "looked for " + *folder + path};
    return text;
}

Result<CompiledFile> compileFile(const LanguageOptions &options, bool requireParameters)
{
    std::error_code error;
    const fs::path file = fs::absolute(options.file, error).lexically_normal();
    ASSIGN_OR_RETURN(std::string text, readFile(file));
    const fs::path root = options.root.empty()
                              ? repositoryOf(file)
                              : fs::absolute(options.root, error).lexically_normal();
    if (!fs::is_directory(root, error))
        return Error{ErrorCode::InvalidArgument, "--root " + options.root + " is not a folder"};
    const fs::path relative = file.lexically_relative(root);
    if (relative.empty() || *relative.begin() == "..")
        return Error{ErrorCode::InvalidArgument,
                     file.string() + " is not below the root " + root.string()};

    pipelines::CompileRequest request;
    request.path = "/" + relative.generic_string();
    request.text = std::move(text);
    request.requireParameters = requireParameters;
    request.variables = predefinedVariables(root);
    ASSIGN_OR_RETURN(auto repositories, readRepositories(options.repositories));
    RETURN_IF_ERROR(readLimits(options.limits, request.limits));
    std::optional<schema::TaskCatalogue> tasks;
    if (!options.tasks.empty()) {
        ASSIGN_OR_RETURN(tasks, readTasks(options.tasks));
    }
    request.tasks = tasks ? &*tasks : &schema::builtInTaskCatalogue();
    if (!options.parametersFile.empty()) {
        ASSIGN_OR_RETURN(const auto values, readMapping(options.parametersFile, Values::Any));
        for (const auto &[name, value] : values)
            request.parameters[name] = value;
    }
    for (const std::string &option : options.parameters) {
        ASSIGN_OR_RETURN(const auto pair, split("--parameter", option));
        request.parameters[pair.first] = pair.second;
    }
    for (const std::string &option : options.variables) {
        ASSIGN_OR_RETURN(const auto pair, split("--variable", option));
        request.variables[pair.first] = pair.second;
    }
    for (const std::string &option : options.variableGroups) {
        ASSIGN_OR_RETURN(const auto pair, split("--variable-group", option));
        ASSIGN_OR_RETURN(const auto values, readMapping(pair.second, Values::Texts));
        request.variableGroups[pair.first] = values;
    }
    FolderSource source(root.string(), repositories);
    CompiledFile compiled;
    compiled.result = pipelines::compile(request, source);
    compiled.text = std::move(request.text);
    compiled.root = root.string();
    compiled.repositories = std::move(repositories);
    compiled.variables = std::move(request.variables);
    compiled.variableGroups = std::move(request.variableGroups);
    return compiled;
}

TextOfFile excerpts(const CompiledFile &compiled)
{
    return [&compiled](const std::string &name) -> std::optional<std::string> {
        if (!compiled.result.files.empty() && name == compiled.result.files[0])
            return compiled.text;
        const std::size_t at = name.find('@');
        const std::string alias = at == std::string::npos ? "self" : name.substr(at + 1);
        const schema::RepositoryResource *resource = nullptr;
        if (compiled.result.plan) {
            for (const auto &repository : compiled.result.plan->repositories) {
                if (pipelines::equalIgnoringCase(repository.alias, alias))
                    resource = &repository;
            }
        }
        FolderSource source(compiled.root, compiled.repositories);
        auto text = source.read(alias, resource, name.substr(0, at));
        return text ? std::optional(std::move(*text)) : std::nullopt;
    };
}

} // namespace cli
