// JSON form of the bodies of the job's HTTP calls.
#include "schema/model/plan_json.h"
#include "schema/protocol/fields.h"
#include "schema/protocol/messages.h"

#include <algorithm>
#include <array>

namespace schema::protocol {
namespace {

/// Stored per record; the counts go on (worker-and-tasks, appendix A).
constexpr std::size_t kMaxIssuesPerRecord = 20;

Json write(const Issue &issue)
{
    return {{"type", issue.isError ? "error" : "warning"},
            {"message", issue.message},
            {"data", schema::toJson(issue.data)}};
}

Status read(const Json &json, const std::string &path, Issue &out)
{
    Fields fields(json, path + ".");
    fields.word(
        "type", out.isError,
        [](const std::string &word) -> std::optional<bool> {
            if (word == "error")
                return true;
            if (word == "warning")
                return false;
            return std::nullopt;
        },
        Need::Required);
    fields.text("message", out.message);
    fields.member("data", [&out](const Json &value, const std::string &at) -> Status {
        auto map = textMapFromJson(value);
        if (!map)
            return map.error().withContext(at);
        out.data = std::move(*map);
        return {};
    });
    return fields.status();
}

template <typename T> void put(Json &json, const char *name, const std::optional<T> &value)
{
    if (value)
        json[name] = *value;
}

template <typename T> void putWord(Json &json, const char *name, const std::optional<T> &value)
{
    if (value)
        json[name] = std::string(toString(*value));
}

void putTime(Json &json, const char *name, const std::optional<TimePoint> &value)
{
    if (value)
        json[name] = toIso8601(*value);
}

template <typename T> Result<T> finish(const Fields &fields, T &&value)
{
    if (auto status = fields.status(); !status)
        return std::move(status).error();
    return std::forward<T>(value);
}

} // namespace

Json toJson(const RecordUpdate &update)
{
    Json json = {{"id", update.id},
                 {"parentId", update.parentId},
                 {"type", std::string(toString(update.type))},
                 {"sequence", update.sequence}};
    put(json, "name", update.name);
    put(json, "refName", update.refName);
    put(json, "currentOperation", update.currentOperation);
    put(json, "workerName", update.workerName);
    put(json, "order", update.order);
    put(json, "percentComplete", update.percentComplete);
    putWord(json, "state", update.state);
    putWord(json, "result", update.result);
    putTime(json, "startTime", update.startTime);
    putTime(json, "finishTime", update.finishTime);
    if (update.issues) {
        Json issues = Json::array();
        for (const Issue &issue : *update.issues)
            issues.push_back(write(issue));
        json["issues"] = std::move(issues);
    }
    put(json, "errorCount", update.errorCount);
    put(json, "warningCount", update.warningCount);
    put(json, "taskId", update.taskId);
    put(json, "taskName", update.taskName);
    put(json, "taskVersion", update.taskVersion);
    return json;
}

Result<RecordUpdate> recordUpdateFromJson(const Json &json)
{
    RecordUpdate out;
    Fields fields(json, "");
    fields.text("id", out.id, Need::Required);
    fields.text("parentId", out.parentId);
    fields.word("type", out.type, recordTypeFromString);
    fields.integer("sequence", out.sequence);
    fields.optionalText("name", out.name);
    fields.optionalText("refName", out.refName);
    fields.optionalText("currentOperation", out.currentOperation);
    fields.optionalText("workerName", out.workerName);
    fields.optionalInteger("order", out.order);
    fields.optionalInteger("percentComplete", out.percentComplete);
    fields.word("state", out.state, recordStateFromString);
    fields.word("result", out.result, taskResultFromString);
    fields.optionalTime("startTime", out.startTime);
    fields.optionalTime("finishTime", out.finishTime);
    fields.list("issues", [&out](const Json &element, const std::string &path) -> Status {
        if (!out.issues)
            out.issues.emplace();
        if (out.issues->size() >= kMaxIssuesPerRecord)
            return {ErrorCode::InvalidArgument, path + ": at most 10 errors and 10 warnings"};
        return read(element, path, out.issues->emplace_back());
    });
    if (!out.issues && json.is_object() && json.contains("issues") && json["issues"].is_array())
        out.issues.emplace();
    fields.optionalInteger("errorCount", out.errorCount);
    fields.optionalInteger("warningCount", out.warningCount);
    fields.optionalText("taskId", out.taskId);
    fields.optionalText("taskName", out.taskName);
    fields.optionalText("taskVersion", out.taskVersion);
    return finish(fields, std::move(out));
}

Json toJson(const JobCompletion &completion)
{
    Json outputs = Json::array();
    for (const auto &output : completion.outputs) {
        outputs.push_back({{"step", output.step},
                           {"name", output.name},
                           {"value", output.value},
                           {"isSecret", output.isSecret}});
    }
    return {{"result", std::string(toString(completion.result))},
            {"message", completion.message},
            {"outputs", std::move(outputs)}};
}

Result<JobCompletion> jobCompletionFromJson(const Json &json)
{
    JobCompletion out;
    Fields fields(json, "");
    fields.word("result", out.result, taskResultFromString, Need::Required);
    fields.text("message", out.message);
    fields.list("outputs", [&out](const Json &element, const std::string &path) {
        OutputVariable &output = out.outputs.emplace_back();
        Fields members(element, path + ".");
        members.text("step", output.step);
        members.text("name", output.name, Need::Required);
        members.text("value", output.value);
        members.boolean("isSecret", output.isSecret);
        return members.status();
    });
    return finish(fields, std::move(out));
}

Json toJson(const PushedImage &image)
{
    return {{"repository", image.repository},
            {"tags", image.tags},
            {"digest", image.digest},
            {"connection", image.connection}};
}

Result<PushedImage> pushedImageFromJson(const Json &json)
{
    PushedImage out;
    Fields fields(json, "");
    fields.text("repository", out.repository, Need::Required);
    fields.texts("tags", out.tags);
    fields.text("digest", out.digest, Need::Required);
    fields.text("connection", out.connection);
    return finish(fields, std::move(out));
}

Json toJson(const DeployedItem &item)
{
    return {{"kind", item.kind},           {"name", item.name},
            {"container", item.container}, {"image", item.image},
            {"digest", item.digest},       {"kubernetesNamespace", item.kubernetesNamespace}};
}

Result<DeployedItem> deployedItemFromJson(const Json &json)
{
    DeployedItem out;
    Fields fields(json, "");
    fields.text("kind", out.kind, Need::Required);
    fields.text("name", out.name, Need::Required);
    fields.text("container", out.container);
    fields.text("image", out.image, Need::Required);
    fields.text("digest", out.digest);
    fields.text("kubernetesNamespace", out.kubernetesNamespace);
    return finish(fields, std::move(out));
}

Json toJson(const TestRunUpload &run)
{
    Json results = Json::array();
    for (const auto &result : run.results) {
        results.push_back({{"name", result.name},
                           {"className", result.className},
                           {"suite", result.suite},
                           {"outcome", result.outcome},
                           {"durationMs", result.durationMs},
                           {"message", result.message},
                           {"stackTrace", result.stackTrace}});
    }
    return {{"title", run.title}, {"key", run.key}, {"results", std::move(results)}};
}

Result<TestRunUpload> testRunUploadFromJson(const Json &json)
{
    static constexpr std::array<std::string_view, 3> kOutcomes{"Passed", "Failed", "NotExecuted"};
    TestRunUpload out;
    Fields fields(json, "");
    fields.text("title", out.title);
    fields.text("key", out.key, Need::Required);
    fields.list("results", [&out](const Json &element, const std::string &path) {
        TestCaseResult &result = out.results.emplace_back();
        Fields members(element, path + ".");
        members.text("name", result.name, Need::Required);
        members.text("className", result.className);
        members.text("suite", result.suite);
        members.text("outcome", result.outcome, Need::Required);
        if (!members.failed() &&
            std::find(kOutcomes.begin(), kOutcomes.end(), result.outcome) == kOutcomes.end())
            members.fail("outcome", "expected Passed, Failed or NotExecuted");
        members.integer("durationMs", result.durationMs);
        members.text("message", result.message);
        members.text("stackTrace", result.stackTrace);
        return members.status();
    });
    return finish(fields, std::move(out));
}

} // namespace schema::protocol
