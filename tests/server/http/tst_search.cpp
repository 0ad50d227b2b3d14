// Search in the logs of many runs, over HTTP: every match once, wherever it lies and however small
// the pages; nothing of a run that was deleted; and texts that mean something elsewhere.
#include "server/http/url.h"
#include "server/logs/chunk.h"
#include "tests/server/support/live_server.h"
#include "tests/server/support/world.h"

#include <QTest>

#include <set>
#include <tuple>

using schema::TaskResult;
using server::http::percentEncode;
using namespace tests;

namespace {

/// Run, log, line.
using Place = std::tuple<std::int64_t, std::int64_t, std::uint64_t>;

/// A log of several chunks in which the word lies across each border of a chunk.
std::string acrossBorders(const std::string &word, int borders, std::set<std::uint64_t> &lines)
{
    std::string out;
    std::uint64_t line = 0;
    for (int i = 1; i <= borders; ++i) {
        const std::size_t middle = static_cast<std::size_t>(i) * server::logs::kChunkBytes;
        const std::size_t begin = middle - word.size() / 2;
        while (out.size() + 200 < begin) {
            out += "plain hay of no interest\n";
            ++line;
        }
        out += std::string(begin - out.size(), '.') + word + "\n";
        lines.insert(line++);
    }
    return out + "the end";
}

} // namespace

class TestSearch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void findsEveryMatchOnce_data();
    void findsEveryMatchOnce();
    void takesTextsLiterally_data();
    void takesTextsLiterally();
    void refuses_data();
    void refuses();
    void forgetsADeletedRun();

private:
    std::vector<Place> all(const std::string &text, int top, int &pages);

    std::unique_ptr<LeftWorld> m_world;
    std::unique_ptr<LiveServer> m_server;
    std::vector<std::int64_t> m_runs;
    std::set<std::uint64_t> m_lines;
};

void TestSearch::initTestCase()
{
    m_world = std::make_unique<LeftWorld>([this](World &world) {
        const auto worker = world.addWorker("w1");
        world.connect(worker);
        const std::string large = acrossBorders("Needle", 3, m_lines);
        const std::string small = "100% of [a-z]* '\"\\ \xc3\xbc\nno NEEDLE here\nx\tneedle\n";
        for (const std::string &log : {small, large, small}) {
            m_runs.push_back(world.queue(plan({stage("Build", {job("A")})})));
            const auto job = world.accept(worker);
            schema::protocol::RecordUpdate step;
            step.id = "33333333-3333-3333-3333-00000000000" + std::to_string(m_runs.size());
            step.parentId = job.recordId;
            step.type = schema::RecordType::Task;
            step.name = "script";
            step.sequence = 1;
            step.state = schema::RecordState::InProgress;
            QVERIFY(world.jobs->mergeRecords(job.jobId, job.jobToken, {step}));
            constexpr std::size_t kPiece = 50'001;
            for (std::size_t at = 0; at < log.size(); at += kPiece)
                QVERIFY(
                    world.jobs->appendLog(job.jobId, job.jobToken, step.id, at,
                                          {log.data() + at, std::min(kPiece, log.size() - at)}));
            world.complete(worker, job, TaskResult::Succeeded);
        }
    });
    QCOMPARE(m_lines.size(), 3U);
    m_server = std::make_unique<LiveServer>(m_world->data());
    QVERIFY2(m_server->running(), m_server->failure().c_str());
}

/// Every match, page after page.
std::vector<Place> TestSearch::all(const std::string &text, int top, int &pages)
{
    std::vector<Place> out;
    std::string token;
    pages = 0;
    do {
        const auto answer =
            m_server->call("GET", "/space-game/_apis/slipway/logs?search=" + percentEncode(text) +
                                      "&top=" + std::to_string(top) +
                                      (token.empty() ? "" : "&continuationToken=" + token));
        if (answer.status != 200)
            qFatal("%s", answer.body.c_str());
        const auto json = answer.json();
        for (const auto &match : json.at("value"))
            out.emplace_back(match.at("runId").get<std::int64_t>(),
                             match.at("logId").get<std::int64_t>(),
                             match.at("line").get<std::uint64_t>());
        token = json.value("continuationToken", "");
        ++pages;
    } while (!token.empty() && pages < 100);
    return out;
}

void TestSearch::findsEveryMatchOnce_data()
{
    QTest::addColumn<int>("top");
    for (const int top : {1, 2, 3, 4, 7, 100})
        QTest::addRow("pages of %d", top) << top;
}

void TestSearch::findsEveryMatchOnce()
{
    QFETCH(int, top);
    int pages = 0;
    const auto found = all("nEEdle", top, pages);
    QVERIFY(pages >= static_cast<int>(found.size()) / top);
    // Newest runs first, lines in their order; the large one between the small ones.
    std::vector<std::pair<std::int64_t, std::uint64_t>> places;
    for (const auto &[run, log, line] : found)
        places.emplace_back(run, line);
    std::vector<std::pair<std::int64_t, std::uint64_t>> expected{{m_runs[2], 1}, {m_runs[2], 2}};
    for (const auto line : m_lines)
        expected.emplace_back(m_runs[1], line);
    expected.emplace_back(m_runs[0], 1);
    expected.emplace_back(m_runs[0], 2);
    QVERIFY(places == expected);
}

void TestSearch::takesTextsLiterally_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("matches");
    const auto row = [](const char *name, const QByteArray &text, int matches) {
        QTest::newRow(name) << text << matches;
    };
    row("percent", "100%", 2);
    row("a pattern for LIKE", "%need%", 0);
    row("a regular expression that matches", "[a-z]*", 2);
    row("a regular expression that does not", "n.*dle", 0);
    row("one that would never end", "(a+)+$", 0);
    row("quotes and SQL", "'; DROP TABLE log_chunk;--", 0);
    row("quotes that are there", "'\"\\", 2);
    row("letters beyond ASCII", "\xc3\xbc", 2);
    row("no UTF-8", "\xff\xfe", 0);
    row("a tab", "x\tneedle", 2);
    row("a line feed", "here\nx", 0);
    row("long", QByteArray(8'000, 'n'), 0);
    row("the last line without end", "the end", 1);
}

void TestSearch::takesTextsLiterally()
{
    QFETCH(QByteArray, text);
    QFETCH(int, matches);
    int pages = 0;
    QCOMPARE(static_cast<int>(all(text.toStdString(), 100, pages).size()), matches);
}

void TestSearch::refuses_data()
{
    QTest::addColumn<QByteArray>("query");
    QTest::newRow("nothing to search for") << QByteArray("search=");
    QTest::newRow("no text at all") << QByteArray("top=1");
    QTest::newRow("NUL") << QByteArray("search=a%00b");
    QTest::newRow("too many") << QByteArray("search=a&top=1001");
    for (const char *token : {"x", "1", "1.", "1.2", "1.2.", "1.2.x", "-1.0.0", "1.-2.0", "1.2.-3",
                              "1.2.3.4", "9223372036854775807.0.0", "99999999999999999999.0.0"})
        QTest::addRow("token %s", token) << QByteArray("search=a&continuationToken=") + token;
}

void TestSearch::refuses()
{
    QFETCH(QByteArray, query);
    const auto answer =
        m_server->call("GET", "/space-game/_apis/slipway/logs?" + query.toStdString());
    QVERIFY2(answer.status == 400, answer.body.c_str());
    QVERIFY(!answer.json().at("message").get<std::string>().empty());
}

/// Last: it takes a run away, also from under a search that was going on in it.
void TestSearch::forgetsADeletedRun()
{
    const std::string path = "/space-game/_apis/slipway/logs?search=needle&top=3";
    const auto first = m_server->call("GET", path).json();
    const auto token = first.at("continuationToken").get<std::string>();
    QVERIFY(token.starts_with(std::to_string(m_runs[1]) + "."));
    const auto removed =
        m_server->call("DELETE", "/space-game/_apis/build/builds/" + std::to_string(m_runs[1]));
    QVERIFY2(removed.status == 204, removed.body.c_str());
    const auto rest = m_server->call("GET", path + "&continuationToken=" + token).json();
    QCOMPARE(rest.at("count").get<int>(), 2);
    for (const auto &match : rest.at("value"))
        QCOMPARE(match.at("runId").get<std::int64_t>(), m_runs[0]);
    int pages = 0;
    for (const auto &[run, log, line] : all("needle", 100, pages))
        QVERIFY(run != m_runs[1]);
}

QTEST_GUILESS_MAIN(TestSearch)
#include "tst_search.moc"
