// Request targets, queries and enumerations as clients send them (environments-and-portal D1).
#include "server/http/url.h"

#include <QTest>

using namespace server::http;

class TestUrl : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void splitsRawPath_data();
    void splitsRawPath();
    void refuses_data();
    void refuses();
    void readsQueries();
    void readsNumbers_data();
    void readsNumbers();
    void readsTimes_data();
    void readsTimes();
    void readsEnums_data();
    void readsEnums();
    void encodesEverySegment();
};

void TestUrl::splitsRawPath_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("segments"); ///< joined with '|'
    const auto row = [](const char *name, const char *target, const char *segments) {
        QTest::newRow(name) << QByteArray(target) << QByteArray(segments);
    };
    row("plain", "/a/b", "a|b");
    row("root", "/", "");
    row("double slash", "//a///b/", "a|b");
    row("encoded slash stays in its segment", "/tags/a%2Fb%20c", "tags|a/b c");
    row("plus is a plus in a path", "/a+b", "a+b");
    row("hash in a branch", "/x%23y", "x#y");
    row("fragment is no path", "/x#y", "x");
    row("utf-8", "/%C3%A4", "\xC3\xA4");
    row("absolute form", "http://host:1/a/b?c=d", "a|b");
    row("absolute form without path", "http://host", "");
    row("dots are no navigation", "/a/%2E%2E/b", "a|..|b");
}

void TestUrl::splitsRawPath()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, segments);
    const auto parsed = parseTarget(target.toStdString());
    QVERIFY(parsed.has_value());
    QByteArray got;
    for (const auto &segment : parsed->segments)
        got += (got.isEmpty() ? "" : "|") + QByteArray::fromStdString(segment);
    QCOMPARE(got, segments);
}

void TestUrl::refuses_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::newRow("lone percent") << QByteArray("/a%");
    QTest::newRow("short escape") << QByteArray("/a%4");
    QTest::newRow("no hex") << QByteArray("/a%zz");
    QTest::newRow("NUL") << QByteArray("/a%00b");
    QTest::newRow("NUL in query") << QByteArray("/a?b=%00");
    QTest::newRow("no slash") << QByteArray("a/b");
    QTest::newRow("too long") << QByteArray("/") + QByteArray(20000, 'a');
    QTest::newRow("too many segments") << QByteArray("/a").repeated(300);
    QTest::newRow("too many parameters") << QByteArray("/?") + QByteArray("a=1&").repeated(300);
}

void TestUrl::refuses()
{
    QFETCH(QByteArray, target);
    QVERIFY(!parseTarget(target.toStdString()));
}

void TestUrl::readsQueries()
{
    const auto parsed = parseTarget(
        "/x?%24top=5&Name=a+b%2Bc&flag=TRUE&list=1%2C2,%203,,&empty&searchCriteria.x=1");
    QVERIFY(parsed.has_value());
    const Query &query = parsed->query;
    QCOMPARE(query.text("top"), "5");
    QCOMPARE(query.text("name"), "a b+c");
    QVERIFY(query.flag("flag"));
    QVERIFY(!query.flag("absent"));
    QCOMPARE(query.list("list"), (std::vector<std::string>{"1", "2", "3"}));
    QVERIFY(query.find("empty") && query.find("empty")->empty());
    QCOMPARE(query.text("searchcriteria.x"), "1");
    QCOMPARE(query.text("absent", "fallback"), "fallback");
}

void TestUrl::readsNumbers_data()
{
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<bool>("accepted");
    const auto row = [](const char *name, const char *value, bool accepted) {
        QTest::newRow(name) << QByteArray(value) << accepted;
    };
    row("in range", "7", true);
    row("empty counts as absent", "", true);
    row("too small", "0", false);
    row("too large", "11", false);
    row("enormous", "99999999999999999999999", false);
    row("text", "seven", false);
    row("half", "7x", false);
    row("sql", "1;DROP TABLE run", false);
}

void TestUrl::readsNumbers()
{
    QFETCH(QByteArray, value);
    QFETCH(bool, accepted);
    Query query;
    query.add("$TOP", value.toStdString());
    const auto number = query.number("top", 1, 10);
    QCOMPARE(number.has_value(), accepted);
    if (!accepted)
        QVERIFY(number.error().message.find("'top'") != std::string::npos);
}

void TestUrl::readsTimes_data()
{
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<qint64>("millis");
    const auto row = [](const char *name, const char *value, qint64 millis) {
        QTest::newRow(name) << QByteArray(value) << millis;
    };
    row("iso", "2026-01-01T00:00:00Z", 1767225600000);
    row("seven digits", "2026-01-01T00:00:00.1234567Z", 1767225600123);
    row("offset", "2026-01-01T01:00:00+01:00", 1767225600000);
    row("http date", "Thu, 01 Jan 2026 00:00:00 GMT", 1767225600000);
    row("broken date", "Thu, 01 Foo 2026 00:00:00 GMT", -1);
    row("word", "yesterday", -1);
}

void TestUrl::readsTimes()
{
    QFETCH(QByteArray, value);
    QFETCH(qint64, millis);
    Query query;
    query.add("minTime", value.toStdString());
    const auto time = query.time("mintime");
    QCOMPARE(time.has_value(), millis >= 0);
    if (time)
        QCOMPARE(qint64(schema::toEpochMillis(**time)), millis);
}

void TestUrl::readsEnums_data()
{
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<int>("number");
    const auto row = [](const char *name, const char *value, int number) {
        QTest::newRow(name) << QByteArray(value) << number;
    };
    row("word", "inProgress", 1);
    row("any case", "INPROGRESS", 1);
    row("number", "47", 47);
    row("combined", "inProgress,notStarted", 33);
    row("mixed", "1, completed", 3);
    row("unknown", "sometimes", -1);
    row("empty", "", -1);
}

void TestUrl::readsEnums()
{
    QFETCH(QByteArray, value);
    QFETCH(int, number);
    const auto parsed =
        parseEnum(value.toStdString(), {{"inProgress", 1}, {"completed", 2}, {"notStarted", 32}});
    QCOMPARE(parsed ? int(*parsed) : -1, number);
}

void TestUrl::encodesEverySegment()
{
    std::string all;
    for (int c = 1; c < 256; ++c)
        all.push_back(char(c));
    const std::string encoded = percentEncode(all);
    QVERIFY(encoded.find('/') == std::string::npos);
    QCOMPARE(percentDecode(encoded).value(), all);
}

QTEST_GUILESS_MAIN(TestUrl)
#include "tst_url.moc"
