// What job processes call, by table: log appends, test runs, and the registration of workers.
#include "schema/base/guid.h"
#include "server/store/identity_store.h"
#include "server/store/repository_store.h"
#include "server/store/test_store.h"
#include "server/store/token.h"
#include "server/workers/repository_access.h"
#include "tests/server/support/world.h"

#include <QTest>

using namespace tests;
using schema::ErrorCode;
using schema::TaskResult;

class TestJobCalls : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void appendsLogs_data();
    void appendsLogs();
    void takesDeliveries_data();
    void takesDeliveries();
    void refusesStrangers_data();
    void refusesStrangers();
    void refusesRecordsOfAnotherJob();
    void fetchesWhatItUses_data();
    void fetchesWhatItUses();
    void keepsTestRuns_data();
    void keepsTestRuns();
    void registersWorkers_data();
    void registersWorkers();
};

namespace {

constexpr const char *kStep = "aaaaaaaa-0000-0000-0000-000000000001";

/// A world with one running job that has a step.
struct JobWorld : World
{
    JobWorld()
    {
        worker = addWorker("w1");
        World::connect(worker);
        run = queue(plan({stage("Build", {job("A")})}));
        message = accept(worker);
        schema::protocol::RecordUpdate step;
        step.id = kStep;
        step.parentId = detail(run).jobs.front().recordId;
        step.sequence = 1;
        step.name = "CmdLine";
        if (!jobs->mergeRecords(message.jobId, message.jobToken, {step}))
            qFatal("the step's record was refused");
    }

    std::int64_t worker = 0, run = 0;
    schema::protocol::JobMessage message;
};

std::span<const char> bytesOf(const QByteArray &bytes)
{
    return {bytes.constData(), std::size_t(bytes.size())};
}

} // namespace

/// Of two repositories of the project and one elsewhere that needs a connection.
void TestJobCalls::fetchesWhatItUses_data()
{
    QTest::addColumn<QByteArray>("checkout"); ///< alias of a checkout step; empty: none
    QTest::addColumn<QByteArray>("uses");
    QTest::addColumn<QByteArray>("given");   ///< aliases in the job message
    QTest::addColumn<QByteArray>("fetched"); ///< repositories of the server that may be fetched
    QTest::addColumn<int>("connections");
    QTest::newRow("nothing") << QByteArray() << QByteArray() << QByteArray("self")
                             << QByteArray("space-game") << 0;
    QTest::newRow("checkout") << QByteArray("TOOLS") << QByteArray() << QByteArray("self tools")
                              << QByteArray("space-game tools") << 0;
    QTest::newRow("uses") << QByteArray() << QByteArray("docs") << QByteArray("self docs")
                          << QByteArray("space-game docs") << 0;
    QTest::newRow("both") << QByteArray("tools") << QByteArray("docs")
                          << QByteArray("self tools docs") << QByteArray("space-game tools docs")
                          << 0;
    QTest::newRow("elsewhere") << QByteArray("hub") << QByteArray() << QByteArray("self hub")
                               << QByteArray("space-game") << 1;
    QTest::newRow("by a macro") << QByteArray("$(which)") << QByteArray() << QByteArray("self")
                                << QByteArray("space-game") << 0;
}

void TestJobCalls::fetchesWhatItUses()
{
    QFETCH(const QByteArray, checkout);
    QFETCH(const QByteArray, uses);
    QFETCH(const QByteArray, given);
    QFETCH(const QByteArray, fetched);
    QFETCH(const int, connections);
    World world;
    schema::protocol::ServiceConnection hub;
    hub.id = "33333333-3333-3333-3333-333333333333";
    hub.name = "hub";
    world.secrets.connections[hub.name] = hub;
    std::vector<server::store::Repository> known;
    for (const char *name : {"tools", "docs"}) {
        server::store::Repository repository;
        repository.id = schema::nameGuid("repository", name);
        repository.projectId = world.projectId;
        repository.name = name;
        repository.url = std::string(name) + ".git";
        repository.createdAt = schema::wallClockNow();
        QVERIFY(world.database->write([&](server::store::Connection &c) -> schema::Status {
            server::store::RepositoryStore(c).insert(repository);
            return {};
        }));
        known.push_back(repository);
    }
    server::store::Repository own;
    own.id = world.repositoryId;
    own.name = "space-game";
    known.insert(known.begin(), own);
    schema::Job job = tests::job("A");
    if (!checkout.isEmpty()) {
        job.steps.front().task = schema::kCheckoutTaskId;
        job.steps.front().inputs = {{"repository", checkout.toStdString()}};
    }
    if (!uses.isEmpty())
        job.usedRepositories = {uses.toStdString()};
    schema::RunPlan plan = tests::plan({stage("Build", {job})});
    plan.repositories = {{"tools", "git", "space-game/tools", "refs/heads/main", "", {}},
                         {"docs", "git", "docs", "refs/heads/main", "", {}},
                         {"hub", "github", "some/one", "refs/heads/main", "hub", {}}};
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    world.queue(plan);
    const auto message = world.accept(worker);
    QByteArray aliases;
    for (const auto &repository : message.repositories)
        aliases += (aliases.isEmpty() ? "" : " ") + QByteArray::fromStdString(repository.alias);
    QCOMPARE(aliases, given);
    QCOMPARE(int(message.connections.size()), connections);
    const auto access = world.jobs->authorize(message.jobToken);
    QVERIFY(access);
    QByteArray may;
    for (const auto &repository : known) {
        const auto allowed = world.database->read([&](server::store::Connection &connection) {
            return server::workers::mayFetch(connection, *access, repository);
        });
        QVERIFY2(allowed, allowed ? "" : allowed.error().message.c_str());
        if (*allowed)
            may += (may.isEmpty() ? "" : " ") + QByteArray::fromStdString(repository.name);
    }
    QCOMPARE(may, fetched);
}

void TestJobCalls::appendsLogs_data()
{
    QTest::addColumn<QList<std::pair<qint64, QByteArray>>>("calls"); ///< offset and bytes
    QTest::addColumn<QByteArray>("stored");
    QTest::addColumn<bool>("gap"); ///< of the last call
    using Calls = QList<std::pair<qint64, QByteArray>>;
    QTest::newRow("nothing") << Calls{{0, ""}} << QByteArray("") << false;
    QTest::newRow("one") << Calls{{0, "one\n"}} << QByteArray("one\n") << false;
    QTest::newRow("two") << Calls{{0, "one\n"}, {4, "two\n"}} << QByteArray("one\ntwo\n") << false;
    QTest::newRow("repeated") << Calls{{0, "one\n"}, {0, "one\n"}} << QByteArray("one\n") << false;
    QTest::newRow("repeated with more")
        << Calls{{0, "one\n"}, {0, "one\ntwo\n"}} << QByteArray("one\ntwo\n") << false;
    QTest::newRow("older piece again")
        << Calls{{0, "one\n"}, {4, "two\n"}, {0, "one\n"}} << QByteArray("one\ntwo\n") << false;
    QTest::newRow("gap") << Calls{{0, "one\n"}, {9, "two\n"}} << QByteArray("one\n") << true;
    QTest::newRow("gap at the start") << Calls{{1, "one\n"}} << QByteArray("") << true;
    QTest::newRow("binary") << Calls{{0, QByteArray("\0\xff\n", 3)}} << QByteArray("\0\xff\n", 3)
                            << false;
}

void TestJobCalls::appendsLogs()
{
    using Calls = QList<std::pair<qint64, QByteArray>>;
    QFETCH(const Calls, calls);
    QFETCH(const QByteArray, stored);
    QFETCH(const bool, gap);
    JobWorld world;
    std::optional<server::workers::JobService::Appended> last;
    for (const auto &[offset, bytes] : calls) {
        const auto appended = world.jobs->appendLog(world.message.jobId, world.message.jobToken,
                                                    kStep, std::uint64_t(offset), bytesOf(bytes));
        QVERIFY2(appended, appended ? "" : appended.error().message.c_str());
        last = *appended;
    }
    QCOMPARE(last->gap, gap);
    QCOMPARE(last->length, std::uint64_t(stored.size()));
    const auto logs = world.runs->logs(world.run);
    QVERIFY(logs && logs->size() == 1);
    const auto length = world.logs->length({world.run, logs->front().logId});
    QVERIFY(length);
    QCOMPARE(length->bytes, std::uint64_t(stored.size()));
}

void TestJobCalls::takesDeliveries_data()
{
    QTest::addColumn<qint64>("offset"); ///< of the log piece; the log holds "one\n"
    QTest::addColumn<QString>("record");
    QTest::addColumn<bool>("taken");
    QTest::addColumn<bool>("completed");
    QTest::addColumn<QByteArray>("stored");
    QTest::newRow("all of it") << qint64(4) << kStep << true << true << QByteArray("one\ntwo\n");
    QTest::newRow("gap") << qint64(9) << kStep << true << false << QByteArray("one\n");
    QTest::newRow("unknown record") << qint64(0) << "bbbbbbbb-0000-0000-0000-000000000001" << false
                                    << false << QByteArray("one\n");
}

void TestJobCalls::takesDeliveries()
{
    QFETCH(const qint64, offset);
    QFETCH(const QString, record);
    QFETCH(const bool, taken);
    QFETCH(const bool, completed);
    QFETCH(const QByteArray, stored);
    JobWorld world;
    QVERIFY(world.jobs->appendLog(world.message.jobId, world.message.jobToken, kStep, 0,
                                  bytesOf("one\n")));
    schema::protocol::Delivery delivery;
    schema::protocol::RecordUpdate step;
    step.id = kStep;
    step.parentId = world.message.recordId;
    step.sequence = 2;
    step.name = "renamed";
    delivery.records.push_back(step);
    delivery.logs.push_back({record.toStdString(), std::uint64_t(offset), "two\n"});
    delivery.completion.emplace();
    delivery.completion->result = TaskResult::Succeeded;
    const auto commits = world.database->commits();
    const auto answer = world.jobs->deliver(world.message.jobId, world.message.jobToken, delivery);
    QCOMPARE(bool(answer), taken);
    QCOMPARE(answer && answer->completed, completed);
    world.settle();
    // Records, log, the end of the job and of its run are one commit.
    if (taken)
        QCOMPARE(world.database->commits() - commits, 1U);
    QCOMPARE(world.logs->read({world.run, 1}, 0, 100).value(), stored.toStdString());
    QCOMPARE(world.detail(world.run).run.status == schema::RunStatus::Completed, completed);
    const auto records = world.detail(world.run).records;
    const auto renamed = std::any_of(records.begin(), records.end(),
                                     [](const auto &row) { return row.name == "renamed"; });
    QCOMPARE(renamed, taken);
    // Said again: harmless after the end, and the way to go on after a gap.
    if (taken) {
        delivery.logs.front().offset = 4;
        const auto again =
            world.jobs->deliver(world.message.jobId, world.message.jobToken, delivery);
        QVERIFY(again && again->completed);
    }
}

void TestJobCalls::refusesStrangers_data()
{
    QTest::addColumn<QString>("job");
    QTest::addColumn<QString>("token");
    QTest::addColumn<QString>("record");
    QTest::addColumn<int>("code");
    QTest::newRow("unknown job") << "nobody" << "" << kStep << int(ErrorCode::NotFound);
    QTest::newRow("wrong token") << "" << "guess" << kStep << int(ErrorCode::Conflict);
    QTest::newRow("unknown record")
        << "" << "" << "bbbbbbbb-0000-0000-0000-000000000001" << int(ErrorCode::InvalidArgument);
}

void TestJobCalls::refusesStrangers()
{
    QFETCH(const QString, job);
    QFETCH(const QString, token);
    QFETCH(const QString, record);
    QFETCH(const int, code);
    JobWorld world;
    const auto appended =
        world.jobs->appendLog(job.isEmpty() ? world.message.jobId : job.toStdString(),
                              token.isEmpty() ? world.message.jobToken : token.toStdString(),
                              record.toStdString(), 0, bytesOf("text"));
    QVERIFY(!appended);
    const ErrorCode got = appended.error().code;
    // A guessed token may be answered as one of nobody, or as one that the job no longer has.
    QVERIFY2(int(got) == code || (token == u"guess" && got == ErrorCode::Unauthenticated),
             appended.error().message.c_str());
    const auto logs = world.runs->logs(world.run);
    QVERIFY(logs && logs->empty());
}

/// A job process with a good token of its own, that speaks of another job of the same run.
void TestJobCalls::refusesRecordsOfAnotherJob()
{
    World world;
    std::vector<schema::protocol::JobMessage> jobs;
    std::vector<std::int64_t> workers;
    for (const char *name : {"w1", "w2"}) {
        workers.push_back(world.addWorker(name));
        world.connect(workers.back());
    }
    const auto run = world.queue(plan({stage("Build", {job("A"), job("B")})}));
    for (const auto worker : workers)
        jobs.push_back(world.accept(worker));
    const auto &honest = jobs[0];
    const auto &liar = jobs[1];
    schema::protocol::RecordUpdate step;
    step.id = kStep;
    step.parentId = honest.recordId;
    step.sequence = 1;
    step.name = "CmdLine";
    QVERIFY(world.jobs->mergeRecords(honest.jobId, honest.jobToken, {step}));
    QVERIFY(world.jobs->appendLog(honest.jobId, honest.jobToken, kStep, 0, bytesOf("mine\n")));

    schema::protocol::Delivery delivery;
    step.parentId = liar.recordId;
    step.sequence = 99;
    step.name = "taken over";
    step.state = schema::RecordState::Completed;
    delivery.records.push_back(step);
    delivery.completion.emplace();
    delivery.completion->result = TaskResult::Failed;
    const auto records = world.jobs->deliver(liar.jobId, liar.jobToken, delivery);
    QVERIFY(!records && records.error().code == ErrorCode::InvalidArgument);
    const auto foreign = world.jobs->deliver(honest.jobId, liar.jobToken, delivery);
    // As to a worker whose job was given to another: its lease does not hold.
    QVERIFY(!foreign && foreign.error().code == ErrorCode::Conflict);
    const auto log =
        world.jobs->appendLog(liar.jobId, liar.jobToken, kStep, 5, bytesOf("theirs\n"));
    QVERIFY(!log && log.error().code == ErrorCode::InvalidArgument);
    world.settle();

    // Nothing of it was taken, and both jobs go on to their ends.
    QCOMPARE(world.logs->read({run, 1}, 0, 100).value(), std::string("mine\n"));
    const auto rows = world.detail(run).records;
    QVERIFY(std::none_of(rows.begin(), rows.end(),
                         [](const auto &row) { return row.name == "taken over"; }));
    for (std::size_t i = 0; i < jobs.size(); ++i)
        world.complete(workers[i], jobs[i], TaskResult::Succeeded);
    QVERIFY(world.detail(run).run.status == schema::RunStatus::Completed);
}

void TestJobCalls::keepsTestRuns_data()
{
    QTest::addColumn<QByteArray>("outcomes"); ///< words
    QTest::addColumn<int>("passed");
    QTest::addColumn<int>("failed");
    QTest::addColumn<int>("skipped");
    QTest::newRow("none") << QByteArray() << 0 << 0 << 0;
    QTest::newRow("one passed") << QByteArray("Passed") << 1 << 0 << 0;
    QTest::newRow("of each") << QByteArray("Passed Failed NotExecuted Failed") << 1 << 2 << 1;
}

void TestJobCalls::keepsTestRuns()
{
    QFETCH(const QByteArray, outcomes);
    QFETCH(const int, passed);
    QFETCH(const int, failed);
    QFETCH(const int, skipped);
    JobWorld world;
    schema::protocol::TestRunUpload upload;
    upload.title = "Tests";
    upload.key = "results.xml";
    const auto words = outcomes.isEmpty() ? QList<QByteArray>() : outcomes.split(' ');
    for (const QByteArray &outcome : words) {
        schema::protocol::TestCaseResult result;
        result.name = "case " + std::to_string(upload.results.size());
        result.outcome = outcome.toStdString();
        result.durationMs = 5;
        upload.results.push_back(std::move(result));
    }
    for (int i = 0; i < 2; ++i) // the repeat changes nothing
        QVERIFY(world.jobs->addTestRun(world.message.jobId, world.message.jobToken, upload));
    upload.key = "other.xml";
    QVERIFY(world.jobs->addTestRun(world.message.jobId, world.message.jobToken, upload));
    QVERIFY(!world.jobs->addTestRun(world.message.jobId, "guess", upload));
    const auto stored = world.database->read([&](server::store::Connection &c) {
        return schema::Result(server::store::TestStore(c).list(world.run));
    });
    QVERIFY(stored && stored->size() == 2);
    for (const auto &row : *stored) {
        QCOMPARE(row.passed, passed);
        QCOMPARE(row.failed, failed);
        QCOMPARE(row.skipped, skipped);
        QCOMPARE(row.durationMs, 5 * words.size());
    }
}

void TestJobCalls::registersWorkers_data()
{
    QTest::addColumn<QString>("token"); ///< "good", "expired", or a guess
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("pool");
    QTest::addColumn<bool>("replace");
    QTest::addColumn<int>("code"); ///< -1: registered
    const auto row = [](const char *title, const char *token, const char *name, const char *pool,
                        bool replace, int code) {
        QTest::newRow(title) << QString::fromLatin1(token) << QString::fromLatin1(name)
                             << QString::fromLatin1(pool) << replace << code;
    };
    row("new", "good", "w2", "", false, -1);
    row("new, pool named", "good", "w2", "default", false, -1);
    row("name taken", "good", "w1", "", false, int(ErrorCode::AlreadyExists));
    row("name taken over", "good", "w1", "", true, -1);
    row("no name", "good", "", "", false, int(ErrorCode::InvalidArgument));
    row("unknown pool", "good", "w2", "Nowhere", false, int(ErrorCode::NotFound));
    row("guessed token", "guess", "w2", "", false, int(ErrorCode::Unauthenticated));
    row("expired token", "expired", "w2", "", false, int(ErrorCode::Unauthenticated));
}

void TestJobCalls::registersWorkers()
{
    QFETCH(const QString, token);
    QFETCH(const QString, name);
    QFETCH(const QString, pool);
    QFETCH(const bool, replace);
    QFETCH(const int, code);
    World world;
    world.addWorker("w1");
    const auto now = schema::wallClockNow();
    const auto insert = [&](const char *text, std::chrono::minutes life) {
        return world.database->write([&](server::store::Connection &c) -> schema::Status {
            server::store::AccessToken row;
            row.hash = server::store::tokenHash(text);
            row.kind = server::store::TokenKind::Registration;
            row.poolId = world.poolId;
            row.createdAt = now;
            row.expiresAt = now + life;
            server::store::IdentityStore(c).insertToken(row);
            return {};
        });
    };
    QVERIFY(insert("good", std::chrono::minutes(5)));
    QVERIFY(insert("expired", std::chrono::minutes(-5)));
    server::workers::Registration registration;
    registration.token = token.toStdString();
    registration.name = name.toStdString();
    registration.pool = pool.toStdString();
    registration.replace = replace;
    const auto registered = world.pools->registerWorker(registration);
    QCOMPARE(registered ? -1 : int(registered.error().code), code);
    if (!registered)
        return;
    QVERIFY(world.pools->authenticate(registered->id, registered->secret));
    QVERIFY(!world.pools->authenticate(registered->id, "guess"));
}

QTEST_GUILESS_MAIN(TestJobCalls)
#include "tst_job_calls.moc"
