// Tokens, sessions, sign-in links and the operator's token file.
#include "server/auth/authenticator.h"
#include "server/auth/secret_file.h"
#include "server/auth/token.h"
#include "server/store/database.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <sodium.h>

#include <filesystem>

using namespace server;
using namespace std::chrono_literals;
using schema::ErrorCode;

class TestAuthenticator : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase() { QVERIFY(sodium_init() >= 0); }

    void init();
    void mintsTokensThatClientsRecognise();
    void keepsTheOperatorsToken();
    void refusesAReadableTokenFile();
    void signsInOnce();
    void expires();
    void separatesKinds();
    void signsOut();
    void storesNoTokenInClear();

private:
    std::filesystem::path path(const char *name) const
    {
        return std::filesystem::path(m_folder->path().toStdString()) / name;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<store::Database> m_database;
    schema::TimePoint m_now;
    std::unique_ptr<auth::Authenticator> m_authenticator;
};

void TestAuthenticator::init()
{
    m_authenticator.reset();
    m_database.reset();
    m_folder = std::make_unique<QTemporaryDir>();
    auto database = store::Database::open(path("slipway.db"));
    QVERIFY(database.has_value());
    m_database = std::move(*database);
    m_now = schema::fromEpochMillis(1'800'000'000'000);
    m_authenticator = std::make_unique<auth::Authenticator>(*m_database, [this] { return m_now; });
    QVERIFY(m_authenticator->ensureOperator(path("operator-token")).has_value());
}

void TestAuthenticator::mintsTokensThatClientsRecognise()
{
    const auto token = auth::mintToken();
    QCOMPARE(token.size(), std::size_t(84));
    QCOMPARE(token.substr(76, 4), "AZDO");
    QVERIFY(auth::looksLikeToken(token));
    auto damaged = token;
    damaged[3] = damaged[3] == 'a' ? 'b' : 'a';
    QVERIFY(!auth::looksLikeToken(damaged));
    QVERIFY(!auth::looksLikeToken(""));
    QVERIFY(auth::mintToken() != token);
}

void TestAuthenticator::keepsTheOperatorsToken()
{
    const auto token = auth::readSecretFile(path("operator-token"));
    QVERIFY(token.has_value());
    const auto owner = m_authenticator->byToken(*token);
    QVERIFY(owner.has_value());
    QVERIFY(owner->isAdmin);
    QVERIFY(m_authenticator->ensureOperator(path("operator-token")).has_value());
    QCOMPARE(*auth::readSecretFile(path("operator-token")), *token);
    // A lost file is made anew, and the lost token stops working.
    std::filesystem::remove(path("operator-token"));
    QVERIFY(m_authenticator->ensureOperator(path("operator-token")).has_value());
    const auto fresh = auth::readSecretFile(path("operator-token"));
    QVERIFY(*fresh != *token);
    QVERIFY(m_authenticator->byToken(*fresh).has_value());
    QVERIFY(m_authenticator->byToken(*token).error().code == ErrorCode::Unauthenticated);
    QCOMPARE(m_authenticator->list()->size(), std::size_t(1));
}

void TestAuthenticator::refusesAReadableTokenFile()
{
    std::filesystem::permissions(path("operator-token"), std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    const auto status = m_authenticator->ensureOperator(path("operator-token"));
    QVERIFY(status.error().code == ErrorCode::PermissionDenied);
    QVERIFY(status.error().message.find("chmod 600") != std::string::npos);
}

void TestAuthenticator::signsInOnce()
{
    const auto owner = m_authenticator->find("operator");
    const auto link = m_authenticator->issueSignInLink(owner->identityId, 15min);
    QVERIFY(link.has_value());
    const auto session = m_authenticator->signIn(link->token);
    QVERIFY(session.has_value());
    const auto principal = m_authenticator->bySession(session->token);
    QVERIFY(principal.has_value());
    QVERIFY(principal->bySession);
    const auto again = m_authenticator->signIn(link->token);
    QVERIFY(again.error().code == ErrorCode::Unauthenticated);
    QVERIFY(again.error().message.find("slipway signin") != std::string::npos);
    QVERIFY(!m_authenticator->signIn("nonsense"));
}

void TestAuthenticator::expires()
{
    const auto owner = m_authenticator->find("operator");
    const auto link = m_authenticator->issueSignInLink(owner->identityId, 15min);
    const auto token = m_authenticator->issuePersonalToken(owner->identityId, "x", 15min);
    m_now += 14min;
    QVERIFY(m_authenticator->byToken(token->token).has_value());
    m_now += 1min;
    QVERIFY(!m_authenticator->byToken(token->token));
    QVERIFY(!m_authenticator->signIn(link->token));
}

void TestAuthenticator::separatesKinds()
{
    const auto owner = m_authenticator->find("operator");
    const auto link = m_authenticator->issueSignInLink(owner->identityId, 15min);
    const auto personal = m_authenticator->issuePersonalToken(owner->identityId, "x", 15min);
    QVERIFY(!m_authenticator->byToken(link->token));
    QVERIFY(!m_authenticator->bySession(link->token));
    QVERIFY(!m_authenticator->bySession(personal->token));
    QVERIFY(!m_authenticator->signIn(personal->token));
    const auto session = m_authenticator->signIn(link->token);
    QVERIFY(!m_authenticator->byToken(session->token));
}

void TestAuthenticator::signsOut()
{
    const auto owner = m_authenticator->find("operator");
    const auto link = m_authenticator->issueSignInLink(owner->identityId, 15min);
    const auto session = m_authenticator->signIn(link->token);
    QVERIFY(m_authenticator->signOut(session->token).has_value());
    QVERIFY(!m_authenticator->bySession(session->token));
}

void TestAuthenticator::storesNoTokenInClear()
{
    const auto token = auth::readSecretFile(path("operator-token"));
    int files = 0;
    for (const auto &entry : std::filesystem::directory_iterator(path(""))) {
        if (entry.path().filename() == "operator-token")
            continue;
        QFile raw(QString::fromStdString(entry.path().string()));
        QVERIFY(raw.open(QIODevice::ReadOnly));
        QVERIFY2(!raw.readAll().contains(QByteArray::fromStdString(*token)), entry.path().c_str());
        ++files;
    }
    QVERIFY(files >= 1);
}

QTEST_GUILESS_MAIN(TestAuthenticator)
#include "tst_authenticator.moc"
