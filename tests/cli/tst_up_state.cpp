#include "cli/up/state.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

class UpStateTest : public QObject
{
    Q_OBJECT

public:
    UpStateTest()
        : m_folder(m_temporary.path().toStdString())
    {}

private Q_SLOTS:
    void savedAndLoaded();
    void nothingThereIsEmpty();
    void damagedIsSaid();
    void secondLockIsRefused();
    void folderIsMade();
    void folderInTheWay();
    void readOnlyFolder();
    void portThatIsTaken();

private:
    QTemporaryDir m_temporary;
    std::filesystem::path m_folder;
};

void UpStateTest::savedAndLoaded()
{
    cli::UpState state;
    state.registryPort = 5000;
    state.devWebPort = 8081;
    state.productionWebPort = 8082;
    state.firstRun = 7;
    state.target = "docker";
    QVERIFY(cli::saveState(m_folder, state));
    const auto loaded = cli::loadState(m_folder);
    QVERIFY(loaded);
    QCOMPARE(loaded->registryPort, 5000);
    QCOMPARE(loaded->devWebPort, 8081);
    QCOMPARE(loaded->productionWebPort, 8082);
    QCOMPARE(loaded->firstRun, 7);
    QCOMPARE(loaded->target, std::string("docker"));
}

void UpStateTest::nothingThereIsEmpty()
{
    const auto loaded = cli::loadState(m_folder / "none");
    QVERIFY(loaded);
    QCOMPARE(loaded->firstRun, 0);
}

void UpStateTest::damagedIsSaid()
{
    std::filesystem::create_directory(m_folder / "damaged");
    std::ofstream(m_folder / "damaged/up.json") << "{\"firstRun\":";
    const auto loaded = cli::loadState(m_folder / "damaged");
    QVERIFY(!loaded);
    QVERIFY(loaded.error().message.find("up.json") != std::string::npos);
}

void UpStateTest::secondLockIsRefused()
{
    {
        const auto first = cli::lockFolder(m_folder);
        QVERIFY(first);
        const auto second = cli::lockFolder(m_folder);
        QVERIFY(!second);
        QVERIFY(second.error().code == schema::ErrorCode::AlreadyExists);
        QVERIFY(second.error().message.find("process " + std::to_string(getpid())) !=
                std::string::npos);
    }
    QVERIFY(cli::lockFolder(m_folder));
}

void UpStateTest::folderIsMade()
{
    const std::filesystem::path folder = m_folder / "a/b";
    QVERIFY(cli::prepareFolder(folder));
    QCOMPARE(std::filesystem::status(folder).permissions(), std::filesystem::perms::owner_all);
}

void UpStateTest::folderInTheWay()
{
    std::ofstream(m_folder / "file") << "x";
    const auto status = cli::prepareFolder(m_folder / "file/data");
    QVERIFY(!status);
    QVERIFY(status.error().message.find("--data") != std::string::npos);
}

void UpStateTest::readOnlyFolder()
{
    const std::filesystem::path folder = m_folder / "read-only";
    std::filesystem::create_directory(folder);
    const auto readable = std::filesystem::perms(0755);
    std::filesystem::permissions(m_folder, readable);
    std::filesystem::permissions(folder, std::filesystem::perms(0555));
    // Root may write everywhere, so root tries it as somebody else.
    const uid_t self = geteuid();
    if (self == 0)
        QCOMPARE(seteuid(65534), 0);
    const auto status = cli::prepareFolder(folder);
    if (self == 0)
        QCOMPARE(seteuid(0), 0);
    QVERIFY(!status);
    QVERIFY(status.error().code == schema::ErrorCode::PermissionDenied);
    QVERIFY(status.error().message.find("--data") != std::string::npos);
}

void UpStateTest::portThatIsTaken()
{
    const cli::FileDescriptor listener(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    QCOMPARE(bind(listener.get(), reinterpret_cast<sockaddr *>(&address), size), 0);
    QCOMPARE(listen(listener.get(), 1), 0);
    QCOMPARE(getsockname(listener.get(), reinterpret_cast<sockaddr *>(&address), &size), 0);
    const int taken = ntohs(address.sin_port);
    const auto port = cli::freePort(taken);
    QVERIFY(port);
    QVERIFY(*port != taken);
    QVERIFY(*port > 0);
    const auto again = cli::freePort(*port);
    QVERIFY(again);
    QCOMPARE(*again, *port);
}

QTEST_GUILESS_MAIN(UpStateTest)
#include "tst_up_state.moc"
