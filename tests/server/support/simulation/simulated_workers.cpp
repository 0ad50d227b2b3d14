// Workers, and the network between them and the server.
#include "server/store/token.h"
#include "tests/server/support/simulation/simulation.h"

#include <fmt/format.h>

namespace tests {

using namespace std::chrono_literals;
using namespace server;
using namespace server::scheduler;
using schema::Status;
using schema::TaskResult;
using store::JobState;
using store::StagePhase;

void Simulation::disconnect(std::int64_t id, bool serverNotices)
{
    SimulatedWorker &worker = m_workers[id];
    if (!worker.connected)
        return;
    worker.connected = false;
    ++worker.connection;
    if (serverNotices)
        send(WorkerDownCommand{id});
    after(millis(100, 30'000), [this, id] { connect(id); });
}

void Simulation::connect(std::int64_t id)
{
    SimulatedWorker &worker = m_workers[id];
    if (worker.connected)
        return;
    worker.connected = true;
    ++worker.connection;
    if (fault(100)) // the worker's machine was restarted: its processes are gone
        worker.jobs.clear();
    send(WorkerUpCommand{id, "http://s"});
    schema::protocol::Hello hello;
    hello.slots = worker.slots;
    for (const auto &[jobId, job] : worker.jobs)
        hello.running.push_back(jobId);
    toServer(id, hello);
}

void Simulation::toServer(std::int64_t id, schema::protocol::WorkerFrame frame)
{
    SimulatedWorker &worker = m_workers[id];
    if (!worker.connected)
        return;
    if (fault(10)) {
        disconnect(id, true);
        return;
    }
    // Equal delays keep the order of one connection.
    after(2ms, [this, id, connection = worker.connection, frame = std::move(frame)] {
        const SimulatedWorker &same = m_workers[id];
        if (!same.connected || same.connection != connection)
            return;
        send(WorkerFrameCommand{id, frame});
        if (fault(20)) // a retransmission bug or an old proxy: the frame comes twice
            send(WorkerFrameCommand{id, frame});
    });
}

void Simulation::deliver(std::int64_t id, const schema::protocol::ServerFrame &frame)
{
    SimulatedWorker &worker = m_workers[id];
    if (!worker.connected)
        return;
    if (fault(10)) {
        disconnect(id, true);
        return;
    }
    after(2ms, [this, id, connection = worker.connection, frame] {
        SimulatedWorker &same = m_workers[id];
        if (same.connected && same.connection == connection)
            std::visit([&](const auto &f) { receive(id, same, f); }, frame);
    });
}

void Simulation::receive(std::int64_t id, SimulatedWorker &worker,
                         const schema::protocol::JobOffer &offer)
{
    const std::string &jobId = offer.job.jobId;
    if (!worker.jobs.contains(jobId)) {
        if (chance(3)) {
            toServer(id, schema::protocol::Refused{jobId, "busy"});
            return;
        }
        SimulatedJob job;
        job.token = offer.job.jobToken;
        job.result = chance(80)   ? TaskResult::Succeeded
                     : chance(70) ? TaskResult::Failed
                                  : TaskResult::SucceededWithIssues;
        worker.jobs[jobId] = job;
        if (fault(30))
            return; // its machine dies before it says anything; the process lives on nowhere
        after(millis(500, 90'000), [this, id, jobId] { finish(id, jobId); });
        if (chance(80)) // the others are known by their renewals only
            after(millis(1, 400), [this, id, jobId] {
                if (const auto known = m_workers[id].jobs.find(jobId);
                    known != m_workers[id].jobs.end() && !known->second.finished)
                    say(jobId, known->second, false);
            });
    }
    toServer(id, schema::protocol::Accepted{jobId});
}

void Simulation::receive(std::int64_t id, SimulatedWorker &worker,
                         const schema::protocol::CancelJob &cancel)
{
    const auto job = worker.jobs.find(cancel.jobId);
    if (job == worker.jobs.end() || chance(10)) // some do not obey
        return;
    job->second.result = TaskResult::Canceled;
    after(millis(10, 5'000), [this, id, jobId = cancel.jobId] { finish(id, jobId); });
}

void Simulation::receive(std::int64_t, SimulatedWorker &worker,
                         const schema::protocol::LeaseLost &lost)
{
    worker.jobs.erase(lost.jobId);
}

void Simulation::renew(std::int64_t id)
{
    after(20s, [this, id] { renew(id); });
    schema::protocol::Renew frame;
    for (const auto &[jobId, job] : m_workers[id].jobs)
        frame.jobIds.push_back(jobId);
    if (!frame.jobIds.empty())
        toServer(id, frame);
}

void Simulation::finish(std::int64_t id, const std::string &jobId)
{
    SimulatedWorker &worker = m_workers[id];
    const auto job = worker.jobs.find(jobId);
    if (job == worker.jobs.end())
        return;
    job->second.finished = true;
    if (fault(100)) { // request or answer is lost: the process tries again
        if (chance(50))
            say(jobId, job->second, true);
        after(millis(500, 20'000), [this, id, jobId] { finish(id, jobId); });
        return;
    }
    auto answer = say(jobId, job->second, true);
    after(millis(50, 500), [this, id, jobId, answer] { answered(id, jobId, answer); });
}

Simulation::Answer Simulation::say(const std::string &jobId, const SimulatedJob &job, bool complete)
{
    auto delivery = std::make_shared<JobDelivery>();
    delivery->jobId = jobId;
    delivery->tokenHash = store::tokenHash(job.token);
    delivery->write = [](store::Connection &, const store::JobRow &,
                         std::int64_t) -> schema::Result<bool> { return true; };
    if (complete) {
        delivery->completion.emplace();
        delivery->completion->result = job.result;
    }
    DeliverCommand command{std::move(delivery),
                           std::make_shared<std::promise<schema::Result<bool>>>()};
    auto answer = std::make_shared<std::future<schema::Result<bool>>>(command.reply->get_future());
    send(std::move(command));
    return answer;
}

void Simulation::answered(std::int64_t id, const std::string &jobId, const Answer &answer)
{
    SimulatedWorker &worker = m_workers[id];
    if (!worker.jobs.contains(jobId))
        return;
    if (answer->wait_for(0s) != std::future_status::ready) { // the server is slow or dead
        after(millis(500, 5'000), [this, id, jobId] { finish(id, jobId); });
        return;
    }
    try {
        if (const auto status = answer->get(); status) {
            if (const auto [at, fresh] = m_acknowledged.emplace(jobId, id);
                !fresh && at->second != id)
                throw Violation(fmt::format("two workers completed job {}", jobId));
        }
    } catch (const std::future_error &) { // the server died with the request
        after(millis(500, 5'000), [this, id, jobId] { finish(id, jobId); });
        return;
    }
    worker.jobs.erase(jobId);
    toServer(id, schema::protocol::Finished{jobId});
}

} // namespace tests
