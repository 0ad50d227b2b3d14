// Sessions against a real TLS endpoint: whom they believe, and what they say when they do not.
#include "schema/transport/session.h"

#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/URI.h>

using namespace schema;

namespace {

/// What a GET of "/" ends with: the status, or the error in words.
QString get(const QString &address, const QString &authorityFile)
{
    const Poco::URI uri(address.toStdString());
    auto session = transport::openSession(uri, {authorityFile.toStdString()});
    if (!session)
        return QString::fromStdString(session.error().message);
    try {
        (*session)->setTimeout(Poco::Timespan(20, 0));
        Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_GET, "/");
        (*session)->sendRequest(request);
        Poco::Net::HTTPResponse response;
        (*session)->receiveResponse(response);
        return QString::number(response.getStatus());
    } catch (const Poco::Exception &problem) {
        return QString::fromStdString(transport::explain(problem));
    }
}

} // namespace

class TestSession : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;

    QString path(const QString &name) const { return m_folder.filePath(name); }

    /// Words separated by blanks; {NAME} is a file of this test.
    static QStringList words(const char *line, const QTemporaryDir &folder)
    {
        QStringList out = QString::fromLatin1(line).split(QLatin1Char(' '));
        for (QString &word : out) {
            if (word.startsWith(QLatin1Char('{')))
                word = folder.filePath(word.mid(1, word.size() - 2));
        }
        return out;
    }

    bool openssl(const char *line) const
    {
        QProcess process;
        process.start(QStringLiteral("openssl"), words(line, m_folder));
        return process.waitForFinished() && process.exitCode() == 0;
    }

private Q_SLOTS:

    void initTestCase()
    {
        if (QStandardPaths::findExecutable(QStringLiteral("openssl")).isEmpty())
            QSKIP("openssl is not installed (./run packages up)");
        QVERIFY(openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                        "-subj /CN=localhost "
                        "-addext subjectAltName=DNS:localhost -keyout {key} -out {valid}"));
        QVERIFY(openssl("req -new -key {key} -subj /CN=localhost -out {request}"));
        QVERIFY(openssl("x509 -req -in {request} -signkey {key} -days -1 -out {expired}"));
        QFile broken(path(QStringLiteral("broken")));
        QVERIFY(broken.open(QIODevice::WriteOnly));
        broken.write("no certificate\n");
    }

    void certificates_data()
    {
        QTest::addColumn<QString>("served");
        QTest::addColumn<QString>("host");
        QTest::addColumn<QString>("authority");
        QTest::addColumn<QString>("said");
        QTest::newRow("trusted") << "valid" << "localhost" << "valid" << "^200$";
        QTest::newRow("unknown authority")
            << "valid" << "localhost" << ""
            << "certificate of 'localhost' is refused: self.signed certificate; add the authority";
        QTest::newRow("expired")
            << "expired" << "localhost" << "expired"
            << "certificate of 'localhost' is refused: it expired on 20..-..-..; renew it";
        QTest::newRow("another host") << "valid" << "127.0.0.1" << "valid"
                                      << "is of another host .*127\\.0\\.0\\.1.*use a name";
        QTest::newRow("no such file") << "valid" << "localhost" << "nosuch"
                                      << "authorities '.*/nosuch' does not exist";
        QTest::newRow("no certificate in the file")
            << "valid" << "localhost" << "broken" << "authorities in '.*/broken' cannot be read";
    }

    void certificates()
    {
        QFETCH(QString, served);
        QFETCH(QString, host);
        QFETCH(QString, authority);
        QFETCH(QString, said);
        QProcess endpoint;
        const QString line =
            QStringLiteral("s_server -accept 0 -www -cert {%1} -key {key}").arg(served);
        endpoint.start(QStringLiteral("openssl"), words(line.toLatin1().constData(), m_folder));
        QByteArray out;
        QTRY_VERIFY_WITH_TIMEOUT((out += endpoint.readAllStandardOutput()).contains("ACCEPT") &&
                                     out.endsWith('\n'),
                                 20000);
        const auto accept = out.indexOf("ACCEPT");
        const QByteArray announced = out.mid(accept, out.indexOf('\n', accept) - accept);
        const QByteArray port = announced.mid(announced.lastIndexOf(':') + 1);
        const QString answer =
            get(QStringLiteral("https://%1:%2").arg(host, QString::fromLatin1(port)),
                authority.isEmpty() ? QString() : path(authority));
        endpoint.kill();
        endpoint.waitForFinished();
        QVERIFY2(answer.contains(QRegularExpression(said)), qPrintable(answer));
    }

    void addresses_data()
    {
        QTest::addColumn<QString>("address");
        QTest::addColumn<QString>("said");
        QTest::newRow("other scheme")
            << "ftp://localhost/" << "'ftp://localhost/' is no address like http";
        QTest::newRow("no host") << "http:///x" << "is no address like";
        QTest::newRow("nobody listens") << "http://127.0.0.1:1/" << "refused";
        QTest::newRow("nobody listens with TLS") << "https://127.0.0.1:1/" << "refused";
    }

    void addresses()
    {
        QFETCH(QString, address);
        QFETCH(QString, said);
        const QString answer = get(address, QString());
        QVERIFY2(answer.contains(said), qPrintable(answer));
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "tst_session.moc"
