#pragma once
/// Delivers a job to the server: everything goes to the job's folder first and from there in
/// deliveries, as fast as the server takes them and for as long as it takes
/// (schema/protocol/README.md, "Bulk"). What comes together goes together: the beginning of a short
/// job in the call that confirms it, the rest in the call that ends it. In between a thread sends
/// what a running command prints.

#include "schema/protocol/delivery.h"
#include "worker/process/stop.h"
#include "worker/sink/http_client.h"
#include "worker/sink/job_sink.h"
#include "worker/sink/spool.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace worker {

class ServerSink : public JobSink
{
public:
    /// `stop` is told LeaseLost when the server gave the job up, and Canceled when the folder can
    /// not be written any more (see health()). `authorityFile`: see HttpClient::create. Errors: its
    /// own.
    static Result<std::unique_ptr<ServerSink>> create(Spool &spool,
                                                      const schema::protocol::JobMessage &message,
                                                      StopSignal &stop,
                                                      const std::string &authorityFile = {});
    ~ServerSink() override;

    void record(const schema::protocol::RecordUpdate &update) override;
    void log(const std::string &recordId, std::string_view bytes) override;
    void flush() override;
    Status confirm() override;
    Result<ArtifactInfo> publishArtifact(const std::string &name, const fs::path &path) override;
    Result<std::vector<std::string>> artifacts() override;
    Result<ArtifactInfo>
    downloadArtifact(const std::string &name, const fs::path &target,
                     const std::function<bool(const std::string &path)> &wanted) override;
    Status publishTestRun(const schema::protocol::TestRunUpload &run) override;
    Status publishCoverage(const schema::protocol::CoverageUpload &coverage) override;
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

    [[nodiscard]] Status health() const override { return m_health; }

    /// Queues what an earlier process of this job left in the folder (after a crash).
    void adopt(const Spool::Left &left);

private:
    struct Log
    {
        std::uint64_t written = 0, acknowledged = 0;
        std::uint64_t forgotten = 0; ///< of the acknowledged ones, no longer on this disk
        /// The bytes that are not acknowledged, while they are few; else they are read back from
        /// the folder.
        std::string recent;
        bool hasRecent = true;
    };

    /// What one delivery took out of the queues, to be put back when it does not arrive.
    struct Batch
    {
        schema::protocol::Delivery delivery;
        bool more = false; ///< something is left for the next one
    };

    ServerSink(Spool &spool, StopSignal &stop, std::string base,
               std::unique_ptr<HttpClient> delivery, std::unique_ptr<HttpClient> calls);

    void background();
    /// Until when a call is repeated: given up by the server only, or also canceled by a person.
    enum class Patience : std::uint8_t { UntilGivenUp, UntilCanceled };
    /// Takes what waits, at most what one delivery may hold. The caller holds m_mutex.
    Result<Batch> take();
    /// Sends one delivery and notes what the server has. One thread at a time: m_sending.
    Result<schema::protocol::Delivered> send(const Batch &batch, Patience patience);
    void putBack(Batch batch);
    void noteFailure(Status status);
    /// Repeats `attempt` with growing pauses while the server does not answer or answers 5xx.
    Result<HttpReply> insist(const std::function<Result<HttpReply>()> &attempt,
                             Patience patience = Patience::UntilGivenUp);
    /// True after waiting `pause`; false when patience ended meanwhile.
    bool wait(std::chrono::milliseconds pause, Patience patience);
    [[nodiscard]] bool endsPatience(Patience patience) const;
    Result<std::vector<std::string>> artifactNames(const std::string &path);
    Result<ArtifactInfo> fetchArtifact(const std::string &path, const std::string &name,
                                       const fs::path &target,
                                       const std::function<bool(const std::string &path)> &wanted);
    Status callWithBody(const std::string &path, const std::string &body);

    [[nodiscard]] bool isEmpty() const { return m_records.empty() && m_dirty.empty(); }

    Spool &m_spool;
    StopSignal &m_stop;
    std::string m_base;
    std::unique_ptr<HttpClient> m_delivery; ///< whoever sends
    std::unique_ptr<HttpClient> m_calls;    ///< job's thread
    Status m_health;

    std::mutex m_mutex; ///< guards the rest
    std::condition_variable m_wake;
    std::condition_variable m_drained;
    /// Updates by record, in the order in which the records came; several of one record are one.
    std::vector<schema::protocol::RecordUpdate> m_records;
    std::optional<schema::protocol::RecordUpdate> m_last; ///< what record() took last
    std::map<std::string, Log> m_logs;
    std::set<std::string> m_dirty;
    std::string m_filledBy; ///< the log that had more than the last delivery could hold
    bool m_printed = false, m_news = false; ///< log bytes, records since the last flush()
    bool m_urgent = false;                  ///< something is to be sent without a pause
    bool m_sending = false, m_finishing = false, m_lost = false, m_quit = false;
    std::thread m_thread; ///< begins when something is to be sent in the background
};

} // namespace worker
