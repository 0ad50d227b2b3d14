// Logs: idempotent appends, line ranges, restarts, seals.
#include "server/logs/log_store.h"

#include <QTemporaryDir>
#include <QTest>

#include <random>
#include <thread>

using namespace server::logs;

class TestLogStore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void appends_data();
    void appends();
    void findsLinesEverywhere();
    void indexesAgainAfterARestart();
    void takesRepeatsFromManyThreads();
    void sealsForGood();
    void removesARun();
    void keepsManyLogsWithFewFiles();
};

namespace {

std::span<const char> bytes(const std::string &text)
{
    return {text.data(), text.size()};
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
    auto store = LogStore::open(dir.path().toStdString()).value();
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
    auto store = LogStore::open(dir.path().toStdString()).value();
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
        auto store = LogStore::open(dir.path().toStdString()).value();
        QVERIFY(store->append({1, 1}, 0, bytes(all)));
    }
    auto store = LogStore::open(dir.path().toStdString()).value();
    QVERIFY(store->append({1, 1}, all.size(), bytes("last\n"))); // before anybody read
    QCOMPARE(store->lines({1, 1}, 2999, 5)->lines, (std::vector<std::string>{"2999", "last"}));
}

void TestLogStore::takesRepeatsFromManyThreads()
{
    QTemporaryDir dir;
    auto store = LogStore::open(dir.path().toStdString()).value();
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

void TestLogStore::sealsForGood()
{
    QTemporaryDir dir;
    {
        auto store = LogStore::open(dir.path().toStdString()).value();
        QVERIFY(store->append({1, 1}, 0, bytes("all\n")));
        QVERIFY(store->seal({1, 1}));
        QVERIFY(store->seal({1, 1}));
        QVERIFY(store->seal({1, 9})); // a log without a byte
        QVERIFY(store->length({1, 9})->sealed);
    }
    auto store = LogStore::open(dir.path().toStdString()).value();
    QVERIFY(store->length({1, 1})->sealed);
    QVERIFY(store->append({1, 1}, 0, bytes("all\n"))); // a repeat is still harmless
    QVERIFY(!store->append({1, 1}, 4, bytes("more\n")));
    QCOMPARE(store->read({1, 1}, 0, 100).value(), std::string("all\n"));
}

void TestLogStore::removesARun()
{
    QTemporaryDir dir;
    auto store = LogStore::open(dir.path().toStdString()).value();
    QVERIFY(store->append({1, 1}, 0, bytes("one\n")));
    QVERIFY(store->append({2, 1}, 0, bytes("two\n")));
    QVERIFY(store->removeRun(1));
    QCOMPARE(store->length({1, 1})->bytes, 0U);
    QCOMPARE(store->length({2, 1})->bytes, 4U);
}

void TestLogStore::keepsManyLogsWithFewFiles()
{
    QTemporaryDir dir;
    auto store = LogStore::open(dir.path().toStdString()).value();
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
