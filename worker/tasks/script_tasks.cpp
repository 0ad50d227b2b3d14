// CmdLine@2, Bash@3, PowerShell@2 (worker-and-tasks 2.6).
#include "worker/base/text.h"
#include "worker/tasks/implementations.h"

namespace worker {
namespace {

using schema::TaskResult;

constexpr const char *kOutputBegins =
    "========================== Starting Command Output ===========================";

struct Script
{
    std::string shell; ///< "Bash" or "PowerShell", for messages
    std::string program;
    std::vector<std::string> arguments;
    Environment environment;
};

/// A script text from the input: macros expanded, but neither trimmed nor otherwise changed.
std::string scriptText(TaskContext &task, std::string_view name)
{
    for (const auto &[key, value] : task.step().inputs) {
        if (equalsIgnoringCase(key, name))
            return task.job().variables.expand(value);
    }
    return {};
}

Result<std::string> workingDirectory(TaskContext &task)
{
    const auto path = task.path("workingDirectory");
    std::error_code error;
    if (!fs::is_directory(path, error))
        return {ErrorCode::NotFound,
                "the working directory '" + path.string() +
                    "' does not exist; check the step's "
                    "workingDirectory, or create the folder in an earlier step"};
    return path.string();
}

TaskResult runScript(TaskContext &task, const Script &script)
{
    const auto directory = workingDirectory(task);
    if (!directory)
        return task.fail(directory.error());
    task.print(kOutputBegins);
    ToolCall call;
    call.program = script.program;
    call.arguments = script.arguments;
    call.environment = script.environment;
    call.workingDirectory = *directory;
    call.commands = true;
    call.inTarget = true;
    const auto result = task.run(call);
    if (!result)
        return task.fail(result.error());
    if (task.flag("failOnStderr") && !result->errors.empty()) {
        task.state().error(trimmed(result->errors).substr(0, 4096));
        return task.fail(script.shell + " wrote one or more lines to the standard error stream.");
    }
    if (!result->ok()) {
        if (result->exitCode == 127 &&
            task.job().containerFor(task.step()).value_or(nullptr) != nullptr)
            task.print("Exit code 127: '" + script.program +
                       "' or a command of the script is not in the container's image.");
        if (result->exitCode == 137)
            task.print("Exit code 137: the process was killed, most often because memory ran out.");
        return task.fail(script.shell + " exited with code '" + std::to_string(result->exitCode) +
                         "'.");
    }
    task.print("");
    return TaskResult::Succeeded;
}

/// Writes the script and announces it.
Result<std::string> writeScript(TaskContext &task, const std::string &text, const char *suffix,
                                bool announce)
{
    task.print("Generating script.");
    const auto file = task.temporary(suffix);
    RETURN_IF_ERROR(writeFile(file, text, 0700));
    if (announce && text.find('\n') == std::string::npos &&
        text.find("##vso[") == std::string::npos) {
        task.print("Script contents:");
        task.print(text);
    }
    return file.string();
}

std::string shellQuoted(const std::string &text)
{
    return "'" + replaceAll(text, "'", "'\\''") + "'";
}

} // namespace

TaskResult runCmdLine(TaskContext &task)
{
    std::string text = scriptText(task, "script");
    if (trimmed(text).empty())
        return task.fail("the input 'script' is empty");
    // A text that is the path of a script runs that script.
    const auto path = trimmed(text);
    if (path.find('\n') == std::string::npos && path.size() < 4096 &&
        fs::path(path).is_absolute() && fs::is_regular_file(path))
        text = "exec " + shellQuoted(path);
    const auto file = writeScript(task, text, ".sh", true);
    if (!file)
        return task.fail(file.error());
    return runScript(task, {"Bash", "bash", {"--noprofile", "--norc", *file}, {}});
}

TaskResult runBash(TaskContext &task)
{
    Script script{"Bash", "bash", {}, {}};
    std::string text;
    const bool inlineScript = !equalsIgnoringCase(task.input("targetType"), "filePath");
    if (inlineScript) {
        text = scriptText(task, "script");
        if (trimmed(text).empty())
            return task.fail("the input 'script' is empty");
    } else {
        const auto path = task.path("filePath");
        if (!fs::is_regular_file(path))
            return task.fail("the script '" + path.string() +
                             "' does not exist (input 'filePath')");
        text = "exec bash " + shellQuoted(path.string()) + " " + task.input("arguments");
        task.print("Formatted command: " + text);
    }
    if (const auto file = task.input("bashEnvValue"); !file.empty())
        script.environment.emplace_back("BASH_ENV", file);
    const auto file = writeScript(task, text, ".sh", inlineScript);
    if (!file)
        return task.fail(file.error());
    script.arguments = {*file};
    return runScript(task, script);
}

TaskResult runPowerShell(TaskContext &task)
{
    const auto preference = task.input("errorActionPreference");
    std::string text = "$ErrorActionPreference = '" +
                       (preference.empty() ? std::string("stop") : toLower(preference)) + "'\n";
    if (equalsIgnoringCase(task.input("targetType"), "inline")) {
        text += scriptText(task, "script") + "\n";
    } else {
        const auto path = task.path("filePath");
        if (!fs::is_regular_file(path))
            return task.fail("the script '" + path.string() +
                             "' does not exist (input 'filePath')");
        text += ". " + ("'" + replaceAll(path.string(), "'", "''") + "'") + " " +
                task.input("arguments") + "\n";
    }
    if (!task.flag("ignoreLASTEXITCODE"))
        text += "if (!(Test-Path -LiteralPath variable:\\LASTEXITCODE)) {\n} else {\n"
                "  exit $LASTEXITCODE\n}\n";
    const auto file = writeScript(task, "\xEF\xBB\xBF" + text, ".ps1", false);
    if (!file)
        return task.fail(file.error());
    const std::string call = task.flag("runScriptInSeparateScope") ? "& " : ". ";
    return runScript(
        task, {"PowerShell",
               "pwsh",
               {"-NoLogo", "-NoProfile", "-NonInteractive", "-Command", call + "'" + *file + "'"},
               {}});
}

} // namespace worker
