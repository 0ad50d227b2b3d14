#include "recording_sink.h"

#include "schema/base/guid.h"
#include "worker/base/text.h"

namespace worker::test {

void RecordingSink::record(const schema::protocol::RecordUpdate &update)
{
    auto &kept = records[update.id];
    if (kept.id.empty()) {
        kept = update;
        return;
    }
    Q_ASSERT(update.sequence > kept.sequence);
    kept.sequence = update.sequence;
    if (update.name)
        kept.name = update.name;
    if (update.state)
        kept.state = update.state;
    if (update.result)
        kept.result = update.result;
    if (update.issues)
        kept.issues = update.issues;
    if (update.errorCount)
        kept.errorCount = update.errorCount;
    if (update.percentComplete)
        kept.percentComplete = update.percentComplete;
    if (update.currentOperation)
        kept.currentOperation = update.currentOperation;
}

void RecordingSink::log(const std::string &recordId, std::string_view bytes)
{
    logs[recordId] += bytes;
    if (onLog)
        onLog(recordId, bytes);
}

Result<ArtifactInfo> RecordingSink::publishArtifact(const std::string &name, const fs::path &path)
{
    const fs::path target = fs::path(artifactFolder.path().toStdString()) / name;
    if (fs::exists(target))
        return schema::Error{ErrorCode::AlreadyExists, "the artifact exists"};
    fs::create_directories(target);
    if (fs::is_directory(path))
        fs::copy(path, target, fs::copy_options::recursive);
    else
        fs::copy(path, target / path.filename());
    return ArtifactInfo{name, 0, 1};
}

Result<std::vector<std::string>> RecordingSink::artifacts()
{
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator(artifactFolder.path().toStdString()))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

Result<ArtifactInfo>
RecordingSink::downloadArtifact(const std::string &name, const fs::path &target,
                                const std::function<bool(const std::string &path)> &wanted)
{
    const fs::path source = fs::path(artifactFolder.path().toStdString()) / name;
    if (!fs::exists(source))
        return schema::Error{ErrorCode::NotFound, "no artifact '" + name + "'"};
    ArtifactInfo info{name, 0, 0};
    for (const auto &entry : fs::recursive_directory_iterator(source)) {
        const auto relative = fs::relative(entry.path(), source);
        if (!entry.is_regular_file() || !wanted(relative.string()))
            continue;
        fs::create_directories((target / relative).parent_path());
        fs::copy(entry.path(), target / relative, fs::copy_options::overwrite_existing);
        ++info.files;
    }
    return info;
}

Status RecordingSink::publishTestRun(const schema::protocol::TestRunUpload &run)
{
    testRuns.push_back(run);
    return {};
}

Status RecordingSink::publishCoverage(const schema::protocol::CoverageUpload &upload)
{
    coverage.push_back(upload);
    return {};
}

Result<schema::protocol::RunFound> RecordingSink::findRun(const schema::protocol::RunQuery &query)
{
    queries.push_back(query);
    if (otherRun == 0)
        return schema::Error{ErrorCode::NotFound, "there is no other run"};
    return schema::protocol::RunFound{otherRun, "other"};
}

Result<std::vector<std::string>> RecordingSink::artifactsOf(std::int64_t runId)
{
    return runId == otherRun ? artifacts() : std::vector<std::string>();
}

Result<ArtifactInfo>
RecordingSink::downloadArtifactOf(std::int64_t runId, const std::string &name,
                                  const fs::path &target,
                                  const std::function<bool(const std::string &path)> &wanted)
{
    if (runId != otherRun)
        return schema::Error{ErrorCode::NotFound, "no such run"};
    return downloadArtifact(name, target, wanted);
}

Status RecordingSink::secureFile(const std::string &name, const fs::path &target)
{
    const auto it = secureFiles.find(name);
    if (it == secureFiles.end())
        return schema::Error{ErrorCode::NotFound, "no secure file '" + name + "'"};
    return writeFile(target, it->second, 0600);
}

Result<SecureFileTicket> RecordingSink::secureFileTicket(const std::string &nameOrId)
{
    if (!secureFiles.contains(nameOrId))
        return schema::Error{ErrorCode::NotFound, "no secure file '" + nameOrId + "'"};
    return SecureFileTicket{schema::nameGuid("secure file", nameOrId), nameOrId,
                            "ticket-for-" + nameOrId};
}

Status RecordingSink::publishImage(const schema::protocol::PushedImage &image)
{
    images.push_back(image);
    return {};
}

Status RecordingSink::publishDeployed(const std::vector<schema::protocol::DeployedItem> &items)
{
    deployed.insert(deployed.end(), items.begin(), items.end());
    return {};
}

Status RecordingSink::attach(const std::string &, const std::string &type, const std::string &name,
                             const fs::path &)
{
    attachments.push_back(type + "/" + name);
    return {};
}

Status RecordingSink::updateRun(const std::vector<std::string> &addTags, const std::string &number)
{
    tags.insert(tags.end(), addTags.begin(), addTags.end());
    runNumber = number;
    return {};
}

Status RecordingSink::complete(const schema::protocol::JobCompletion &)
{
    return {};
}

std::string RecordingSink::text(const std::string &recordId) const
{
    std::string out;
    const auto it = logs.find(recordId);
    if (it == logs.end())
        return out;
    for (const auto &line : lines(it->second))
        out += line.substr(std::min<std::size_t>(line.size(), 29)) + "\n";
    return out;
}

const schema::protocol::RecordUpdate *RecordingSink::named(const std::string &name) const
{
    for (const auto &[id, record] : records) {
        if (record.name == name)
            return &record;
    }
    return nullptr;
}

schema::Step script(const std::string &text, const std::string &name)
{
    auto step = task("CmdLine@2", {{"script", text}});
    step.name = name;
    return step;
}

schema::Step task(const std::string &nameAtVersion, schema::TextMap inputs)
{
    schema::Step step;
    step.id = schema::randomGuid();
    const auto at = nameAtVersion.find('@');
    step.task = nameAtVersion.substr(0, at);
    step.taskVersion = nameAtVersion.substr(at + 1);
    step.inputs = std::move(inputs);
    return step;
}

schema::protocol::JobMessage job(std::vector<schema::Step> steps)
{
    schema::protocol::JobMessage message;
    message.jobId = schema::randomGuid();
    message.recordId = schema::randomGuid();
    message.runId = 7;
    message.runNumber = "20261121.1";
    message.project = "Default";
    message.pipelineName = "test";
    message.stageName = "S";
    message.jobName = "J";
    message.instanceName = "__default";
    message.displayName = "Job";
    message.identifier = "S.J.__default";
    message.steps = std::move(steps);
    return message;
}

JobRun::JobRun(schema::protocol::JobMessage jobMessage)
    : message(std::move(jobMessage))
{
    options.work = fs::path(folder.path().toStdString()) / "_work";
    fs::create_directories(options.work);
    options.name = "test-worker";
    options.environment = currentEnvironment();
    options.interruptGrace = std::chrono::milliseconds(200);
    options.terminateGrace = std::chrono::milliseconds(200);
}

schema::protocol::JobCompletion JobRun::go()
{
    return runJob(message, options, sink, stop);
}

std::string JobRun::stepText(std::size_t index) const
{
    return sink.text(schema::nameGuid(message.recordId, message.steps.at(index).id));
}

std::string JobRun::stepResult(std::size_t index) const
{
    const auto it =
        sink.records.find(schema::nameGuid(message.recordId, message.steps.at(index).id));
    if (it == sink.records.end())
        return "none";
    return it->second.result ? std::string(toString(*it->second.result)) : "running";
}

} // namespace worker::test
