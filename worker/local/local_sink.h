#pragma once
/// The sink of a local job: events into a pipe, artifacts into a folder.

#include "worker/job/job_context.h"
#include "worker/sink/job_sink.h"

namespace worker {

class LocalSink : public JobSink
{
public:
    LocalSink(UniqueFd pipe, fs::path artifacts);

    void record(const schema::protocol::RecordUpdate &update) override;
    void log(const std::string &recordId, std::string_view bytes) override;

    void flush() override;

    Result<ArtifactInfo> publishArtifact(const std::string &name, const fs::path &path) override;
    Result<std::vector<std::string>> artifacts() override;
    Result<ArtifactInfo>
    downloadArtifact(const std::string &name, const fs::path &target,
                     const std::function<bool(const std::string &path)> &wanted) override;
    Status publishTestRun(const schema::protocol::TestRunUpload &run) override;
    Status publishCoverage(const schema::protocol::CoverageUpload &coverage) override;
    Status publishImage(const schema::protocol::PushedImage &image) override;
    Status publishDeployed(const std::vector<schema::protocol::DeployedItem> &items) override;
    Status attach(const std::string &recordId, const std::string &type, const std::string &name,
                  const fs::path &path) override;
    Status updateRun(const std::vector<std::string> &addTags,
                     const std::string &runNumber) override;
    Status complete(const schema::protocol::JobCompletion &completion) override;
    /// Tells the parent of a failed step.
    void failed(const FailedStep &step);

    [[nodiscard]] Status health() const override { return m_health; }

private:
    void queue(char type, std::string_view payload);
    void write();

    UniqueFd m_pipe;
    fs::path m_artifacts;
    std::string m_queued; ///< frames for the next write: each one wakes the parent
    bool m_ended = false; ///< the last frame ends a step: the next one or the job's end is near
    Status m_health;
};

} // namespace worker
