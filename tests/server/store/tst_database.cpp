// The database wrapper: transactions, group commit, migrations, refusals, kill -9.
#include "server/store/database.h"

#include <QTemporaryDir>
#include <QTest>

#include <sqlite3.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/fsuid.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace server::store;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

constexpr Migration kFirst[] = {
    {1, "0001_create_item",
     "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
     "weight INTEGER, raw BLOB) STRICT;"}};
constexpr Migration kBoth[] = {
    kFirst[0],
    {2, "0002_add_colour", "ALTER TABLE item ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';"}};
constexpr Migration kBroken[] = {
    kFirst[0], {2, "0002_broken", "CREATE TABLE other(id INTEGER PRIMARY KEY); CREATE GARBAGE;"}};

std::int64_t count(Database &database)
{
    return database
        .read([](Connection &c) -> Result<std::int64_t> {
            Statement s = c.prepare("SELECT count(*) FROM item");
            s.step();
            return s.get<std::int64_t>(0);
        })
        .value();
}

} // namespace

class TestDatabase : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bindsAndReadsEveryType();
    void undoesAFailedBody();
    void sharesOneCommitAmongWriters();
    void readsASnapshot();
    void migratesOlderData();
    void keepsTheFileWhenAMigrationFails();
    void refuses_data();
    void refuses();
    void saysThatItMayNotWrite();
    void embedsTheProductsMigrations();
    void makesANewFileAsMigrationsWould();
    void keepsAcknowledgedWritesOverKill();

private:
    QTemporaryDir m_dir;

    std::filesystem::path file()
    {
        return std::filesystem::path(m_dir.path().toStdString()) / QTest::currentTestFunction();
    }
};

void TestDatabase::bindsAndReadsEveryType()
{
    auto database = Database::open(file(), kFirst);
    QVERIFY2(database, database ? "" : database.error().message.c_str());
    const Blob bytes{0, 1, 255};
    const Status written = (*database)->write([&](Connection &c) -> Status {
        c.run("INSERT INTO item(id, name, weight, raw) VALUES(?,?,?,?)", 1, std::string("a\0b", 3),
              std::optional<int>(7), bytes);
        c.run("INSERT INTO item(id, name, weight, raw) VALUES(?,?,?,?)", 2, "",
              std::optional<int>(), std::nullopt);
        return {};
    });
    QVERIFY(written);
    const Status seen = (*database)->read([&](Connection &c) -> Status {
        Statement s = c.prepare("SELECT name, weight, raw FROM item ORDER BY id");
        if (!s.step() || s.get<std::string>(0) != std::string("a\0b", 3) ||
            s.get<std::optional<int>>(1) != 7 || s.get<Blob>(2) != bytes)
            return {ErrorCode::Internal, "row 1"};
        if (!s.step() || !s.get<std::string>(0).empty() || s.get<std::optional<int>>(1) ||
            !s.isNull(2))
            return {ErrorCode::Internal, "row 2"};
        if (s.step())
            return {ErrorCode::Internal, "row 3"};
        return {};
    });
    QVERIFY2(seen, seen ? "" : seen.error().message.c_str());
}

void TestDatabase::undoesAFailedBody()
{
    auto database = Database::open(file(), kFirst).value();
    const Status own = database->write([](Connection &c) -> Status {
        c.run("INSERT INTO item(name) VALUES('x')");
        return {ErrorCode::Conflict, "changed my mind"};
    });
    QCOMPARE(int(own.error().code), int(ErrorCode::Conflict));
    const Status constraint = database->write([](Connection &c) -> Status {
        c.run("INSERT INTO item(name) VALUES('x')");
        c.run("INSERT INTO item(name) VALUES('x')");
        return {};
    });
    QCOMPARE(int(constraint.error().code), int(ErrorCode::AlreadyExists));
    QVERIFY(constraint.error().message.starts_with("it does not go with what is stored"));
    QCOMPARE(count(*database), 0);
    QVERIFY(database->write([](Connection &c) -> Status {
        c.run("INSERT INTO item(name) VALUES('x')");
        return {};
    }));
    QCOMPARE(count(*database), 1);
}

void TestDatabase::sharesOneCommitAmongWriters()
{
    auto database = Database::open(file(), kFirst).value();
    constexpr int kThreads = 8;
    constexpr int kEach = 100;
    std::atomic<int> refused = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i) {
                // Every tenth body fails and must not take its neighbours with it.
                const Status status = database->write([&](Connection &c) -> Status {
                    c.run("INSERT INTO item(name) VALUES(?)",
                          std::to_string(t) + ":" + std::to_string(i));
                    if (i % 10 == 0)
                        return {ErrorCode::Canceled, "no"};
                    return {};
                });
                if (!status)
                    ++refused;
            }
        });
    }
    threads.clear();
    QCOMPARE(refused.load(), kThreads * kEach / 10);
    QCOMPARE(count(*database), kThreads * kEach * 9 / 10);
    QVERIFY(database->commits() <= kThreads * kEach);
}

void TestDatabase::readsASnapshot()
{
    auto database = Database::open(file(), kFirst).value();
    const Status status = database->read([&](Connection &c) -> Status {
        const auto rows = [&] {
            Statement s = c.prepare("SELECT count(*) FROM item");
            s.step();
            return s.get<int>(0);
        };
        const int before = rows();
        std::jthread([&] {
            (void)database->write([](Connection &w) -> Status {
                w.run("INSERT INTO item(name) VALUES('late')");
                return {};
            });
        }).join();
        return rows() == before ? Status() : Status(ErrorCode::Internal, "the snapshot moved");
    });
    QVERIFY(status);
    QCOMPARE(count(*database), 1);
    const Status refused = database->read([](Connection &c) -> Status {
        c.run("INSERT INTO item(name) VALUES('through a reader')");
        return {};
    });
    QCOMPARE(int(refused.error().code), int(ErrorCode::PermissionDenied));
}

void TestDatabase::migratesOlderData()
{
    {
        auto database = Database::open(file(), kFirst).value();
        QVERIFY(database->write([](Connection &c) -> Status {
            c.run("INSERT INTO item(name) VALUES('old')");
            return {};
        }));
    }
    auto database = Database::open(file(), kBoth).value();
    QCOMPARE(database->version(), 2);
    QCOMPARE(database
                 ->read([](Connection &c) -> Result<std::string> {
                     Statement s = c.prepare("SELECT colour FROM item WHERE name = 'old'");
                     s.step();
                     return s.get<std::string>(0);
                 })
                 .value(),
             "red");
}

void TestDatabase::keepsTheFileWhenAMigrationFails()
{
    {
        QVERIFY(Database::open(file(), kFirst));
    }
    const auto broken = Database::open(file(), kBroken);
    QVERIFY(!broken);
    QVERIFY(broken.error().message.find("0002_broken") != std::string::npos);
    auto database = Database::open(file(), kBoth);
    QVERIFY2(database, database ? "" : database.error().message.c_str());
}

void TestDatabase::refuses_data()
{
    QTest::addColumn<QString>("what");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("says");
    QTest::addRow("newer") << "newer" << int(ErrorCode::Conflict) << "newer Slipway";
    QTest::addRow("foreign") << "foreign" << int(ErrorCode::Conflict) << "another program";
    QTest::addRow("text") << "text" << int(ErrorCode::Conflict) << "choose another data directory";
    QTest::addRow("folder missing") << "missing" << int(ErrorCode::Io) << "write permission";
}

void TestDatabase::refuses()
{
    QFETCH(QString, what);
    QFETCH(int, code);
    QFETCH(QString, says);
    auto path =
        std::filesystem::path(m_dir.path().toStdString()) / ("refuses-" + what.toStdString());
    if (what == QLatin1String("newer")) {
        QVERIFY(Database::open(path, kBoth));
    } else if (what == QLatin1String("foreign")) {
        sqlite3 *raw = nullptr;
        QCOMPARE(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
        QCOMPARE(sqlite3_exec(raw, "CREATE TABLE theirs(x)", nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(raw);
    } else if (what == QLatin1String("text")) {
        std::ofstream(path) << std::string(8192, 'x');
    } else {
        path /= "nowhere.db";
    }
    const auto result = Database::open(path, kFirst);
    QVERIFY(!result);
    QCOMPARE(int(result.error().code), code);
    QVERIFY2(result.error().message.find(says.toStdString()) != std::string::npos,
             result.error().message.c_str());
}

void TestDatabase::saysThatItMayNotWrite()
{
    namespace fs = std::filesystem;
    const auto folder = fs::path(m_dir.path().toStdString()) / "read-only";
    fs::create_directory(folder);
    const auto path = folder / "slipway.db";
    QVERIFY(Database::open(path, kFirst));
    fs::permissions(m_dir.path().toStdString(), fs::perms(0755));
    fs::permissions(path, fs::perms(0444));
    fs::permissions(folder, fs::perms(0555));
    // Root may write everything; for a moment this thread's files are those of nobody.
    ::setfsuid(65534);
    const auto result = Database::open(path, kBoth);
    ::setfsuid(::geteuid());
    fs::permissions(folder, fs::perms(0755));
    fs::permissions(path, fs::perms(0644));
    QVERIFY(!result);
    QVERIFY(result.error().code == ErrorCode::PermissionDenied ||
            result.error().code == ErrorCode::Io);
    QVERIFY2(result.error().message.find("write permission") != std::string::npos,
             result.error().message.c_str());
    // Nothing was changed.
    const auto again = Database::open(path, kFirst);
    QVERIFY2(again, again ? "" : again.error().message.c_str());
    QCOMPARE((*again)->version(), 1);
}

void TestDatabase::embedsTheProductsMigrations()
{
    auto database = Database::open(file());
    QVERIFY2(database, database ? "" : database.error().message.c_str());
    int previous = 0;
    for (const Migration &migration : embeddedMigrations()) {
        QCOMPARE(migration.version, previous + 1);
        previous = migration.version;
    }
    QCOMPARE((*database)->version(), previous);
}

void TestDatabase::makesANewFileAsMigrationsWould()
{
    const auto described = [](const std::filesystem::path &path) {
        auto database = Database::open(path).value();
        return database
            ->read([](Connection &c) -> Result<std::string> {
                std::string out;
                Statement head =
                    c.prepare("SELECT * FROM pragma_application_id, pragma_user_version");
                head.step();
                out += head.get<std::string>(0) + " " + head.get<std::string>(1) + "\n";
                Statement s = c.prepare("SELECT type || ' ' || name || ' ' || tbl_name || ' ' || "
                                        "coalesce(sql, '') FROM sqlite_schema ORDER BY type, name");
                while (s.step())
                    out += s.get<std::string>(0) + "\n";
                return out;
            })
            .value();
    };
    const std::filesystem::path migrated = file().string() + "-migrated";
    QVERIFY(Database::open(migrated, embeddedMigrations().first(1)));
    const std::string before = described(migrated);
    QVERIFY(before.find("CREATE TABLE") != std::string::npos);
    const std::string made = described(file());
    QCOMPARE(QString::fromStdString(made), QString::fromStdString(before));
}

void TestDatabase::keepsAcknowledgedWritesOverKill()
{
    // A child writes numbered rows and reports each one after write() returned; it is killed in the
    // middle. Everything it reported must be there, and the file must open.
    for (int round = 0; round < 5; ++round) {
        const auto path =
            std::filesystem::path(m_dir.path().toStdString()) / ("kill" + std::to_string(round));
        int pipe[2];
        QCOMPARE(::pipe(pipe), 0);
        const pid_t child = fork();
        if (child == 0) {
            auto database = Database::open(path, kFirst).value();
            for (int i = 1;; ++i) {
                const Status status = database->write([&](Connection &c) -> Status {
                    c.run("INSERT INTO item(id, name) VALUES(?, ?)", i, std::to_string(i));
                    return {};
                });
                if (!status || ::write(pipe[1], &i, sizeof i) != sizeof i)
                    _exit(1);
            }
        }
        ::close(pipe[1]);
        int last = 0;
        const int wanted = 20 + round * 37;
        while (last < wanted && ::read(pipe[0], &last, sizeof last) == sizeof last) {
        }
        ::kill(child, SIGKILL);
        int more = 0;
        while (::read(pipe[0], &more, sizeof more) == sizeof more)
            last = more;
        ::close(pipe[0]);
        ::waitpid(child, nullptr, 0);
        QVERIFY(last >= wanted);
        auto database = Database::open(path, kFirst);
        QVERIFY2(database, database ? "" : database.error().message.c_str());
        QVERIFY(count(**database) >= last);
    }
}

QTEST_GUILESS_MAIN(TestDatabase)
#include "tst_database.moc"
