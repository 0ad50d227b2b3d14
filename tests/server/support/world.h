#pragma once
/// A small server world on a temporary data directory: real database, scheduler, logs, events; a
/// clock that tests move; workers that are lists of received frames.

#include "schema/model/plan.h"
#include "server/artifacts/artifact_store.h"
#include "server/checks/approval_service.h"
#include "server/environments/environment_service.h"
#include "server/events/event_hub.h"
#include "server/logs/log_store.h"
#include "server/scheduler/run_service.h"
#include "server/scheduler/scheduler.h"
#include "server/workers/worker_service.h"

#include <QTemporaryDir>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tests {

/// Groups and connections from maps; sealing is a reversible scramble, so that a test can see that
/// nothing stands in clear where it must not.
class FakeSecrets : public server::scheduler::SecretSource
{
public:
    std::map<std::string, std::vector<schema::protocol::JobVariable>> groups;
    std::map<std::string, schema::protocol::ServiceConnection> connections;

    schema::Result<std::vector<schema::protocol::JobVariable>>
    variableGroup(const std::string &projectId, const std::string &name) override;
    schema::Result<schema::protocol::ServiceConnection>
    serviceConnection(const std::string &projectId, const std::string &nameOrId) override;
    schema::Result<std::vector<std::string>> connectionNames(const std::string &projectId) override;
    server::store::Blob seal(std::span<const std::uint8_t> plain) override;
    schema::Result<server::store::Blob> open(std::span<const std::uint8_t> sealed) override;
};

/// Frames sent to workers, for tests to wait on.
class FakeChannel : public server::scheduler::WorkerChannel
{
public:
    bool send(std::int64_t workerId, const schema::protocol::ServerFrame &frame) override;

    /// Waits up to 10 s for a frame of type T to the worker and takes it out.
    template <typename T> std::optional<T> take(std::int64_t workerId)
    {
        std::unique_lock lock(m_mutex);
        std::optional<T> found;
        m_changed.wait_for(lock, std::chrono::seconds(10), [&] {
            auto &frames = m_frames[workerId];
            for (auto at = frames.begin(); at != frames.end(); ++at) {
                if (std::holds_alternative<T>(*at)) {
                    found = std::get<T>(std::move(*at));
                    frames.erase(at);
                    return true;
                }
            }
            return false;
        });
        return found;
    }

    template <typename T> bool has(std::int64_t workerId)
    {
        const std::scoped_lock lock(m_mutex);
        for (const auto &frame : m_frames[workerId]) {
            if (std::holds_alternative<T>(frame))
                return true;
        }
        return false;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::map<std::int64_t, std::vector<schema::protocol::ServerFrame>> m_frames;
};

/// Git without git: commits are a list, oldest first.
class FakeCommits : public server::environments::CommitSource
{
public:
    std::vector<std::string> history;

    schema::Result<std::vector<server::environments::Commit>>
    between(const std::string &repositoryId, const std::string &from, const std::string &to,
            int limit) override;
    schema::Result<bool> isAncestor(const std::string &repositoryId, const std::string &ancestor,
                                    const std::string &commit) override;
};

class World
{
public:
    World();
    ~World();

    /// Ends the process's memory and starts over from the disk, as a restart does.
    void restart();
    /// Time passes.
    void moveClock(std::chrono::milliseconds by);
    /// Somebody sets the wall clock; no time passes.
    void setClock(std::chrono::milliseconds by);

    std::int64_t addWorker(const std::string &name, int slots = 1);
    /// Connects a worker and says hello.
    void connect(std::int64_t workerId, int slots = 1, std::vector<std::string> running = {},
                 std::vector<schema::protocol::Capability> capabilities = {});
    std::string addIdentity(const std::string &name);
    /// A run of `plan`, asked for by `by` (empty: by nobody).
    std::int64_t queue(schema::RunPlan plan, const std::string &by = {},
                       const std::string &branch = "refs/heads/main");
    /// Takes the next offer of the worker, accepts it, and completes it.
    schema::protocol::JobMessage run(std::int64_t workerId,
                                     schema::TaskResult result = schema::TaskResult::Succeeded);
    schema::protocol::JobMessage accept(std::int64_t workerId);
    void complete(std::int64_t workerId, const schema::protocol::JobMessage &job,
                  schema::TaskResult result,
                  std::vector<schema::protocol::OutputVariable> outputs = {});
    server::scheduler::RunDetail detail(std::int64_t runId);
    /// Empties the scheduler's queue: returns when everything sent before has been carried out.
    void settle();

    QTemporaryDir dir;
    FakeSecrets secrets;
    FakeChannel channel;
    FakeCommits commits;
    std::unique_ptr<server::store::Database> database;
    std::unique_ptr<server::logs::LogStore> logs;
    std::unique_ptr<server::events::EventHub> events;
    std::unique_ptr<server::artifacts::ArtifactStore> artifacts;
    std::unique_ptr<server::scheduler::Scheduler> scheduler;
    std::unique_ptr<server::scheduler::RunService> runs;
    std::unique_ptr<server::checks::ApprovalService> approvals;
    std::unique_ptr<server::environments::EnvironmentService> environments;
    std::unique_ptr<server::workers::PoolService> pools;
    std::unique_ptr<server::workers::JobService> jobs;
    std::string projectId = "11111111-1111-1111-1111-111111111111";
    std::string repositoryId = "22222222-2222-2222-2222-222222222222";
    std::int64_t pipelineId = 0;
    std::int64_t poolId = 0;

private:
    void start();
    void stop();
    std::atomic<std::int64_t> m_clock = 1'800'000'000'000;
    std::atomic<std::int64_t> m_skew = 0;
};

/// A data folder that a world filled and left, for a whole server to be started on; removed with
/// this.
class LeftWorld
{
public:
    explicit LeftWorld(const std::function<void(World &)> &fill);
    ~LeftWorld();
    LeftWorld(const LeftWorld &) = delete;
    LeftWorld &operator=(const LeftWorld &) = delete;

    [[nodiscard]] const std::string &data() const { return m_data; }

private:
    std::string m_data;
};

/// Plans for tests: stages in a chain unless dependsOn is given.
schema::Stage stage(const std::string &name, std::vector<schema::Job> jobs,
                    std::vector<std::string> dependsOn = {});
schema::Job job(const std::string &name);
schema::Job deployment(const std::string &name, const std::string &environment,
                       const std::string &resource = {});
schema::RunPlan plan(std::vector<schema::Stage> stages);

/// The newest attempt of a stage; ends the test when there is none.
server::store::StageRow stageOf(const server::scheduler::RunDetail &detail,
                                const std::string &name);

} // namespace tests
