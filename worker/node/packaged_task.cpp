#include "worker/node/packaged_task.h"

#include "worker/base/text.h"
#include "worker/node/node_program.h"

#include <array>

namespace worker {
namespace {

using schema::TaskHandler;
using schema::TaskResult;

constexpr const char *kRule = "=================================================================="
                              "============";
/// Nodes below are without security updates; tasks that need them still run on what is there.
constexpr int kOldestSupportedNode = 18;

enum class Phase : std::uint8_t { Pre, Main, Post };

std::string namesOf(const std::vector<TaskHandler> &handlers)
{
    std::vector<std::string> names;
    for (const auto &handler : handlers)
        names.push_back(handler.name);
    return join(names, ", ");
}

void printHeader(TaskContext &task, const PackagedTask &package)
{
    const auto &definition = package.execution.definition;
    task.print(kRule);
    task.print("Task         : " + definition.friendlyName);
    task.print("Description  : " + defuseCommands(definition.description));
    task.print("Version      : " + package.execution.version());
    task.print("Author       : " + package.execution.author);
    task.print("Help         : " + (package.execution.helpText.empty()
                                        ? package.execution.helpUrl
                                        : defuseCommands(package.execution.helpText)));
    task.print(kRule);
}

TaskResult launch(TaskContext &task, const PackagedTask &package, const TaskHandler &handler)
{
    const auto target = task.job().containerFor(task.step());
    if (!target)
        return task.fail(target.error());
    const auto node = chooseNode(task.job(), *target);
    if (!node)
        return task.fail(node.error());
    if (node->major != 0 && node->major < kOldestSupportedNode && !task.job().saidOldNode) {
        task.job().saidOldNode = true;
        task.warning("This worker runs tasks with Node.js " + std::to_string(node->major) +
                     ", which is end-of-life; install a newer one.");
    }
    const auto added = packagedEnvironment(task, package);
    if (!added)
        return task.fail(added.error());
    const auto folder = package.found.folder.string();
    const auto expanded = [&](const std::string &text) {
        return task.job().variables.expand(replaceAll(text, "$(currentdirectory)", folder));
    };
    ToolCall call;
    call.program = node->program;
    const auto script = (package.found.folder / expanded(handler.target)).lexically_normal();
    call.arguments = {script.string()};
    call.environment = *added;
    call.echo = false;
    call.commands = true;
    call.inTarget = true;
    call.workingDirectory = handler.workingDirectory.empty() ? task.defaultDirectory().string()
                                                             : expanded(handler.workingDirectory);
    std::error_code error;
    if (!fs::is_directory(call.workingDirectory, error))
        call.workingDirectory = task.job().layout.work.string();
    if (!fs::is_regular_file(script, error))
        return task.fail("the task's package has no file '" + handler.target + "' (handler " +
                         handler.name + ")");
    const auto result = task.run(call);
    if (!result)
        return task.fail(result.error());
    // task.complete with done=true: the verdict is spoken, how the process ended does not matter.
    if (task.state().finishBy && Clock::now() >= *task.state().finishBy)
        return TaskResult::Succeeded;
    if (result->ok())
        return TaskResult::Succeeded;
    if (*target != nullptr && result->exitCode == 127)
        task.print("Exit code 127: the container's image has no Node.js; take an image with one, "
                   "name it with the image label "
                   "com.azure.dev.pipelines.agent.handler.node.path, or run the step with "
                   "target: host.");
    return task.fail("Exit code " + std::to_string(result->exitCode) +
                     " returned from process: file name '" + node->program + "', arguments '\"" +
                     script.string() + "\"'.");
}

TaskResult runPhase(TaskContext &task, Phase phase)
{
    const PackagedTask &package = *task.definition().package;
    const auto &handlers = phase == Phase::Pre    ? package.execution.pre
                           : phase == Phase::Main ? package.execution.main
                                                  : package.execution.post;
    printHeader(task, package);
    if (handlers.empty()) // a task with only a pre-job half
        return TaskResult::Succeeded;
    const TaskHandler *handler = chooseHandler(handlers);
    if (handler == nullptr)
        return task.fail("A supported task execution handler was not found. The task '" +
                         package.found.name + "' " + package.found.version + " brings " +
                         namesOf(handlers) + "; on Linux tasks run by Node handlers.");
    return launch(task, package, *handler);
}

TaskResult runPre(TaskContext &task)
{
    return runPhase(task, Phase::Pre);
}

TaskResult runMain(TaskContext &task)
{
    return runPhase(task, Phase::Main);
}

TaskResult runPost(TaskContext &task)
{
    return runPhase(task, Phase::Post);
}

} // namespace

const TaskHandler *chooseHandler(const std::vector<TaskHandler> &handlers)
{
    // What comes first wins. Handlers for Windows and those built into Microsoft's agent are none.
    static constexpr std::array<std::string_view, 5> kOrder{"Node24", "Node20_1", "Node16",
                                                            "Node10", "Node"};
    for (const auto name : kOrder) {
        for (const auto &handler : handlers) {
            if (equalsIgnoringCase(handler.name, name) && !handler.target.empty())
                return &handler;
        }
    }
    // A version of Node that this list does not know yet.
    for (const auto &handler : handlers) {
        if (toLower(handler.name).starts_with("node") && !handler.target.empty())
            return &handler;
    }
    return nullptr;
}

Result<std::unique_ptr<PackagedTask>> loadPackagedTask(const FoundTask &found)
{
    ASSIGN_OR_RETURN(const auto text, readFile(found.folder / "task.json", 16U << 20U));
    auto package = std::make_unique<PackagedTask>();
    package->found = found;
    ASSIGN_OR_RETURN(package->execution, schema::parseTaskExecution(text));
    const auto &execution = package->execution;
    if (!execution.main.empty() && chooseHandler(execution.main) == nullptr)
        return {ErrorCode::InvalidArgument, "its package cannot run on Linux: it brings " +
                                                namesOf(execution.main) + " and no Node handler"};
    TaskDefinition &definition = package->definition;
    definition.id = package->execution.definition.id;
    definition.name = package->execution.definition.name;
    definition.title = package->execution.definition.friendlyName.empty()
                           ? definition.name
                           : std::string_view(package->execution.definition.friendlyName);
    definition.package = package.get();
    definition.pre = execution.pre.empty() ? nullptr : runPre;
    definition.run = runMain;
    definition.post = execution.post.empty() ? nullptr : runPost;
    return package;
}

} // namespace worker
