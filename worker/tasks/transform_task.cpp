// FileTransform@1 and @2 (worker-and-tasks 10.7): variables into JSON and XML files of a folder or
// a zip package.
#include "worker/artifact/archive_file.h"
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/results/transform.h"
#include "worker/tasks/implementations.h"

namespace worker {
namespace {

using schema::TaskResult;

constexpr std::size_t kMaxFile = 64U << 20U;

struct Targets
{
    std::vector<std::string> json, xml; ///< patterns, relative to the folder
};

/// @2 has a list for each kind; @1 one list, which may stay empty, and the kind.
Targets targetsOf(const TaskContext &task)
{
    Targets out{listEntries(task.input("jsonTargetFiles")),
                listEntries(task.input("xmlTargetFiles"))};
    if (task.input("fileType").empty())
        return out;
    const bool json = equalsIgnoringCase(task.input("fileType"), "json");
    auto files = listEntries(task.input("targetFiles"));
    if (files.empty())
        files = {json ? "**/*.json" : "**/*.config"};
    auto &own = json ? out.json : out.xml;
    own.insert(own.end(), files.begin(), files.end());
    return out;
}

/// Number of replaced values in the files of the folder that the patterns choose.
Result<std::size_t> transform(TaskContext &task, const fs::path &folder,
                              const std::vector<std::string> &patterns, bool json)
{
    std::size_t replaced = 0;
    if (patterns.empty())
        return replaced;
    ASSIGN_OR_RETURN(const auto files,
                     findMatches(folder, patterns, {.matchBase = true, .directories = false}));
    if (files.empty())
        return {ErrorCode::NotFound, std::string("no ") + (json ? "JSON" : "XML") +
                                         " file matches '" + join(patterns, ", ") + "' below " +
                                         folder.string()};
    const auto &variables = task.job().variables;
    const VariableValue value = [&variables](const std::string &name) {
        return isSystemVariable(name) ? std::nullopt : variables.expanded(name);
    };
    for (const auto &file : files) {
        ASSIGN_OR_RETURN(const auto text, readFile(file, kMaxFile));
        const auto result = json ? transformJson(text, value) : transformXml(text, value);
        if (!result)
            return result.error().withContext(file);
        task.print(file + ": " + counted(result->replaced, "value") + " replaced");
        if (result->replaced > 0)
            RETURN_IF_ERROR(writeFile(file, result->text));
        replaced += result->replaced;
    }
    return replaced;
}

Result<std::size_t> transformFolder(TaskContext &task, const fs::path &folder,
                                    const Targets &targets)
{
    ASSIGN_OR_RETURN(const auto json, transform(task, folder, targets.json, true));
    ASSIGN_OR_RETURN(const auto xml, transform(task, folder, targets.xml, false));
    return json + xml;
}

Status transformPackage(TaskContext &task, const fs::path &package, const Targets &targets)
{
    const auto folder = task.temporary("-package");
    RETURN_IF_ERROR(makeDirectories(folder));
    ASSIGN_OR_RETURN(const auto unpacked, extractArchive(package, folder));
    static_cast<void>(unpacked);
    ASSIGN_OR_RETURN(const auto replaced, transformFolder(task, folder, targets));
    if (replaced > 0) {
        const auto made = task.temporary(".zip");
        RETURN_IF_ERROR(createArchive(made, {"zip", ""}, folder, ".", {}));
        std::error_code error;
        fs::copy_file(made, package, fs::copy_options::overwrite_existing, error);
        if (error)
            return systemError("write", package, error.value());
    }
    return removeTree(folder);
}

Status run(TaskContext &task)
{
    const auto targets = targetsOf(task);
    const bool first = task.step().taskVersion.starts_with('1');
    if (first && task.flag("enableXmlTransform"))
        return {
            ErrorCode::InvalidArgument,
            "XML transformations (XDT) are supported on Windows only, here as in Azure Pipelines; "
            "for variable substitution alone set enableXmlTransform: false"};
    // @2 has them on unless told otherwise and leaves them out elsewhere than on Windows.
    if (!first && task.flag("enableXmlTransform") &&
        schema::findText(task.step().inputs, "enableXmlTransform") != nullptr)
        task.warning("XML transformations (XDT) are supported on Windows only, here as in Azure "
                     "Pipelines: left out");
    if (targets.json.empty() && targets.xml.empty())
        return {ErrorCode::InvalidArgument,
                "no files are named: set jsonTargetFiles or xmlTargetFiles (fileType and "
                "targetFiles)"};
    const auto given = task.input("folderPath");
    const auto path = task.absolute(given);
    std::vector<std::string> packages{path.string()};
    if (hasGlob(given)) {
        ASSIGN_OR_RETURN(packages, findMatches(task.defaultDirectory(), {given}));
    }
    if (packages.empty())
        return {ErrorCode::NotFound, "no package or folder matches '" + given + "'"};
    if (packages.size() > 1)
        return {ErrorCode::InvalidArgument,
                "more than one package matches '" + given + "': " + join(packages, ", ")};
    std::error_code error;
    if (!fs::is_directory(packages.front(), error))
        return transformPackage(task, packages.front(), targets);
    ASSIGN_OR_RETURN(const auto replaced, transformFolder(task, packages.front(), targets));
    static_cast<void>(replaced);
    return {};
}

} // namespace

TaskResult runFileTransform(TaskContext &task)
{
    if (auto status = run(task); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

} // namespace worker
