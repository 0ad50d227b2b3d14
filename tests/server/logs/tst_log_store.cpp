// Logs: idempotent appends, chunks, line ranges, moments, searches, restarts, ends.
#include "server/logs/log_store.h"
#include "server/store/timeline_store.h"
#include "tests/server/support/world.h"

#include <QTemporaryDir>
#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>

using namespace server::logs;
using namespace server::store;

class TestLogStore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void appends_data();
    void appends();
    void findsLinesEverywhere();
    void indexesAgainAfterARestart();
    void takesRepeatsFromManyThreads();
    void takesNothingAfterTheEnd();
    void packsWhatAJobLeaves();
    void packsSmallPieces();
    void putsBigPiecesIntoTheFile();
    void searches_data();
    void searches();
    void findsAMoment();
    void removesARun();
    void keepsManyLogsWithFewFiles();
};

namespace {

std::span<const char> bytes(const std::string &text)
{
    return {text.data(), text.size()};
}

/// A store on a folder, as after a start of the server.
struct Opened
{
    explicit Opened(const QTemporaryDir &dir)
        : database(Database::open(dir.path().toStdString() + "/slipway.db").value())
        , store(LogStore::open(*database, dir.path().toStdString() + "/logs").value())
    {}

    LogStore *operator->() const { return store.get(); }

    std::vector<LogChunkRow> chunks(LogKey key) const
    {
        return database
            ->read([&](Connection &c) -> schema::Result<std::vector<LogChunkRow>> {
                std::vector<LogChunkRow> all;
                LogChunkStore rows(c);
                for (auto row = rows.find(key.runId, key.logId, 0); row;
                     row = rows.find(key.runId, key.logId, row->endByte()))
                    all.push_back(*row);
                return all;
            })
            .value();
    }

    std::unique_ptr<Database> database;
    std::unique_ptr<LogStore> store;
};

std::string numbered(int count, const std::string &filler = {})
{
    std::string all;
    for (int i = 0; i < count; ++i)
        all += std::to_string(i) + filler + "\n";
    return all;
}

/// Lines with time stamps a millisecond apart.
std::string stamped(int count)
{
    std::string all;
    for (int i = 0; i < count; ++i)
        all += fmt::format("2026-01-15T10:20:30.{:03}0000Z line {}\n", i, i);
    return all;
}

schema::TimePoint at(const char *text)
{
    return schema::parseIso8601(text).value();
}

} // namespace

void TestLogStore::appends_data()
{
    QTest::addColumn<quint64>("offset");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("after");
    QTest::addColumn<bool>("taken");
    // The log holds "hello\n" before each row.
    QTest::addRow("in order") << 6ULL << "world\n" << "hello\nworld\n" << true;
    QTest::addRow("repeat") << 0ULL << "hello\n" << "hello\n" << true;
    QTest::addRow("overlap") << 3ULL << "lo\nworld\n" << "hello\nworld\n" << true;
    QTest::addRow("inside") << 1ULL << "ell" << "hello\n" << true;
    QTest::addRow("gap") << 7ULL << "world\n" << "hello\n" << false;
    QTest::addRow("nothing") << 6ULL << "" << "hello\n" << true;
}

void TestLogStore::appends()
{
    QFETCH(quint64, offset);
    QFETCH(QString, text);
    QFETCH(QString, after);
    QFETCH(bool, taken);
    QTemporaryDir dir;
    const Opened store(dir);
    const LogKey key{7, 1};
    QVERIFY(store->append(key, 0, bytes("hello\n")));
    const auto length = store->append(key, offset, bytes(text.toStdString()));
    QCOMPARE(bool(length), taken);
    if (taken)
        QCOMPARE(*length, static_cast<std::uint64_t>(after.size()));
    QCOMPARE(store->read(key, 0, 1000).value(), after.toStdString());
}

void TestLogStore::findsLinesEverywhere()
{
    QTemporaryDir dir;
    const Opened store(dir);
    const LogKey key{1, 1};
    std::mt19937 random(7);
    std::string all;
    std::vector<std::string> expected;
    for (int i = 0; i < 5000; ++i) {
        expected.push_back("line " + std::to_string(i) + std::string(random() % 200, '.'));
        all += expected.back() + (i % 3 == 0 ? "\r\n" : "\n");
    }
    expected.emplace_back("no end yet");
    all += expected.back();
    for (std::size_t at = 0; at < all.size();) { // pieces that end anywhere
        const std::size_t size = std::min<std::size_t>(1 + random() % 5000, all.size() - at);
        QVERIFY(store->append(key, at, {all.data() + at, size}));
        at += size;
    }
    QCOMPARE(store->length(key)->lines, expected.size());
    for (const std::uint64_t from :
         {0ULL, 1ULL, 511ULL, 512ULL, 513ULL, 1023ULL, 4998ULL, 5000ULL, 5001ULL, 9999ULL}) {
        const auto lines = store->lines(key, from, 3).value();
        QCOMPARE(lines.total, expected.size());
        const std::size_t count =
            from >= expected.size() ? 0 : std::min<std::size_t>(3, expected.size() - from);
        QCOMPARE(lines.lines.size(), count);
        for (std::size_t i = 0; i < count; ++i)
            QCOMPARE(lines.lines[i], expected[from + i]);
    }
    QVERIFY(store->lines({1, 2}, 0, 10)->lines.empty());
}

void TestLogStore::indexesAgainAfterARestart()
{
    QTemporaryDir dir;
    std::string all;
    for (int i = 0; i < 3000; ++i)
        all += std::to_string(i) + "\n";
    {
        const Opened store(dir);
        QVERIFY(store->append({1, 1}, 0, bytes(all)));
    }
    const Opened store(dir);
    QVERIFY(store->append({1, 1}, all.size(), bytes("last\n"))); // before anybody read
    QCOMPARE(store->lines({1, 1}, 2999, 5)->lines, (std::vector<std::string>{"2999", "last"}));
}

void TestLogStore::takesRepeatsFromManyThreads()
{
    QTemporaryDir dir;
    const Opened store(dir);
    std::string all;
    for (int i = 0; i < 20000; ++i)
        all += std::to_string(i) + "\n";
    {
        std::vector<std::jthread> threads;
        for (unsigned seed = 0; seed < 4; ++seed) {
            threads.emplace_back([&, seed] {
                std::mt19937 random(seed);
                for (std::uint64_t at = 0; at < all.size();) {
                    const std::size_t size =
                        std::min<std::size_t>(1 + random() % 3000, all.size() - at);
                    const auto length = store->append({3, 1}, at, {all.data() + at, size});
                    if (!length)
                        return;
                    at = *length;
                }
            });
        }
    }
    QCOMPARE(store->read({3, 1}, 0, all.size() * 2).value(), all);
    QCOMPARE(store->length({3, 1})->lines, 20000U);
}

void TestLogStore::takesNothingAfterTheEnd()
{
    tests::World world;
    const auto run = world.queue(tests::plan({tests::stage("S", {tests::job("J")})}));
    const JobRow job = world.detail(run).jobs.front();
    QVERIFY(world.database->write([&](Connection &c) -> schema::Status {
        TimelineStore timeline(c);
        const auto log = timeline.createLog(run, job.recordId, 1, job.id, schema::wallClockNow(),
                                            timeline.nextChange(run));
        return log.logId == 1 ? schema::Status() : schema::Error{};
    }));
    QVERIFY(world.logs->append({run, 1}, 0, bytes("all\n")));
    QVERIFY(!world.logs->length({run, 1})->sealed);
    QVERIFY(world.database->write([&](Connection &c) -> schema::Status {
        TimelineStore(c).sealLogs(job.id);
        return {};
    }));
    world.restart();
    QVERIFY(world.logs->length({run, 1})->sealed);
    QVERIFY(world.logs->append({run, 1}, 0, bytes("all\n"))); // a repeat is still harmless
    QVERIFY(!world.logs->append({run, 1}, 4, bytes("more\n")));
    QCOMPARE(world.logs->read({run, 1}, 0, 100).value(), std::string("all\n"));
}

void TestLogStore::packsWhatAJobLeaves()
{
    tests::World world;
    const auto worker = world.addWorker("w");
    world.connect(worker);
    const auto run = world.queue(tests::plan({tests::stage("S", {tests::job("J")})}));
    const auto message = world.accept(worker);
    const std::string first = stamped(300);
    const std::string second = stamped(5) + "2026-01-15T10:20:31.9000000Z an open Line";
    const std::string big = numbered(30'000, " with some more text behind it, so that it is big");
    const std::string step = "cccccccc-0000-0000-0000-00000000000";
    schema::protocol::Delivery delivery;
    int number = 0;
    for (const std::string *text : {&first, &second, &big}) {
        schema::protocol::RecordUpdate record;
        record.id = step + std::to_string(++number);
        record.parentId = message.recordId;
        record.sequence = 1;
        record.name = "Step " + std::to_string(number);
        record.startTime = schema::wallClockNow();
        delivery.records.push_back(record);
        delivery.logs.push_back({record.id, 0, *text});
    }
    delivery.logs.push_back({message.recordId, 0, first + second});
    QVERIFY(world.jobs->deliver(message.jobId, message.jobToken, delivery));
    const auto openRecords = world.runs->timeline(run, 0).value().records;
    world.complete(worker, message, schema::TaskResult::Succeeded);
    world.restart();

    // The rows are gone; what they said is still there, number by number.
    const auto counted = [&](const char *sql) {
        return world.database
            ->read([&](Connection &c) -> schema::Result<std::int64_t> {
                Statement s = c.prepare(sql);
                s.step();
                return s.get<std::int64_t>(0);
            })
            .value();
    };
    QCOMPARE(counted("SELECT count(*) FROM timeline_record WHERE type = 'Task'"), 0);
    QCOMPARE(counted("SELECT count(DISTINCT log_id) FROM log_chunk"), 1); // the big one's
    QCOMPARE(counted("SELECT count(*) FROM job_pack"), 1);
    QVERIFY(counted("SELECT length(tasks) + length(logs) FROM job_pack") < 3000);
    const auto records = world.runs->timeline(run, 0).value().records;
    QCOMPARE(records.size(), openRecords.size());
    for (const auto &row : records) {
        if (row.type != schema::RecordType::Task)
            continue;
        QCOMPARE(row.jobId.value_or(""), message.jobId);
        QCOMPARE(row.parentId.value_or(""), message.recordId);
        QVERIFY(row.state == schema::RecordState::Completed);
        QCOMPARE(row.name, "Step " + row.id.substr(row.id.size() - 1));
        const auto text = world.logs->read({run, row.logId.value_or(0)}, 0, 10U << 20U).value();
        QVERIFY(text == (row.name == "Step 1" ? first : row.name == "Step 2" ? second : big));
        QCOMPARE(world.runs->attempts(run, row.id)->front().name, row.name);
    }
    QCOMPARE(world.logs->length({run, 4})->bytes, first.size() + second.size());
    QVERIFY(world.logs->read({run, 4}, 0, 1U << 20U).value() == first + second);
    QCOMPARE(world.logs->read({run, 1}, 27, 9).value(), first.substr(27, 9));
    QCOMPARE(world.logs->read({run, 1}, first.size(), 9).value(), std::string());

    const LogLines lines = world.logs->lines({run, 1}, 298, 10).value();
    QCOMPARE(lines.total, 300U);
    QVERIFY(lines.sealed);
    QCOMPARE(lines.lines.size(), 2U);
    QVERIFY(lines.lines.front().ends_with("line 298"));
    QVERIFY(world.logs->lines({run, 1}, 300, 10)->lines.empty());
    QCOMPARE(world.logs->length({run, 2})->lines, 6U);
    QCOMPARE(world.logs->lines({run, 2}, 5, 1)->lines.front().substr(29),
             std::string("an open Line"));
    QCOMPARE(world.logs->lineAt({run, 2}, at("2026-01-15T10:20:31.500Z")).value(), 5U);
    QCOMPARE(world.logs->search({run, 2}, "OPEN line", 0, {})->matches.front().line, 5U);
    // Across the run: steps only, in the order of their logs.
    const RunMatches found = world.logs->searchRun(run, "line 298", {}, {}).value();
    QCOMPARE(found.matches.size(), 1U);
    QCOMPARE(found.matches.front().recordId, step + "1");
    QVERIFY(world.logs->append({run, 1}, 0, bytes(first))); // a repeat is still harmless
    QVERIFY(!world.logs->append({run, 1}, first.size(), bytes("more\n")));
}

void TestLogStore::packsSmallPieces()
{
    QTemporaryDir dir;
    const Opened store(dir);
    const std::string all = numbered(40'000, " of many");
    for (std::size_t at = 0; at < all.size(); at += 600)
        QVERIFY(store->append({1, 1}, at,
                              {all.data() + at, std::min<std::size_t>(600, all.size() - at)}));
    const auto chunks = store.chunks({1, 1});
    QVERIFY2(chunks.size() < 40, std::to_string(chunks.size()).c_str());
    QVERIFY(chunks.front().codec == ChunkCodec::Zstd);
    std::uint64_t stored = 0;
    for (const LogChunkRow &chunk : chunks)
        stored += chunk.stored;
    QVERIFY2(stored < all.size() / 2, std::to_string(stored).c_str());
    QCOMPARE(store->read({1, 1}, 0, all.size()).value(), all);
    QCOMPARE(store->lines({1, 1}, 39'999, 2)->lines, (std::vector<std::string>{"39999 of many"}));
}

void TestLogStore::putsBigPiecesIntoTheFile()
{
    QTemporaryDir dir;
    const std::string all = numbered(200'000, " of many");
    const std::size_t half = all.size() / 2; // in the middle of a line
    {
        const Opened store(dir);
        QVERIFY(store->append({1, 1}, 0, bytes("begin\n")));
        QVERIFY(store->append({1, 1}, 6, {all.data(), half}));
        // A piece that was sent again with more behind it, because its answer got lost.
        QVERIFY(store->append({1, 1}, 6, {all.data(), half + 1'000}));
        QVERIFY(store->append({1, 1}, 6 + half, {all.data() + half, all.size() - half}));
    }
    const Opened store(dir);
    const auto chunks = store.chunks({1, 1});
    QVERIFY(std::any_of(chunks.begin(), chunks.end(),
                        [](const auto &c) { return c.codec == ChunkCodec::ZstdFile; }));
    QCOMPARE(store->length({1, 1})->bytes, all.size() + 6);
    QCOMPARE(store->length({1, 1})->lines, 200'001U);
    QVERIFY(store->read({1, 1}, 6, all.size()).value() == all);
    for (const std::uint64_t line : {0ULL, 1ULL, 77'777ULL, 100'000ULL, 200'000ULL})
        QCOMPARE(store->lines({1, 1}, line, 1)->lines.front(),
                 line == 0 ? std::string("begin") : std::to_string(line - 1) + " of many");
}

void TestLogStore::searches_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<quint64>("from");
    QTest::addColumn<quint64>("most");
    QTest::addColumn<QList<quint64>>("found");
    QTest::addColumn<qint64>("next"); ///< -1: none
    using Lines = QList<quint64>;
    QTest::newRow("one") << "needle 5" << 0ULL << 10ULL << Lines{5000} << qint64(-1);
    QTest::newRow("any case") << "NEEDLE 5" << 0ULL << 10ULL << Lines{5000} << qint64(-1);
    QTest::newRow("bounded") << "needle" << 0ULL << 2ULL << Lines{0, 1000} << qint64(1001);
    QTest::newRow("goes on") << "needle" << 1001ULL << 2ULL << Lines{2000, 3000} << qint64(3001);
    QTest::newRow("last line without end") << "over" << 0ULL << 2ULL << Lines{20'000} << qint64(-1);
    QTest::newRow("nowhere") << "nothing like it" << 0ULL << 2ULL << Lines{} << qint64(-1);
}

void TestLogStore::searches()
{
    QFETCH(QString, text);
    QFETCH(quint64, from);
    QFETCH(quint64, most);
    QFETCH(QList<quint64>, found);
    QFETCH(qint64, next);
    QTemporaryDir dir;
    const Opened store(dir);
    std::string all;
    for (int i = 0; i < 20'000; ++i)
        all += i % 1000 == 0 ? "a Needle " + std::to_string(i / 1000) + "\n" : "plain hay\n";
    all += "over";
    for (std::size_t at = 0; at < all.size(); at += 50'001)
        QVERIFY(store->append({1, 1}, at,
                              {all.data() + at, std::min<std::size_t>(50'001, all.size() - at)}));
    SearchBounds bounds;
    bounds.matches = most;
    const auto answer = store->search({1, 1}, text.toStdString(), from, bounds).value();
    QList<quint64> lines;
    for (const LogMatch &match : answer.matches)
        lines.push_back(match.line);
    QCOMPARE(lines, found);
    QCOMPARE(answer.next ? qint64(*answer.next) : qint64(-1), next);
    QCOMPARE(answer.total, 20'001U);
}

void TestLogStore::findsAMoment()
{
    QTemporaryDir dir;
    const Opened store(dir);
    std::string all;
    for (int i = 0; i < 3'600; ++i)
        all += fmt::format("2026-11-21T10:{:02}:{:02}.5000000Z second {}\n", i / 60, i % 60, i);
    for (std::size_t at = 0; at < all.size(); at += 7'001)
        QVERIFY(store->append({1, 1}, at,
                              {all.data() + at, std::min<std::size_t>(7'001, all.size() - at)}));
    const auto at = [](const char *time) { return schema::parseIso8601(time).value(); };
    QCOMPARE(store->lineAt({1, 1}, at("2026-11-21T09:00:00Z")).value(), 0U);
    QCOMPARE(store->lineAt({1, 1}, at("2026-11-21T10:30:00Z")).value(), 1'800U);
    QCOMPARE(store->lineAt({1, 1}, at("2026-11-21T10:30:00.600Z")).value(), 1'801U);
    QCOMPARE(store->lineAt({1, 1}, at("2026-11-21T12:00:00Z")).value(), 3'600U);
}

void TestLogStore::removesARun()
{
    QTemporaryDir dir;
    const Opened store(dir);
    QVERIFY(store->append({1, 1}, 0, bytes("one\n")));
    QVERIFY(store->append({2, 1}, 0, bytes("two\n")));
    QVERIFY(store->removeRun(1));
    QCOMPARE(store->length({1, 1})->bytes, 0U);
    QCOMPARE(store->length({2, 1})->bytes, 4U);
}

void TestLogStore::keepsManyLogsWithFewFiles()
{
    QTemporaryDir dir;
    const Opened store(dir);
    for (int i = 1; i <= 600; ++i)
        QVERIFY(store->append({i, 1}, 0, bytes(std::to_string(i))));
    const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                    std::filesystem::directory_iterator());
    QVERIFY2(open < 400, std::to_string(open).c_str());
    for (int i = 1; i <= 600; ++i)
        QCOMPARE(store->read({i, 1}, 0, 10).value(), std::to_string(i));
}

QTEST_GUILESS_MAIN(TestLogStore)
#include "tst_log_store.moc"
