#include "worker/command/step_commands.h"

#include "pipelines/run/run_number.h"
#include "schema/base/guid.h"
#include "worker/artifact/archive_stream.h"
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/results/publish_results.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace worker {
namespace {

using schema::TaskResult;

constexpr std::array<std::string_view, 11> kAllowedWhenRestricted{
    "task.logdetail",       "task.logissue",    "task.issue",       "task.complete",
    "task.setprogress",     "task.setsecret",   "task.setvariable", "task.debug",
    "task.settaskvariable", "task.prependpath", "telemetry.publish"};

schema::Error invalid(std::string message)
{
    return {ErrorCode::InvalidArgument, std::move(message)};
}

std::optional<TaskResult> exactResult(const std::string &text)
{
    static constexpr std::array<std::pair<std::string_view, TaskResult>, 7> kResults{
        {{"Succeeded", TaskResult::Succeeded},
         {"SucceededWithIssues", TaskResult::SucceededWithIssues},
         {"Failed", TaskResult::Failed},
         {"Canceled", TaskResult::Canceled},
         {"Cancelled", TaskResult::Canceled}, // the task library's spelling
         {"Skipped", TaskResult::Skipped},
         {"Abandoned", TaskResult::Abandoned}}};
    for (const auto &[name, result] : kResults) {
        if (text == name)
            return result;
    }
    if (text.size() == 1 && text[0] >= '0' && text[0] <= '5')
        return static_cast<TaskResult>(text[0] - '0');
    return std::nullopt;
}

} // namespace

StepCommands::StepCommands(StepState &step, CommandRestrictions restrictions)
    : m_step(step)
    , m_restrictions(std::move(restrictions))
{}

bool StepCommands::settable(std::string_view name) const
{
    const auto allows = [name](const std::optional<std::vector<std::string>> &patterns) {
        return !patterns ||
               std::any_of(patterns->begin(), patterns->end(), [name](const std::string &pattern) {
                   return matchesGlob(toLower(pattern), toLower(name));
               });
    };
    return allows(m_restrictions.settable) && allows(m_restrictions.taskSettable);
}

fs::path StepCommands::hostPath(const std::string &path) const
{
    fs::path given(trimmed(path));
    if (given.is_absolute())
        return given;
    return fs::path(m_step.job.variables.value("System.DefaultWorkingDirectory")) / given;
}

void StepCommands::line(std::string_view text)
{
    const auto parsed = parseLoggingCommand(text);
    if (!parsed) {
        m_step.print(text);
        return;
    }
    if (!*parsed) {
        m_step.print(text);
        m_step.warning("not a logging command: " + parsed->error().message +
                       "; expected ##vso[area.action property=value;...]data");
        return;
    }
    const LoggingCommand &command = **parsed;
    const std::string name = command.area + "." + command.action;
    if (m_restrictions.restricted &&
        std::find(kAllowedWhenRestricted.begin(), kAllowedWhenRestricted.end(), name) ==
            kAllowedWhenRestricted.end()) {
        m_step.warning("##vso[" + name + "] is not allowed in this step (commands: restricted)");
        return;
    }
    if (name != "task.debug")
        m_step.debug("Processed: ##vso[" + name + "]");
    if (auto status = apply(command); !status) {
        m_step.error("unable to process ##vso[" + name + "]: " + status.error().message);
        m_step.commandResult =
            mergeResults(m_step.commandResult.value_or(TaskResult::Succeeded), TaskResult::Failed);
    }
}

Status StepCommands::apply(const LoggingCommand &command)
{
    if (command.area == "telemetry")
        return {};
    if (command.area == "artifact")
        return artifact(command);
    if (command.area == "build")
        return build(command);
    if (command.area == "results" && command.action == "publish")
        return publishResults(command);
    if (command.area == "codecoverage" && command.action == "publish")
        return publishCoverage(command);
    if (command.area == "results" || command.area == "codecoverage" || command.area == "release" ||
        command.area == "plugininternal") {
        m_step.warning("##vso[" + command.area + "." + command.action + "] has no effect here");
        return {};
    }
    if (command.area != "task") {
        m_step.warning("unknown area '" + command.area +
                       "' of a logging command; known: task, artifact, build, results, "
                       "codecoverage, telemetry");
        return {};
    }
    const std::string &action = command.action;
    JobContext &job = m_step.job;
    if (action == "setvariable")
        return setVariable(command);
    if (action == "setsecret") {
        job.masker.add(command.data);
        return {};
    }
    if (action == "settaskvariable") {
        const auto name = command.property("variable");
        if (name.empty())
            return invalid("the property 'variable' is missing");
        if (isTrue(command.property("issecret")))
            job.masker.add(command.data);
        m_step.taskVariables[environmentName(name)] = command.data;
        return {};
    }
    if (action == "logissue" || action == "issue")
        return logIssue(command);
    if (action == "complete")
        return complete(command);
    if (action == "setprogress") {
        const auto value = command.property("value");
        int percent = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), percent);
        if (value.empty() || error != std::errc() || end != value.data() + value.size())
            return invalid("the property 'value' must be a number from 0 to 100");
        m_step.progress(percent, command.data);
        return {};
    }
    if (action == "logdetail") {
        if (!schema::isGuid(command.property("id")))
            return invalid("the property 'id' must be a GUID");
        m_step.debug("detail: " + command.property("name") + " " + command.data);
        return {};
    }
    if (action == "debug") {
        m_step.debug(command.data);
        return {};
    }
    if (action == "prependpath") {
        const auto folder = trimmed(command.data);
        if (folder.empty())
            return invalid("no folder given");
        if (!settable("PATH")) {
            m_step.warning("this step may not change PATH (settableVariables)");
            return {};
        }
        std::erase(job.prependPath, folder);
        job.prependPath.insert(job.prependPath.begin(), folder);
        return {};
    }
    if (action == "uploadsummary")
        return attach("DistributedTask.Core.Summary", "", command.data);
    if (action == "uploadfile")
        return attach("DistributedTask.Core.FileAttachment", "", command.data);
    if (action == "addattachment") {
        if (command.property("type").empty() || command.property("name").empty())
            return invalid("the properties 'type' and 'name' are required");
        return attach(command.property("type"), command.property("name"), command.data);
    }
    if (action == "setendpoint")
        return setEndpoint(command);
    return invalid("unknown action 'task." + action + "'");
}

Status StepCommands::setEndpoint(const LoggingCommand &command)
{
    JobContext &job = m_step.job;
    const auto field = toLower(command.property("field"));
    const auto key = command.property("key");
    const auto id = command.property("id");
    if (id.empty() || (field != "url" && field != "dataparameter" && field != "authparameter"))
        return invalid("expected id and field=url, dataParameter or authParameter");
    if (field != "url" && key.empty())
        return invalid("the property 'key' is missing");
    if (field == "authparameter")
        job.masker.add(command.data);
    if (equalsIgnoringCase(id, "SYSTEMVSSCONNECTION")) {
        m_step.warning("the connection to the server cannot be changed by a step");
        return {};
    }
    for (auto &connection : job.connections) {
        if (!equalsIgnoringCase(connection.id, id) && !equalsIgnoringCase(connection.name, id))
            continue;
        if (field == "url") {
            connection.url = command.data;
            return {};
        }
        auto &map = field == "authparameter" ? connection.parameters : connection.data;
        for (auto &[name, value] : map) {
            if (equalsIgnoringCase(name, key)) {
                value = command.data;
                return {};
            }
        }
        map.emplace_back(key, command.data);
        return {};
    }
    return invalid("this job has no service connection '" + id + "'");
}

Status StepCommands::setVariable(const LoggingCommand &command)
{
    JobContext &job = m_step.job;
    const auto name = command.property("variable");
    if (name.empty())
        return invalid("the property 'variable' is missing");
    const Variable *existing = job.variables.find(name);
    const bool secret =
        isTrue(command.property("issecret")) || (existing != nullptr && existing->secret);
    if (secret && command.data.find_first_of("\r\n") != std::string::npos &&
        !isTrue(job.variables.value("SYSTEM_UNSAFEALLOWMULTILINESECRET")))
        return invalid("a secret value must not contain a line break; encode it, or set the "
                       "variable SYSTEM_UNSAFEALLOWMULTILINESECRET to true (each line is masked)");
    if (secret)
        job.masker.add(command.data);
    if (!settable(name)) {
        m_step.warning("this step may not set the variable '" + name + "' (settableVariables)");
        return {};
    }
    const bool declared = std::any_of(
        m_restrictions.outputs.begin(), m_restrictions.outputs.end(),
        [&name](const std::string &output) { return equalsIgnoringCase(output, name); });
    if (isTrue(command.property("isoutput")) || declared) {
        job.variables.set(m_step.step.name + "." + name, command.data, secret, true);
        std::erase_if(job.outputs, [&](const auto &output) {
            return output.step == m_step.step.name && equalsIgnoringCase(output.name, name);
        });
        job.outputs.push_back({m_step.step.name, name, command.data, secret});
        return {};
    }
    if ((existing != nullptr && existing->readOnly) || isSystemVariable(name)) {
        const std::string text = "the variable '" + name + "' is read-only";
        if (job.variables.isTrue("agent.readOnlyVariables"))
            return invalid(text);
        m_step.warning(text + "; the value is set all the same, as Azure Pipelines does");
    }
    job.variables.set(name, command.data, secret, isTrue(command.property("isreadonly")),
                      isTrue(command.property("preservecase")));
    return {};
}

Status StepCommands::logIssue(const LoggingCommand &command)
{
    const auto type = command.property("type");
    if (type.empty()) {
        m_step.warning("can't create an issue: the property 'type' is missing");
        return {};
    }
    const bool isError = equalsIgnoringCase(type, "error");
    if (!isError && !equalsIgnoringCase(type, "warning"))
        return invalid("the property 'type' must be error or warning, not '" + type + "'");
    std::string message = command.data;
    schema::TextMap data;
    for (const char *key : {"sourcepath", "linenumber", "columnnumber", "code"}) {
        if (auto value = command.property(key); !value.empty())
            data.emplace_back(key, value);
    }
    if (auto path = command.property("sourcepath"); !path.empty()) {
        const auto root = m_step.job.variables.value("Build.SourcesDirectory");
        if (!root.empty() && path.starts_with(root + "/"))
            path.erase(0, root.size() + 1);
        data.front().second = path;
        message = path + "(" + command.property("linenumber") + "," +
                  command.property("columnnumber") + "): " + toLower(type) + " " +
                  command.property("code") + ": " + message;
    }
    m_step.issue(isError, message, std::move(data));
    return {};
}

Status StepCommands::complete(const LoggingCommand &command)
{
    const auto result = exactResult(command.property("result"));
    if (!result)
        return invalid("the property 'result' must be Succeeded, SucceededWithIssues, Failed, "
                       "Canceled, Skipped or Abandoned");
    m_step.commandResult =
        mergeResults(m_step.commandResult.value_or(TaskResult::Succeeded), *result);
    m_step.completeMessage = command.data;
    m_step.progress(100, command.data);
    if (isTrue(command.property("done")))
        m_step.finishBy = Clock::now() + std::chrono::seconds(5);
    return {};
}

Status StepCommands::attach(const std::string &type, const std::string &name,
                            const std::string &file)
{
    const fs::path path = hostPath(file);
    if (!fs::is_regular_file(path))
        return invalid("no such file: '" + path.string() + "'");
    const auto shown = name.empty() ? path.filename().string() : name;
    if (!isArtifactName(shown))
        return invalid("'" + shown + "' is no valid attachment name");
    m_step.pendingAttachments.push_back({type, shown, path});
    return {};
}

Status StepCommands::artifact(const LoggingCommand &command)
{
    const auto name = command.property("artifactname");
    if (name.empty())
        return invalid("the property 'artifactname' is missing");
    if (command.action == "upload") {
        if (!isArtifactName(name))
            return invalid("'" + name +
                           "' is no artifact name: it must not hold any of \" : < > | * ? / \\");
        const fs::path path = hostPath(command.data);
        if (!fs::exists(path))
            return invalid("no such file or folder: '" + path.string() + "'");
        m_step.pendingUploads.push_back({name, path});
        return {};
    }
    if (command.action == "associate") {
        m_step.warning("##vso[artifact.associate] is accepted but associates nothing");
        return {};
    }
    return invalid("unknown action 'artifact." + command.action + "'");
}

Status StepCommands::build(const LoggingCommand &command)
{
    if (command.action == "uploadlog")
        return attach("DistributedTask.Core.FileAttachment", "", command.data);
    if (command.action == "uploadsummary")
        return attach("DistributedTask.Core.Summary", "", command.data);
    if (command.action == "addbuildtag") {
        if (trimmed(command.data).empty())
            return invalid("no tag given");
        m_step.pendingTags.push_back(trimmed(command.data));
        return {};
    }
    if (command.action == "updatebuildnumber") {
        const auto number = trimmed(command.data);
        if (const Status checked = pipelines::run::checkRunNumber(number); !checked)
            return invalid(checked.error().message);
        m_step.job.variables.set("Build.BuildNumber", number);
        m_step.pendingRunNumber = number;
        return {};
    }
    return invalid("unknown action 'build." + command.action + "'");
}

Status StepCommands::publishResults(const LoggingCommand &command)
{
    TestFiles tests;
    tests.formatName = command.property("type");
    if (tests.formatName.empty())
        return invalid("the property 'type' is missing");
    ASSIGN_OR_RETURN(tests.format, testFormat(tests.formatName));
    // The list may be the data instead.
    const auto named = command.property("resultfiles");
    for (const auto &file : listEntries(named.empty() ? command.data : named, ","))
        tests.files.push_back(hostPath(file).string());
    if (tests.files.empty())
        return invalid("no result files given (resultFiles=a.xml,b.xml)");
    tests.title = command.property("runtitle");
    const auto merge = command.property("mergeresults");
    tests.merge = merge.empty() || isTrue(merge);
    const bool failOnFailed = isTrue(command.property("failtaskonfailedtests"));
    m_step.pendingResults.emplace_back([tests = std::move(tests), failOnFailed](StepState &step) {
        const auto published = publishTestFiles(step, tests);
        if (published.failed == 0 || !failOnFailed)
            return TaskResult::Succeeded;
        step.error("There are one or more test failures detected in result files (" +
                   std::to_string(published.failed) + ").");
        return TaskResult::Failed;
    });
    return {};
}

Status StepCommands::publishCoverage(const LoggingCommand &command)
{
    const auto tool = command.property("codecoveragetool");
    const auto file = command.property("summaryfile");
    if (!equalsIgnoringCase(tool, "Cobertura") && !equalsIgnoringCase(tool, "JaCoCo"))
        return invalid("the property 'codecoveragetool' must be Cobertura or JaCoCo");
    if (file.empty())
        return invalid("the property 'summaryfile' is missing");
    const auto report = command.property("reportdirectory");
    m_step.pendingResults.emplace_back(
        [files = std::vector{hostPath(file).string()},
         folder = report.empty() ? fs::path() : hostPath(report)](StepState &step) {
            const auto published = publishCoverageFiles(step, files, folder);
            if (!published)
                step.error(published.error().message);
            else if (published->empty)
                step.warning("The code coverage file holds no counts.");
            return published ? TaskResult::Succeeded : TaskResult::Failed;
        });
    return {};
}

LineReader::LineReader(StepState &step, StepCommands *commands)
    : m_step(step)
    , m_commands(commands)
{}

void LineReader::emit(std::string_view line)
{
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    if (line.find("##vso[") == std::string_view::npos)
        m_step.print(line);
    else if (m_commands != nullptr)
        m_commands->line(line);
    else
        m_step.print(defuseCommands(std::string(line)));
}

void LineReader::feed(std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto *found =
            static_cast<const char *>(std::memchr(bytes.data(), '\n', bytes.size()));
        const auto length =
            found == nullptr ? bytes.size() : static_cast<std::size_t>(found - bytes.data());
        const auto piece = bytes.substr(0, length);
        if (m_inLong) {
            m_step.log.writePiece(piece);
        } else if (m_line.size() + piece.size() > kMaxLine) {
            m_inLong = true;
            m_step.log.writePiece(m_line);
            m_step.log.writePiece(piece);
            m_line.clear();
        } else if (found != nullptr && m_line.empty()) {
            emit(piece);
            bytes.remove_prefix(length + 1);
            continue;
        } else {
            m_line += piece;
        }
        if (found == nullptr)
            return;
        bytes.remove_prefix(length + 1);
        finish();
    }
}

void LineReader::finish()
{
    if (m_inLong)
        m_step.log.endLine();
    else if (!m_line.empty())
        emit(m_line);
    m_line.clear();
    m_inLong = false;
}

} // namespace worker
