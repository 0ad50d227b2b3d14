// The lock on the data folder and its refusals.
#include "server/app/application.h"
#include "server/app/data_folder.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace server::app;
using schema::ErrorCode;

class TestDataFolder : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void locks();
    void keepsOthersOut();
    void refusesWhatItCannotUse();
    void readsListenAddresses_data();
    void readsListenAddresses();
};

void TestDataFolder::locks()
{
    QTemporaryDir parent;
    const auto path = std::filesystem::path(parent.path().toStdString()) / "a" / "data";
    {
        const auto first = DataFolder::open(path);
        QVERIFY(first.has_value());
        QCOMPARE(unsigned(std::filesystem::status(path).permissions()), 0700U);
        const auto second = DataFolder::open(path);
        QVERIFY(!second);
        QVERIFY(second.error().code == ErrorCode::AlreadyExists);
        QVERIFY(second.error().message.find(std::to_string(::getpid())) != std::string::npos);
    }
    QVERIFY(DataFolder::open(path).has_value());
}

void TestDataFolder::keepsOthersOut()
{
    // Service managers make data folders that everybody may enter.
    QTemporaryDir parent;
    const auto path = std::filesystem::path(parent.path().toStdString()) / "data";
    std::filesystem::create_directory(path);
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    ::umask(022);
    const auto folder = DataFolder::open(path);
    QVERIFY(folder.has_value());
    std::ofstream(path / "slipway.db") << "x";
    std::filesystem::create_directory(path / "logs");
    QCOMPARE(unsigned(std::filesystem::status(path / "slipway.db").permissions()), 0600U);
    QCOMPARE(unsigned(std::filesystem::status(path / "logs").permissions()), 0700U);
}

void TestDataFolder::refusesWhatItCannotUse()
{
    QTemporaryDir parent;
    QFile file(parent.filePath(QStringLiteral("file")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.close();
    const auto isFile = DataFolder::open(parent.filePath(QStringLiteral("file")).toStdString());
    QVERIFY(isFile.error().code == ErrorCode::InvalidArgument);
    QVERIFY(isFile.error().message.find("--data") != std::string::npos);
    const auto below = DataFolder::open(parent.filePath(QStringLiteral("file/data")).toStdString());
    QVERIFY(!below);
    const auto system = DataFolder::open("/proc/slipway");
    QVERIFY(!system);
    QVERIFY(system.error().message.find("/proc/slipway") != std::string::npos);
}

void TestDataFolder::readsListenAddresses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("host"); ///< empty: refused
    QTest::addColumn<int>("port");
    const auto row = [](const char *name, const char *text, const char *host, int port) {
        QTest::newRow(name) << QByteArray(text) << QByteArray(host) << port;
    };
    row("both", "0.0.0.0:80", "0.0.0.0", 80);
    row("port", ":0", "127.0.0.1", 0);
    row("address", "10.0.0.1", "10.0.0.1", 8480);
    row("v6", "[::1]:8080", "::1", 8080);
    row("v6 alone", "[::1]", "::1", 8480);
    row("no number", "host:http", "", 0);
    row("too large", "host:70000", "", 0);
    row("negative", "host:-1", "", 0);
}

void TestDataFolder::readsListenAddresses()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, host);
    QFETCH(int, port);
    Configuration configuration;
    const auto parsed = parseListen(text.toStdString(), configuration);
    QCOMPARE(parsed.has_value(), !host.isEmpty());
    if (parsed) {
        QCOMPARE(QByteArray::fromStdString(configuration.host), host);
        QCOMPARE(int(configuration.port), port);
    }
}

QTEST_GUILESS_MAIN(TestDataFolder)
#include "tst_data_folder.moc"
