// UseNode, NodeTool, UsePythonVersion, UseDotNet: nothing is downloaded; what the worker has in its
// tool cache or on PATH is checked against the wanted version and put first
// (worker-and-tasks 10.7). And ReviewApp, whose only work on a worker is its message.
#include "worker/base/text.h"
#include "worker/base/version_range.h"
#include "worker/tasks/implementations.h"

#include <algorithm>

namespace worker {
namespace {

using schema::TaskResult;

struct Tool
{
    const char *cacheName; ///< folder in the tool cache
    const char *program;
    std::vector<std::string> versionArguments;
    const char *shown;
};

std::string text(const VersionNumber &version)
{
    return std::to_string(version[0]) + "." + std::to_string(version[1]) + "." +
           std::to_string(version[2]);
}

/// The highest complete version of the cache that fits: <tools>/NAME/VERSION/ARCH with its marker.
std::optional<std::pair<VersionNumber, fs::path>> cached(const TaskContext &task, const Tool &tool,
                                                         const std::string &spec,
                                                         const std::string &architecture)
{
    std::optional<std::pair<VersionNumber, fs::path>> best;
    const fs::path root =
        fs::path(task.job().variables.value("Agent.ToolsDirectory")) / tool.cacheName;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator(root, error)) {
        const auto version = findVersion(entry.path().filename().string());
        const auto folder = entry.path() / architecture;
        if (version && inRange(*version, spec).value_or(false) &&
            fs::exists(entry.path() / (architecture + ".complete"), error) &&
            fs::is_directory(folder, error) && (!best || *version > best->first))
            best = {*version, folder};
    }
    return best;
}

void prepend(TaskContext &task, const fs::path &folder)
{
    auto &path = task.job().prependPath;
    std::erase(path, folder.string());
    path.insert(path.begin(), folder.string());
}

struct Found
{
    VersionNumber version;
    fs::path program; ///< full path
    bool fromCache = false;
};

/// Errors: InvalidArgument (specification), NotFound naming what there is.
Result<Found> find(TaskContext &task, const Tool &tool, const std::string &spec)
{
    if (!inRange({1, 0, 0}, spec))
        return {ErrorCode::InvalidArgument,
                "'" + spec + "' is no version (expected 18.x, >=18.2 <19, 18.19.0 ...)"};
    auto architecture = toLower(task.input("architecture"));
    if (architecture.empty())
        architecture = toLower(task.job().variables.value("Agent.OSArchitecture"));
    if (const auto hit = cached(task, tool, spec, architecture)) {
        task.print(std::string("Found tool in cache: ") + tool.cacheName + " " + text(hit->first) +
                   " " + architecture);
        const auto bin = hit->second / "bin";
        std::error_code error;
        return Found{hit->first, (fs::is_directory(bin, error) ? bin : hit->second) / tool.program,
                     true};
    }
    const auto *path = findEnvironment(task.environment, "PATH");
    const auto program = findProgram(tool.program, path == nullptr ? std::string() : *path);
    std::string there = "it has none";
    if (!program.empty()) {
        ToolCall call{program, tool.versionArguments};
        call.print = false;
        ASSIGN_OR_RETURN(const auto said, task.run(call));
        const auto version = findVersion(said.output.empty() ? said.errors : said.output);
        if (version && inRange(*version, spec).value_or(false)) {
            task.print(std::string("Found ") + tool.shown + " " + text(*version) + " at " +
                       program);
            return Found{*version, program, false};
        }
        if (version)
            there = "it has " + text(*version) + " at " + program;
    }
    return {ErrorCode::NotFound, std::string("this worker has no ") + tool.shown + " " + spec +
                                     " (" + there + "): install it, put it into the tool cache (" +
                                     task.job().variables.value("Agent.ToolsDirectory") + "/" +
                                     tool.cacheName + "/VERSION/" + architecture +
                                     "), or run the job on a worker that has it"};
}

} // namespace

TaskResult runUseNode(TaskContext &task)
{
    auto spec = task.input("version");
    if (equalsIgnoringCase(task.definition().name, "NodeTool")) {
        spec = task.input("versionSpec");
        if (equalsIgnoringCase(task.input("versionSource"), "fromFile")) {
            const auto file = readFile(task.path("versionFilePath"), 64U << 10U);
            if (!file)
                return task.fail(file.error());
            spec = trimmed(*file);
        }
    }
    const auto found = find(task, {"node", "node", {"--version"}, "Node.js"}, spec);
    if (!found)
        return task.fail(found.error());
    prepend(task, found->program.parent_path());
    return TaskResult::Succeeded;
}

TaskResult runUsePython(TaskContext &task)
{
    const auto spec = task.input("versionSpec");
    const auto found = find(task, {"Python", "python3", {"--version"}, "Python"}, spec);
    if (!found)
        return task.fail(found.error());
    const auto folder = found->program.parent_path();
    task.output("pythonLocation", folder.string());
    if (!task.flag("addToPath"))
        return TaskResult::Succeeded;
    std::error_code error;
    prepend(task, folder);
    if (fs::exists(folder / "python", error))
        return TaskResult::Succeeded;
    // Systems that call it python3 only: pipelines say python.
    const auto links = task.temporary("-python");
    auto status = makeDirectories(links);
    for (const auto &[name, target] : {std::pair{"python", "python3"}, {"pip", "pip3"}}) {
        if (status && fs::exists(folder / target, error))
            fs::create_symlink(folder / target, links / name, error);
    }
    if (!status)
        return task.fail(status.error());
    prepend(task, links);
    return TaskResult::Succeeded;
}

TaskResult runUseDotNet(TaskContext &task)
{
    const auto spec = task.input("version");
    const bool runtime = equalsIgnoringCase(task.input("packageType"), "runtime");
    ToolCall call{"dotnet", {runtime ? "--list-runtimes" : "--list-sdks"}};
    call.print = false;
    const auto said = task.run(call);
    if (!said)
        return task.fail(said.error());
    for (const auto &line : lines(said->output)) {
        const auto version = findVersion(line);
        if (version && inRange(*version, spec).value_or(false)) {
            task.print("Found .NET " + trimmed(line));
            return TaskResult::Succeeded;
        }
    }
    return task.fail("this worker has no .NET " + std::string(runtime ? "runtime " : "SDK ") +
                     spec + "; it has: " + join(listEntries(said->output), "; "));
}

TaskResult runReviewApp(TaskContext &task)
{
    if (task.input("resourceName").empty())
        return task.fail("the input 'resourceName' is empty");
    task.print("A dynamic resource is created using " + task.input("resourceName"));
    return TaskResult::Succeeded;
}

} // namespace worker
