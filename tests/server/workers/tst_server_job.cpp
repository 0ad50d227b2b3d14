// Jobs of `pool: server`: what a step does next, as a table, and whole jobs through the scheduler
// with a restart in between.
#include "schema/base/guid.h"
#include "server/workers/server_job.h"
#include "server/workers/server_worker.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace server::workers;
using namespace std::chrono_literals;
using schema::TaskResult;

namespace {

const schema::TimePoint kStart = schema::fromEpochMillis(1'000'000'000'000);

schema::Step step(const char *name, const char *version, schema::TextMap inputs)
{
    schema::Step out;
    out.id = schema::randomGuid();
    out.task = name;
    out.taskVersion = version;
    out.inputs = std::move(inputs);
    return out;
}

ServerJob job(std::vector<schema::Step> steps)
{
    ServerJob out;
    out.message.jobId = "11111111-1111-1111-1111-111111111111";
    out.message.recordId = "22222222-2222-2222-2222-222222222222";
    out.message.steps = std::move(steps);
    out.message.timeoutMinutes = 24 * 60; // not what limits a step here
    schema::protocol::ServiceConnection connection;
    connection.id = connection.name = "Api";
    connection.type = "generic";
    connection.url = "http://host/base";
    connection.parameters = {{"username", "u"}, {"password", "p"}};
    out.message.connections = {connection};
    out.message.variables = {{"tag", "v1", false, false}, {"key", "hush-hush", true, false}};
    return out;
}

std::string text(const ServerStep &out)
{
    std::string all;
    for (const auto &[index, line] : out.lines)
        all += line + "\n";
    return all;
}

} // namespace

class TestServerJob : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void delays()
    {
        auto one = job({step("Delay", "1", {{"delayForMinutes", "5"}}), step("Delay", "1", {})});
        auto out = advance(one, Tick{}, kStart);
        QVERIFY(!out.completion);
        QVERIFY(*one.due == kStart + 5min);
        QVERIFY(!advance(one, Tick{}, kStart + 4min).completion);
        // Written down and read again, as by another process.
        auto again = serverJobFromText(toText(one));
        QVERIFY2(again, again ? "" : again.error().message.c_str());
        out = advance(*again, Tick{}, kStart + 5min);
        QVERIFY(out.completion && out.completion->result == TaskResult::Succeeded);
    }

    void validations_data()
    {
        QTest::addColumn<QByteArray>("what");
        QTest::addColumn<QByteArray>("onTimeout");
        QTest::addColumn<int>("result");
        const auto row = [](const char *what, const char *onTimeout, TaskResult result) {
            QTest::addRow("%s, %s", what, onTimeout)
                << QByteArray(what) << QByteArray(onTimeout) << static_cast<int>(result);
        };
        row("approve", "reject", TaskResult::Succeeded);
        row("reject", "resume", TaskResult::Failed);
        row("timeout", "reject", TaskResult::Failed);
        row("timeout", "resume", TaskResult::Succeeded);
        row("cancel", "resume", TaskResult::Canceled);
    }

    void validations()
    {
        QFETCH(QByteArray, what);
        QFETCH(QByteArray, onTimeout);
        QFETCH(int, result);
        auto ask = step("ManualValidation", "0",
                        {{"notifyUsers", "a@b"},
                         {"onTimeout", onTimeout.toStdString()},
                         {"instructions", "check $(tag)"}});
        ask.timeoutMinutes = 60;
        auto one = job({ask});
        const auto asked = advance(one, Tick{}, kStart);
        QVERIFY(text(asked).find("check v1") != std::string::npos);
        const auto waiting = validationOf(one);
        QVERIFY(waiting && *waiting->expiresAt == kStart + 60min);
        QVERIFY(advance(one, Answered{"other", true, "x", ""}, kStart).refused.has_value());
        ServerStep out;
        if (what == "timeout")
            out = advance(one, Tick{}, kStart + 60min);
        else if (what == "cancel")
            out = advance(one, CancelWanted{"no"}, kStart);
        else
            out = advance(one, Answered{waiting->recordId, what == "approve", "Ann", "ok"}, kStart);
        QVERIFY(out.completion.has_value());
        QCOMPARE(static_cast<int>(out.completion->result), result);
        QVERIFY(
            advance(one, Answered{waiting->recordId, true, "x", ""}, kStart).refused.has_value());
    }

    void calls_data()
    {
        QTest::addColumn<QByteArray>("criteria");
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("result");
        const auto row = [](const char *name, const char *criteria, int status, const char *body,
                            TaskResult result) {
            QTest::newRow(name) << QByteArray(criteria) << status << QByteArray(body)
                                << static_cast<int>(result);
        };
        row("answered", "", 200, "hi", TaskResult::Succeeded);
        row("refused", "", 500, "no", TaskResult::Failed);
        row("no answer", "", 0, "refused", TaskResult::Failed);
        row("criteria met", "eq(root['status'], 'ok')", 200, R"({"status": "ok"})",
            TaskResult::Succeeded);
        row("criteria not met", "eq(root['status'], 'ok')", 200, R"({"status": "bad"})",
            TaskResult::Failed);
        row("numbers and lists", "and(gt(root.list[1].n, 3), eq(root.on, true))", 200,
            R"({"list": [1, {"n": 3.5}], "on": true})", TaskResult::Succeeded);
        row("no JSON", "eq(root['a'], 1)", 200, "<html>", TaskResult::Failed);
        row("no expression", "eq(", 200, "{}", TaskResult::Failed);
    }

    void calls()
    {
        QFETCH(QByteArray, criteria);
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        QFETCH(int, result);
        auto one = job({step("InvokeRESTAPI", "1",
                             {{"connectionType", "connectedServiceName"},
                              {"serviceConnection", "Api"},
                              {"method", "PUT"},
                              {"headers", "{\"X-Tag\": \"$(tag)\"}"},
                              {"body", "$(key)"},
                              {"urlSuffix", "/x"},
                              {"successCriteria", criteria.toStdString()}})});
        auto out = advance(one, Tick{}, kStart);
        QVERIFY(out.call.has_value());
        QCOMPARE(out.call->url, std::string("http://host/base/x"));
        QCOMPARE(out.call->body, std::string("hush-hush"));
        QCOMPARE(out.call->headers.at(0).second, std::string("v1"));
        out = advance(one, CallEnded{{status, body.toStdString()}}, kStart);
        QVERIFY(out.completion.has_value());
        QCOMPARE(static_cast<int>(out.completion->result), result);
    }

    void restartDuringACall()
    {
        for (const char *method : {"GET", "POST"}) {
            auto one = job(
                {step("InvokeRESTAPI", "1", {{"serviceConnection", "Api"}, {"method", method}})});
            QVERIFY(advance(one, Tick{}, kStart).call.has_value());
            auto again = *serverJobFromText(toText(one));
            const auto out = advance(again, Tick{}, kStart);
            QCOMPARE(out.call.has_value(), method == std::string("GET"));
            QCOMPARE(out.completion.has_value(), method == std::string("POST"));
        }
    }

    void refusals()
    {
        auto one = job({step("CmdLine", "2", {{"script", "x"}}),
                        step("InvokeRESTAPI", "1", {{"serviceConnection", "None"}}),
                        step("Delay", "1", {{"delayForMinutes", "soon"}})});
        one.message.steps[1].condition = one.message.steps[2].condition = "always()";
        const auto out = advance(one, Tick{}, kStart);
        QVERIFY(out.completion && out.completion->result == TaskResult::Failed);
        for (const char *part :
             {"does not run on the server", "no service connection 'None'", "must be 0 to 86400"})
            QVERIFY2(text(out).find(part) != std::string::npos, text(out).c_str());
    }

    void wholeJobOverARestart()
    {
        tests::World world;
        const auto clock = [] { return schema::wallClockNow(); };
        const auto begin = [&] {
            return std::move(*ServerWorker::create(*world.database, *world.scheduler, world.secrets,
                                                   *world.jobs, clock));
        };
        auto worker = begin();
        world.scheduler->configurationChanged();
        QVERIFY(worker->start());
        auto plan = tests::plan({tests::stage("Go", {tests::job("A")})});
        auto &yaml = plan.stages[0].jobs[0];
        yaml.pool.server = true;
        yaml.steps = {step("ManualValidation", "0", {{"notifyUsers", "x"}})};
        const auto run = world.queue(plan);
        world.settle();
        const auto id = world.detail(run).jobs.front().workerId.value_or(0);
        forward(world, *worker, id);
        QTRY_COMPARE(worker->pending().size(), std::size_t(1));
        QCOMPARE(worker->pending()[0].runId, run);
        worker.reset();
        world.restart();
        worker = begin();
        QVERIFY(worker->start());
        QTRY_COMPARE(worker->pending().size(), std::size_t(1));
        QVERIFY(!worker->answer("unknown", true, "Ann", ""));
        QVERIFY(worker->answer(worker->pending()[0].validation.recordId, true, "Ann", "fine"));
        QTRY_VERIFY(world.detail(run).run.status == schema::RunStatus::Completed);
        QVERIFY(world.detail(run).run.result == schema::RunResult::Succeeded);
    }

private:
    /// World's workers are lists of frames: the offer goes on to where a real channel brings it.
    static void forward(tests::World &world, ServerWorker &worker, std::int64_t id)
    {
        const auto offer = world.channel.take<schema::protocol::JobOffer>(id);
        QVERIFY(offer.has_value());
        worker.channel(world.channel).send(id, *offer);
    }
};

QTEST_GUILESS_MAIN(TestServerJob)
#include "tst_server_job.moc"
