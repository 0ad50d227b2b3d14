#pragma once
/// A job sink that keeps everything in memory, and helpers to run jobs against it.

#include "worker/job/job_runner.h"

#include <QTemporaryDir>

#include <map>

namespace worker::test {

class RecordingSink : public JobSink
{
public:
    void record(const schema::protocol::RecordUpdate &update) override;
    void log(const std::string &recordId, std::string_view bytes) override;

    void flush() override {}

    Result<ArtifactInfo> publishArtifact(const std::string &name, const fs::path &path) override;
    Result<std::vector<std::string>> artifacts() override;
    Result<ArtifactInfo>
    downloadArtifact(const std::string &name, const fs::path &target,
                     const std::function<bool(const std::string &path)> &wanted) override;
    Status publishTestRun(const schema::protocol::TestRunUpload &run) override;
    Status publishCoverage(const schema::protocol::CoverageUpload &upload) override;
    Result<schema::protocol::RunFound> findRun(const schema::protocol::RunQuery &query) override;
    Result<std::vector<std::string>> artifactsOf(std::int64_t runId) override;
    Result<ArtifactInfo>
    downloadArtifactOf(std::int64_t runId, const std::string &name, const fs::path &target,
                       const std::function<bool(const std::string &path)> &wanted) override;
    Status secureFile(const std::string &name, const fs::path &target) override;
    Result<SecureFileTicket> secureFileTicket(const std::string &nameOrId) override;
    Status publishImage(const schema::protocol::PushedImage &image) override;
    Status publishDeployed(const std::vector<schema::protocol::DeployedItem> &items) override;
    Status attach(const std::string &recordId, const std::string &type, const std::string &name,
                  const fs::path &path) override;
    Status updateRun(const std::vector<std::string> &addTags,
                     const std::string &runNumber) override;
    Status complete(const schema::protocol::JobCompletion &completion) override;

    /// Log of a record without the time stamps.
    [[nodiscard]] std::string text(const std::string &recordId) const;
    /// The merged record whose name is given.
    [[nodiscard]] const schema::protocol::RecordUpdate *named(const std::string &name) const;

    std::map<std::string, schema::protocol::RecordUpdate> records;
    std::map<std::string, std::string> logs;
    std::vector<schema::protocol::TestRunUpload> testRuns;
    std::vector<schema::protocol::CoverageUpload> coverage;
    std::vector<schema::protocol::RunQuery> queries;
    std::int64_t otherRun = 0; ///< number of the one other run; it has the same artifacts
    std::map<std::string, std::string> secureFiles;
    std::vector<schema::protocol::PushedImage> images;
    std::vector<schema::protocol::DeployedItem> deployed;
    std::vector<std::string> tags, attachments;
    std::string runNumber;
    std::function<void(const std::string &recordId, std::string_view bytes)> onLog;
    QTemporaryDir artifactFolder;
};

schema::Step script(const std::string &text, const std::string &name = {});
schema::Step task(const std::string &nameAtVersion, schema::TextMap inputs);

/// A job with the given steps and everything else filled in.
schema::protocol::JobMessage job(std::vector<schema::Step> steps);

/// One run of a job in a temporary work folder.
struct JobRun
{
    explicit JobRun(schema::protocol::JobMessage jobMessage);

    schema::protocol::JobCompletion go();
    /// Log of the step at the index, without stamps.
    [[nodiscard]] std::string stepText(std::size_t index) const;
    /// Result of the step at the index.
    [[nodiscard]] std::string stepResult(std::size_t index) const;

    [[nodiscard]] std::string jobText() const { return sink.text(message.recordId); }

    schema::protocol::JobMessage message;
    QTemporaryDir folder;
    WorkerOptions options;
    RecordingSink sink;
    StopSignal stop;
};

} // namespace worker::test
