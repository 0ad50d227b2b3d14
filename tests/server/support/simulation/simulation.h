#pragma once
/// A world around the real decisions, scheduler batches and SQL: a simulated clock, network,
/// workers and people, with seeded faults. Connections break with everything in flight, calls get
/// lost or repeated, the server dies between decision and commit or between commit and telling
/// anybody, wall clocks are set, workers restart and lie. After every commit the invariants of
/// check() must hold, and when the faults end every run must end.

#include "server/scheduler/batch.h"
#include "tests/server/support/world.h"

#include <queue>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace tests {

constexpr const char *kProject = "11111111-1111-1111-1111-111111111111";
constexpr const char *kApprover = "99999999-9999-9999-9999-999999999999";

/// An invariant does not hold; the text says which.
struct Violation : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// Damage done on purpose, to see that the invariants notice it.
enum class Sabotage {
    None,
    ForgetLockHolders, ///< the scheduler takes held locks for free
    GiveOutTwice,      ///< a running job goes back to the queue
    IgnoreLimits,      ///< limits of pools and pipelines are forgotten
    FavourOne,         ///< one pipeline always goes first
    IgnoreClockJumps,  ///< deadlines stay where they were when the wall clock is set
};

class Simulation
{
public:
    /// Equal seeds make equal worlds.
    explicit Simulation(std::uint64_t seed, Sabotage sabotage = Sabotage::None);

    /// Simulates a world with so many runs. Throws Violation.
    void run(int runs);

    /// What happened, in short: equal for worlds in which the same happened.
    [[nodiscard]] std::string course();

private:
    using Clock = std::chrono::milliseconds; ///< since the beginning of the world
    using Answer = std::shared_ptr<std::future<schema::Result<bool>>>;

    struct SimulatedJob
    {
        std::string token;
        bool finished = false;
        schema::TaskResult result = schema::TaskResult::Succeeded;
    };

    struct SimulatedWorker
    {
        int slots = 1;
        bool connected = false;
        std::uint64_t connection = 0; ///< grows with each one: frames of an earlier one are gone
        std::map<std::string, SimulatedJob> jobs;
    };

    struct Event
    {
        Clock at;
        std::uint64_t sequence;
        std::function<void()> what;

        bool operator<(const Event &other) const
        {
            return std::tie(at, sequence) > std::tie(other.at, other.sequence);
        }
    };

    // ---- randomness and time: simulation.cpp ----
    std::uint64_t pick(std::uint64_t below) { return m_random() % below; }

    bool chance(int percent) { return pick(100) < static_cast<std::uint64_t>(percent); }

    bool fault(int perMille);
    std::chrono::milliseconds millis(std::int64_t from, std::int64_t to);
    void after(std::chrono::milliseconds delay, std::function<void()> what);
    /// The server's wall clock, which people set.
    [[nodiscard]] schema::TimePoint now() const;

    [[nodiscard]] server::scheduler::ClockReading clocks() const { return {now(), m_clock}; }

    /// Lets events happen until `done`; a Violation when that takes longer than `limit`.
    void advanceUntil(const std::function<bool()> &done, Clock limit);

    // ---- the server: simulated_server.cpp ----
    void populate();
    void send(server::scheduler::Command command);
    /// Wakes the server when the real one would wake by itself, or starts it after a crash.
    void arm();
    void process();
    /// As Scheduler::start() does it.
    void start(server::store::Connection &c, std::vector<server::scheduler::Command> &commands);
    void die();

    // ---- the network and the workers: simulated_workers.cpp ----
    void disconnect(std::int64_t id, bool serverNotices);
    void connect(std::int64_t id);
    /// Control frames are in order and arrive, or the connection is broken.
    void toServer(std::int64_t id, schema::protocol::WorkerFrame frame);
    void deliver(std::int64_t id, const schema::protocol::ServerFrame &frame);
    void receive(std::int64_t id, SimulatedWorker &worker, const schema::protocol::JobOffer &offer);
    void receive(std::int64_t id, SimulatedWorker &worker,
                 const schema::protocol::CancelJob &cancel);
    void receive(std::int64_t id, SimulatedWorker &worker, const schema::protocol::LeaseLost &lost);

    template <typename Frame> void receive(std::int64_t, SimulatedWorker &, const Frame &) {}

    void renew(std::int64_t id);
    void finish(std::int64_t id, const std::string &jobId);
    /// What a job process says: its first words, or the end of the job.
    Answer say(const std::string &jobId, const SimulatedJob &job, bool complete);
    void answered(std::int64_t id, const std::string &jobId, const Answer &answer);

    // ---- people, and mischief: simulated_people.cpp ----
    void createRun();
    void approve();
    void meddle();
    void lie(std::int64_t worker);
    void sabotage();

    // ---- what must always hold: invariants.cpp ----
    void check(server::store::Connection &c);
    void checkJob(const server::scheduler::RunSnapshot &snapshot, const server::store::JobRow &job,
                  int &deploying);
    /// No more jobs are held than the limits allow, and nobody is passed over for long.
    void checkShares();
    void checkLease(const server::store::JobRow &job);
    /// The worker spoke of its jobs: their leases begin anew.
    void heard(const server::scheduler::Command &command);
    /// What is committed may be relied upon from now on.
    void remember();
    void compareWithDisk(server::store::Connection &c);
    void finalCheck(int runs);
    void checkEnded(server::store::Connection &c, std::int64_t runId);
    [[nodiscard]] std::string describeOpen() const;

    std::uint64_t m_seed;
    std::mt19937_64 m_random;
    Sabotage m_sabotage;
    std::priority_queue<Event> m_events;
    std::uint64_t m_sequence = 0;
    std::uint64_t m_plans = 0; ///< runs that people asked for
    Clock m_clock{0};
    Clock m_skew{0};
    bool m_faults = false;
    std::unique_ptr<server::store::Database> m_database;
    FakeSecrets m_secrets;
    server::scheduler::SchedulerOptions m_options;
    server::scheduler::LoopState m_memory;
    server::scheduler::ClockReading m_lastReading;
    bool m_memoryFresh = false;
    bool m_scheduled = false;
    std::uint64_t m_alarm = 0; ///< the alarm that counts; earlier ones are ignored
    int m_idleWakes = 0;       ///< in a row, in which nothing changed
    std::vector<server::scheduler::Command> m_inbox;
    std::vector<std::int64_t> m_pipelines;
    std::map<std::int64_t, int> m_pipelineLimits;
    int m_poolLimit = 0; ///< 0: none
    /// Jobs that workers held after the last batch, each with what its offer is known by.
    std::map<std::string, server::store::Blob> m_heldBefore;
    std::map<std::int64_t, int> m_passed; ///< turns that a pipeline was passed over
    std::int64_t m_production = 0;
    std::vector<std::int64_t> m_workerIds;
    std::map<std::int64_t, SimulatedWorker> m_workers;
    std::set<std::int64_t> m_created;
    std::map<std::string, std::int64_t> m_running, m_acknowledged;
    std::map<std::string, Clock> m_lastHeard;        ///< by job
    std::map<std::int64_t, std::string> m_rootValue; ///< of committed runs: what counter() gave
};

} // namespace tests
