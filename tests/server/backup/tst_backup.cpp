// Backup of a running server, restore, and what is refused: damaged, cut off, newer, foreign.
#include "server/app/data_copy.h"
#include "server/store/database_copy.h"
#include "tests/server/support/live_server.h"

#include <QTest>

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace fs = std::filesystem;
using tests::LiveServer;

namespace {

/// Content of every file, by relative path.
std::map<std::string, std::string> contentOf(const fs::path &folder)
{
    std::map<std::string, std::string> out;
    for (const auto &entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file())
            continue;
        std::ifstream file(entry.path(), std::ios::binary);
        out[fs::relative(entry.path(), folder).string()] =
            std::string(std::istreambuf_iterator<char>(file), {});
    }
    return out;
}

void execute(const fs::path &database, const char *sql)
{
    sqlite3 *handle = nullptr;
    QCOMPARE(sqlite3_open(database.c_str(), &handle), SQLITE_OK);
    QCOMPARE(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(handle);
}

} // namespace

class TestBackup : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void restoresWhatWasThere_data();
    void restoresWhatWasThere();
    void copiesWhileWritersGoOn();
    void findsDamage_data();
    void findsDamage();
    void refusesACutOffFile();
    void refusesANewerOne();
    void refusesToOverwrite();
    void explainsABrokenDatabaseAtStart_data();
    void explainsABrokenDatabaseAtStart();

private:
    std::unique_ptr<LiveServer> m_server;
};

void TestBackup::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->call("POST", "/_apis/projects", R"({"name": "p"})").status, 202);
    const auto repository =
        m_server->call("POST", "/p/_apis/git/repositories", R"({"name": "code"})").json();
    const std::string work = m_server->folder() + "/work";
    fs::create_directory(work);
    tests::git(work, {"init", "-q", "-b", "main"});
    std::ofstream(work + "/azure-pipelines.yml") << "steps:\n- script: echo hello\n";
    tests::git(work, {"add", "."});
    tests::git(work, {"-c", "user.name=A", "-c", "user.email=a@x", "commit", "-q", "-m", "first"});
    std::string url = repository.at("remoteUrl").get<std::string>();
    url.insert(url.find("//") + 2, "x:" + m_server->token() + "@");
    const std::string pushed = tests::git(work, {"push", "-q", url, "main"});
    QVERIFY2(pushed.empty(), pushed.c_str());
    (void)m_server->call("POST", "/p/_apis/pipelines",
                         R"({"name": "one", "configuration": {"type": "yaml",
                   "path": "azure-pipelines.yml", "repository": {"name": "code"}}})");
    const auto run = m_server->call("POST", "/p/_apis/pipelines/1/runs", "{}");
    QCOMPARE(run.status, 200);
    const auto group = R"({"name": "g", "variables": {"s": {"value": "v", "isSecret": true}}})";
    QCOMPARE(m_server->call("POST", "/p/_apis/distributedtask/variablegroups", group).status, 200);
}

void TestBackup::restoresWhatWasThere_data()
{
    QTest::addColumn<QString>("name");
    QTest::newRow("folder") << "copy";
    QTest::newRow("file") << "copy.tar.zst";
}

void TestBackup::restoresWhatWasThere()
{
    QFETCH(QString, name);
    const fs::path backup = m_server->folder() + "/" + name.toStdString();
    const auto made = server::app::backUp(m_server->data(), backup);
    QVERIFY2(made, made ? "" : made.error().message.c_str());
    QCOMPARE(made->runs, 1);
    const auto checked = server::app::verifyBackup(backup);
    QVERIFY2(checked, checked ? "" : checked.error().message.c_str());
    QCOMPARE(checked->bytes, made->bytes);
    // Another server starts on it and knows everything, the repository included.
    const std::string data = m_server->folder() + "/" + name.toStdString() + "-data";
    const auto restored = server::app::restoreBackup(backup, data);
    QVERIFY2(restored, restored ? "" : restored.error().message.c_str());
    const LiveServer elsewhere(data);
    QVERIFY2(elsewhere.running(), elsewhere.failure().c_str());
    QCOMPARE(elsewhere.token(), m_server->token());
    QCOMPARE(elsewhere.call("GET", "/p/_apis/build/builds/1").status, 200);
    const auto refs = elsewhere.call("GET", "/p/_apis/git/repositories/code/refs").json();
    QCOMPARE(refs.at("count").get<int>(), 1);
    // No mode is wider than it was, no half-made name is left.
    const auto mode = fs::status(fs::path(data) / "sealing-key").permissions();
    QCOMPARE(mode & fs::perms::mask, fs::perms::owner_read | fs::perms::owner_write);
    for (const auto &entry : fs::directory_iterator(m_server->folder()))
        QVERIFY2(!entry.path().string().ends_with(".partial") &&
                     !entry.path().string().ends_with(".restoring") &&
                     !entry.path().string().ends_with(".database"),
                 entry.path().c_str());
}

void TestBackup::copiesWhileWritersGoOn()
{
    std::atomic<bool> stop = false;
    std::atomic<int> written = 0;
    std::thread writer([&] {
        while (!stop) {
            const std::string body = R"({"name": "during-)" + std::to_string(written) + R"("})";
            if (m_server->call("POST", "/_apis/projects", body).status == 202)
                ++written;
        }
    });
    while (written < 3)
        std::this_thread::yield();
    const fs::path backup = m_server->folder() + "/busy.tar.zst";
    const auto made = server::app::backUp(m_server->data(), backup);
    const int before = written;
    while (written == before) // the writer was not held up for good
        std::this_thread::yield();
    stop = true;
    writer.join();
    QVERIFY2(made, made ? "" : made.error().message.c_str());
    const auto checked = server::app::verifyBackup(backup);
    QVERIFY2(checked, checked ? "" : checked.error().message.c_str());
}

void TestBackup::findsDamage_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("what"); ///< "flip", "cut", "remove", "add"
    QTest::newRow("database changed") << "slipway.db" << "flip";
    QTest::newRow("database cut") << "slipway.db" << "cut";
    QTest::newRow("database gone") << "slipway.db" << "remove";
    QTest::newRow("key gone") << "sealing-key" << "remove";
    QTest::newRow("manifest gone") << "manifest.json" << "remove";
    QTest::newRow("manifest cut") << "manifest.json" << "cut";
}

void TestBackup::findsDamage()
{
    QFETCH(QString, file);
    QFETCH(QString, what);
    const fs::path backup = m_server->folder() + "/damaged";
    fs::remove_all(backup);
    const auto made = server::app::backUp(m_server->data(), backup);
    QVERIFY2(made, made ? "" : made.error().message.c_str());
    const fs::path victim = backup / file.toStdString();
    const auto size = fs::file_size(victim);
    if (what == u"remove") {
        fs::remove(victim);
    } else if (what == u"cut") {
        fs::resize_file(victim, size / 2);
    } else {
        std::fstream bytes(victim, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekg(static_cast<std::streamoff>(size / 2));
        const char byte = static_cast<char>(bytes.get() ^ 1);
        bytes.seekp(static_cast<std::streamoff>(size / 2));
        bytes.put(byte);
    }
    const std::string data = m_server->folder() + "/never";
    const auto restored = server::app::restoreBackup(backup, data);
    QVERIFY(!restored);
    QVERIFY2(restored.error().message.find(file.toStdString()) != std::string::npos ||
                 restored.error().message.find("manifest") != std::string::npos,
             restored.error().message.c_str());
    QVERIFY(!fs::exists(data));
}

void TestBackup::refusesACutOffFile()
{
    const fs::path backup = m_server->folder() + "/cut.tar.zst";
    QVERIFY(server::app::backUp(m_server->data(), backup));
    fs::resize_file(backup, fs::file_size(backup) - 100);
    const auto checked = server::app::verifyBackup(backup);
    QVERIFY(!checked);
    const auto nothing = server::app::verifyBackup(m_server->folder() + "/absent.tar.zst");
    QVERIFY(!nothing);
    QVERIFY(nothing.error().code == schema::ErrorCode::NotFound);
}

void TestBackup::refusesANewerOne()
{
    const fs::path copy = m_server->folder() + "/newer.db";
    QVERIFY(server::store::copyDatabase(fs::path(m_server->data()) / "slipway.db", copy));
    QVERIFY(server::store::checkDatabase(copy));
    execute(copy, "PRAGMA user_version=100000");
    const auto checked = server::store::checkDatabase(copy);
    QVERIFY(!checked);
    QVERIFY(checked.error().code == schema::ErrorCode::Conflict);
    QVERIFY(checked.error().message.find("newer Slipway") != std::string::npos);
}

void TestBackup::refusesToOverwrite()
{
    const fs::path backup = m_server->folder() + "/once";
    QVERIFY(server::app::backUp(m_server->data(), backup));
    const auto before = contentOf(backup);
    const auto again = server::app::backUp(m_server->data(), backup);
    QVERIFY(!again);
    QVERIFY(again.error().code == schema::ErrorCode::AlreadyExists);
    QVERIFY(contentOf(backup) == before);
    const auto restored = server::app::restoreBackup(backup, m_server->data());
    QVERIFY(!restored);
    QVERIFY(restored.error().code == schema::ErrorCode::AlreadyExists);
    QCOMPARE(m_server->call("GET", "/healthz").status, 200);
    const auto absent =
        server::app::backUp(m_server->folder() + "/no-data", m_server->folder() + "/no-backup");
    QVERIFY(!absent);
    QVERIFY(absent.error().code == schema::ErrorCode::NotFound);
}

void TestBackup::explainsABrokenDatabaseAtStart_data()
{
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("says");
    QTest::newRow("damaged") << "header" << "slipway restore";
    QTest::newRow("damaged in the middle") << "middle" << "slipway restore";
    QTest::newRow("cut") << "cut" << "slipway restore";
    QTest::newRow("newer") << "newer" << "slipway restore";
    QTest::newRow("foreign") << "foreign" << "another program";
    QTest::newRow("locked") << "locked" << "close it";
}

void TestBackup::explainsABrokenDatabaseAtStart()
{
    QFETCH(QString, what);
    QFETCH(QString, says);
    const fs::path data = m_server->folder() + "/start-" + what.toStdString();
    fs::create_directory(data);
    const fs::path file = data / "slipway.db";
    QVERIFY(server::store::copyDatabase(fs::path(m_server->data()) / "slipway.db", file));
    sqlite3 *holder = nullptr;
    if (what == u"header") {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.write("not a database at all", 21);
    } else if (what == u"middle") {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2 / 4096 * 4096));
        bytes << std::string(4096, '\xff');
    } else if (what == u"cut") {
        fs::resize_file(file, fs::file_size(file) / 2);
    } else if (what == u"newer") {
        execute(file, "PRAGMA user_version=100000");
    } else if (what == u"foreign") {
        execute(file, "PRAGMA application_id=1");
    } else {
        sqlite3_open(file.c_str(), &holder);
        sqlite3_exec(holder, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE;", nullptr, nullptr,
                     nullptr);
    }
    server::app::Configuration configuration;
    configuration.data = data;
    configuration.port = 0;
    const auto started = server::app::Application::start(configuration);
    sqlite3_close(holder);
    QVERIFY(!started);
    QVERIFY2(QString::fromStdString(started.error().message).contains(says),
             started.error().message.c_str());
}

QTEST_GUILESS_MAIN(TestBackup)
#include "tst_backup.moc"
