// The portal's files: caching, compression, fall-back to index.html, and no way out of the folder.
#include "server/http/file_body.h"
#include "server/http/static_files.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace server::http;
using schema::ErrorCode;

namespace {

std::string headerOf(const Reply &reply, const std::string &name)
{
    for (const auto &[key, value] : reply.headers)
        if (key == name)
            return value;
    return {};
}

std::string bodyOf(const Reply &reply)
{
    return reply.file ? reply.file->begin(reply.file->size()) : std::string();
}

} // namespace

class TestStaticFiles : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void serves_data();
    void serves();
    void staysInside_data();
    void staysInside();
    void answersUnchanged();
    void sendsCompressed();
    void needsAnIndex();

private:
    schema::Result<Reply> get(const std::string &path, const std::string &header = {},
                              const std::string &value = {});
    void write(const char *name, const char *text);

    std::filesystem::path root() const { return m_folder.path().toStdString(); }

    QTemporaryDir m_folder;
};

void TestStaticFiles::write(const char *name, const char *text)
{
    std::filesystem::create_directories((root() / name).parent_path());
    std::ofstream(root() / name) << text;
}

void TestStaticFiles::initTestCase()
{
    write("web/index.html", "<page>");
    write("web/assets/app-1.js", "script");
    write("web/assets/app-1.js.gz", "zipped");
    write("web/favicon.svg", "<svg/>");
    write("secret", "secret");
}

schema::Result<Reply> TestStaticFiles::get(const std::string &path, const std::string &header,
                                           const std::string &value)
{
    const auto files = StaticFiles::open(root() / "web");
    if (!files)
        return files.error();
    Call call;
    call.target = *parseTarget(path);
    call.header = [=](std::string_view name) { return name == header ? value : std::string(); };
    return files->serve(call);
}

void TestStaticFiles::serves_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("body"); ///< empty: 404
    QTest::addColumn<QByteArray>("type");
    const auto row = [](const char *name, const char *path, const char *body, const char *type) {
        QTest::newRow(name) << QByteArray(path) << QByteArray(body) << QByteArray(type);
    };
    row("root", "/", "<page>", "text/html; charset=utf-8");
    row("asset", "/assets/app-1.js", "script", "text/javascript; charset=utf-8");
    row("picture", "/favicon.svg", "<svg/>", "image/svg+xml");
    row("route of the portal", "/space-game/runs/12", "<page>", "text/html; charset=utf-8");
    row("missing asset", "/assets/app-2.js", "", "");
    row("missing file", "/robots.txt", "", "");
}

void TestStaticFiles::serves()
{
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, type);
    const auto reply = get(path.toStdString());
    if (body.isEmpty()) {
        QVERIFY(!reply);
        QVERIFY(reply.error().code == ErrorCode::NotFound);
        return;
    }
    QVERIFY(reply.has_value());
    QCOMPARE(QByteArray::fromStdString(bodyOf(*reply)), body);
    QCOMPARE(QByteArray::fromStdString(reply->contentType), type);
    QCOMPARE(reply->file->size(), std::uint64_t(body.size()));
    QVERIFY(headerOf(*reply, "Content-Security-Policy").find("script-src 'self'") !=
            std::string::npos);
    QCOMPARE(headerOf(*reply, "Cache-Control").find("immutable") != std::string::npos,
             path.startsWith("/assets/"));
}

void TestStaticFiles::staysInside_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::newRow("dots") << QByteArray("/../secret");
    QTest::newRow("encoded dots") << QByteArray("/%2e%2e/secret");
    QTest::newRow("encoded slash") << QByteArray("/..%2fsecret");
    QTest::newRow("dots later") << QByteArray("/assets/../../secret");
}

void TestStaticFiles::staysInside()
{
    QFETCH(QByteArray, path);
    const auto reply = get(path.toStdString());
    QVERIFY(!reply || bodyOf(*reply) != "secret");
}

void TestStaticFiles::answersUnchanged()
{
    const auto first = get("/");
    QVERIFY(first.has_value());
    const auto again = get("/", "If-None-Match", headerOf(*first, "ETag"));
    QVERIFY(again.has_value());
    QCOMPARE(again->status, 304);
    QCOMPARE(get("/", "If-None-Match", "\"other\", " + headerOf(*first, "ETag").substr(2))->status,
             304);
    QCOMPARE(get("/", "If-None-Match", "\"other\"")->status, 200);
}

void TestStaticFiles::sendsCompressed()
{
    const auto reply = get("/assets/app-1.js", "Accept-Encoding", "gzip, deflate");
    QVERIFY(reply.has_value());
    QCOMPARE(bodyOf(*reply), "zipped");
    QCOMPARE(headerOf(*reply, "Content-Encoding"), "gzip");
    QCOMPARE(bodyOf(*get("/assets/app-1.js", "Accept-Encoding", "gzip;q=0")), "script");
}

void TestStaticFiles::needsAnIndex()
{
    const auto files = StaticFiles::open(root() / "web/assets");
    QVERIFY(!files);
    QVERIFY(files.error().code == ErrorCode::NotFound);
}

QTEST_GUILESS_MAIN(TestStaticFiles)
#include "tst_static_files.moc"
