// Damage in the middle of a database: found, told, and nothing is written any more.
#include "server/store/database.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

using namespace server::store;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

constexpr Migration kTables[] = {{1, "0001_create",
                                  "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
                                  "CREATE TABLE other(id INTEGER PRIMARY KEY);"}};
constexpr int kFew = 2'000;   // 1 MiB: looked through by open()
constexpr int kMany = 12'000; // 6 MiB: by check()
constexpr int kPage = 4096;

std::string messageOf(const Status &status)
{
    return status ? "" : status.error().message;
}

Status writeOne(Database &database)
{
    return database.write([](Connection &c) -> Status {
        c.run("INSERT INTO other DEFAULT VALUES");
        return {};
    });
}

Result<std::int64_t> number(Database &database, const char *sql)
{
    return database.read([&](Connection &c) -> Result<std::int64_t> {
        Statement statement = c.prepare(sql);
        statement.step();
        return statement.get<std::int64_t>(0);
    });
}

} // namespace

class TestDamage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsNoneWhereNoneIs();
    void isFoundAtTheStart_data();
    void isFoundAtTheStart();
    void isFoundBesideTheRequests();
    void isNotedWhenAStatementMeetsIt();
    void stopsLooking();

private:
    QTemporaryDir m_dir;

    std::filesystem::path file()
    {
        return std::filesystem::path(m_dir.path().toStdString()) /
               (std::string(QTest::currentTestFunction()) + "-" +
                (QTest::currentDataTag() ? QTest::currentDataTag() : ""));
    }

    /// A database of that many rows of half a KiB, closed; a page in its middle is overwritten.
    std::filesystem::path damaged(int rows, const QByteArray &with)
    {
        const auto path = file();
        {
            auto database = Database::open(path, kTables).value();
            const Status written = database->write([&](Connection &c) -> Status {
                for (int i = 0; i < rows; ++i)
                    c.run("INSERT INTO item(name) VALUES(?1)", std::string(500, 'x'));
                return {};
            });
            if (!written)
                return {};
        }
        std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
        const auto pages = static_cast<std::streamoff>(std::filesystem::file_size(path) / kPage);
        bytes.seekp(pages / 2 * kPage);
        const QByteArray page = with.repeated(kPage / std::max<qsizetype>(with.size(), 1));
        bytes.write(page.data(), page.size());
        return path;
    }
};

void TestDamage::findsNoneWhereNoneIs()
{
    auto database = Database::open(damaged(kMany, {}), kTables);
    QVERIFY2(database, database ? "" : database.error().message.c_str());
    const Status checked = (*database)->check({});
    QVERIFY2(checked, messageOf(checked).c_str());
    QVERIFY(!(*database)->damage());
    QVERIFY(writeOne(**database));
}

void TestDamage::isFoundAtTheStart_data()
{
    QTest::addColumn<QByteArray>("with");
    QTest::newRow("ones") << QByteArray(kPage, '\xff');
    QTest::newRow("zeros") << QByteArray(kPage, '\0');
    QTest::newRow("text") << QByteArray("a page of another file, perhaps.");
}

void TestDamage::isFoundAtTheStart()
{
    QFETCH(const QByteArray, with);
    const auto database = Database::open(damaged(kFew, with), kTables);
    QVERIFY(!database);
    const std::string &message = database.error().message;
    QVERIFY2(message.find("table item") != std::string::npos, message.c_str());
    QVERIFY2(message.find("slipway restore BACKUP") != std::string::npos, message.c_str());
    QVERIFY2(message.find('\n') == std::string::npos, message.c_str()); // it goes into a log
}

void TestDamage::isFoundBesideTheRequests()
{
    auto opened = Database::open(damaged(kMany, QByteArray(kPage, '\xff')), kTables);
    QVERIFY2(opened, opened ? "" : opened.error().message.c_str());
    Database &database = **opened;
    QVERIFY(writeOne(database));
    const Status checked = database.check({});
    QVERIFY(!checked);
    QVERIFY2(messageOf(checked).find("table item") != std::string::npos,
             messageOf(checked).c_str());
    QVERIFY2(messageOf(checked).find("slipway restore BACKUP") != std::string::npos,
             messageOf(checked).c_str());
    const Status refused = writeOne(database);
    QVERIFY(!refused);
    QCOMPARE(int(refused.error().code), int(ErrorCode::Unavailable));
    QVERIFY2(messageOf(refused).starts_with("nothing is written any more"),
             messageOf(refused).c_str());
    // What is whole can still be read.
    QCOMPARE(number(database, "SELECT count(*) FROM other").value(), 1);
}

void TestDamage::isNotedWhenAStatementMeetsIt()
{
    auto database = Database::open(damaged(kMany, QByteArray(kPage, '\xff')), kTables).value();
    const auto sum = number(*database, "SELECT sum(length(name)) FROM item");
    QVERIFY(!sum);
    QVERIFY(database->damage());
    QVERIFY(!writeOne(*database));
}

void TestDamage::stopsLooking()
{
    auto database = Database::open(damaged(kMany, QByteArray(kPage, '\xff')), kTables).value();
    std::stop_source stop;
    stop.request_stop();
    const Status checked = database->check(stop.get_token());
    QVERIFY(!checked);
    QCOMPARE(int(checked.error().code), int(ErrorCode::Canceled));
    QVERIFY(!database->damage());
    QVERIFY(writeOne(*database));
}

QTEST_GUILESS_MAIN(TestDamage)
#include "tst_damage.moc"
