// Variable groups and service connections: sealed at rest, never read back, checked at the door.
#include "server/library/library_service.h"
#include "server/library/project_service.h"
#include "server/store/database.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <sodium.h>

#include <filesystem>

using namespace server;
using schema::ErrorCode;

class TestLibrary : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase() { QVERIFY(sodium_init() >= 0); }

    void init();
    void sealsAndOpens();
    void refusesAnotherKey();
    void keepsGroupSecrets();
    void keepsConnectionSecrets();
    void refuses();
    void separatesProjects();
    void leavesNoSecretOnDisk();
    void checksProjectNames_data();
    void checksProjectNames();

private:
    std::filesystem::path path(const char *name) const
    {
        return std::filesystem::path(m_folder->path().toStdString()) / name;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<store::Database> m_database;
    std::unique_ptr<library::LibraryService> m_library;
    std::string m_project;
};

void TestLibrary::init()
{
    m_library.reset();
    m_database.reset();
    m_folder = std::make_unique<QTemporaryDir>();
    auto database = store::Database::open(path("slipway.db"));
    QVERIFY(database.has_value());
    m_database = std::move(*database);
    auto key = library::SealingKey::loadOrCreate(path("sealing-key"));
    QVERIFY(key.has_value());
    m_library = std::make_unique<library::LibraryService>(*m_database, std::move(*key));
    const auto project = library::ProjectService(*m_database).create("space game", "");
    QVERIFY(project.has_value());
    m_project = project->id;
}

void TestLibrary::sealsAndOpens()
{
    auto key = library::SealingKey::loadOrCreate(path("sealing-key"));
    QVERIFY(key.has_value());
    for (const std::string &secret : {std::string(), std::string("p"), std::string(100000, 'x')}) {
        const auto sealed = key->seal(secret);
        QCOMPARE(key->open(sealed).value(), secret);
        QVERIFY(key->seal(secret) != sealed); // a fresh nonce each time
    }
    auto sealed = key->seal("secret");
    sealed.back() ^= 1;
    QVERIFY(!key->open(sealed));
    QVERIFY(!key->open({}));
    QVERIFY(!key->open({1, 2, 3}));
}

void TestLibrary::refusesAnotherKey()
{
    auto one = library::SealingKey::loadOrCreate(path("sealing-key"));
    auto other = library::SealingKey::loadOrCreate(path("other-key"));
    QVERIFY(!other->open(one->seal("secret")));
    QCOMPARE(unsigned(std::filesystem::status(path("other-key")).permissions()), 0600U);
    QFile damaged(QString::fromStdString(path("other-key").string()));
    QVERIFY(damaged.open(QIODevice::WriteOnly));
    damaged.write("not a key");
    damaged.close();
    QVERIFY(!library::SealingKey::loadOrCreate(path("other-key")));
}

void TestLibrary::keepsGroupSecrets()
{
    library::Group group;
    group.name = "Release";
    group.variables = {{"registry", "localhost:5000", false}, {"password", "hunter2", true}};
    const auto created = m_library->createGroup(m_project, group);
    QVERIFY(created.has_value());
    QCOMPARE(created->variables.size(), std::size_t(2));
    for (const auto &variable : created->variables)
        QCOMPARE(variable.value.has_value(), !variable.isSecret);
    const auto opened = m_library->variableGroup(m_project, "release");
    QVERIFY(opened.has_value());
    QCOMPARE(opened->at(0).name, "password");
    QCOMPARE(opened->at(0).value, "hunter2");
    QVERIFY(opened->at(0).isSecret);
    // A change without a value keeps the secret.
    group.id = created->id;
    group.variables = {{"password", std::nullopt, true}, {"new", "1", false}};
    QVERIFY(m_library->updateGroup(m_project, group).has_value());
    QCOMPARE(m_library->variableGroup(m_project, "Release")->at(1).value, "hunter2");
    // Template expressions see no secrets.
    QCOMPARE(m_library->plainGroups(m_project)->at(0).second.size(), std::size_t(1));
    QVERIFY(m_library->removeGroup(m_project, group.id).has_value());
    QVERIFY(m_library->variableGroup(m_project, "Release").error().code == ErrorCode::NotFound);
}

void TestLibrary::keepsConnectionSecrets()
{
    library::ServiceConnection connection;
    connection.name = "Container Registry Connection";
    connection.type = "dockerregistry";
    connection.url = "http://localhost:5000";
    connection.scheme = "UsernamePassword";
    connection.parameters = {{"username", "ann"}, {"password", "hunter2"}};
    connection.data = {{"registrytype", "Others"}};
    const auto created = m_library->createConnection(m_project, connection);
    QVERIFY(created.has_value());
    for (const auto &[name, value] : created->parameters)
        QVERIFY(value.empty());
    const auto opened = m_library->serviceConnection(m_project, "container registry connection");
    QVERIFY(opened.has_value());
    QCOMPARE(opened->parameters, connection.parameters);
    QCOMPARE(m_library->serviceConnection(m_project, created->id)->name, connection.name);
    auto changed = *created;
    changed.url = "http://localhost:5001";
    QVERIFY(m_library->updateConnection(m_project, changed).has_value());
    const auto after = m_library->serviceConnection(m_project, created->id);
    QCOMPARE(after->url, "http://localhost:5001");
    QCOMPARE(after->parameters, connection.parameters);
    QVERIFY(m_library->removeConnection(m_project, created->id).has_value());
    QVERIFY(!m_library->connection(m_project, created->id));
}

void TestLibrary::refuses()
{
    library::Group group;
    QVERIFY(m_library->createGroup(m_project, group).error().code == ErrorCode::InvalidArgument);
    group.name = "Release";
    group.variables = {{"secret", std::nullopt, true}};
    const auto withoutValue = m_library->createGroup(m_project, group);
    QVERIFY(withoutValue.error().message.find("'secret'") != std::string::npos);
    group.variables.clear();
    QVERIFY(m_library->createGroup(m_project, group).has_value());
    group.name = "RELEASE";
    QVERIFY(m_library->createGroup(m_project, group).error().code == ErrorCode::AlreadyExists);
    library::ServiceConnection connection;
    connection.name = "x";
    QVERIFY(!m_library->createConnection(m_project, connection)); // no type
    QVERIFY(!m_library->group(m_project, 4711));
    QVERIFY(!m_library->removeConnection(m_project, "absent"));
}

void TestLibrary::separatesProjects()
{
    const auto other = library::ProjectService(*m_database).create("other", "");
    library::Group group;
    group.name = "Release";
    const auto created = m_library->createGroup(m_project, group);
    QVERIFY(!m_library->group(other->id, created->id));
    QVERIFY(!m_library->removeGroup(other->id, created->id));
    QVERIFY(!m_library->variableGroup(other->id, "Release"));
    QVERIFY(m_library->createGroup(other->id, group).has_value());
}

void TestLibrary::leavesNoSecretOnDisk()
{
    const QByteArray secret("correct-horse-battery-staple");
    library::Group group;
    group.name = "Release";
    group.variables = {{"password", secret.toStdString(), true}};
    QVERIFY(m_library->createGroup(m_project, group).has_value());
    library::ServiceConnection connection;
    connection.name = "registry";
    connection.type = "dockerregistry";
    connection.parameters = {{"password", secret.toStdString()}};
    QVERIFY(m_library->createConnection(m_project, connection).has_value());
    int files = 0;
    for (const auto &entry : std::filesystem::directory_iterator(path(""))) {
        QFile raw(QString::fromStdString(entry.path().string()));
        QVERIFY(raw.open(QIODevice::ReadOnly));
        QVERIFY2(!raw.readAll().contains(secret), entry.path().c_str());
        ++files;
    }
    QVERIFY(files >= 2);
}

void TestLibrary::checksProjectNames_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<bool>("accepted");
    QTest::newRow("plain") << QByteArray("space-game") << true;
    QTest::newRow("blank inside") << QByteArray("space game 2") << true;
    QTest::newRow("unicode") << QByteArray("Sp\xC3\xA4ti") << true;
    QTest::newRow("empty") << QByteArray("") << false;
    QTest::newRow("slash") << QByteArray("a/b") << false;
    QTest::newRow("dot") << QByteArray(".") << false;
    QTest::newRow("api segment") << QByteArray("_apis") << false;
    QTest::newRow("own address") << QByteArray("healthz") << false;
    QTest::newRow("control") << QByteArray("a\tb") << false;
    QTest::newRow("long") << QByteArray(65, 'x') << false;
}

void TestLibrary::checksProjectNames()
{
    QFETCH(QByteArray, name);
    QFETCH(bool, accepted);
    library::ProjectService projects(*m_database);
    QCOMPARE(projects.create(name.toStdString(), "").has_value(), accepted);
}

QTEST_GUILESS_MAIN(TestLibrary)
#include "tst_library.moc"
