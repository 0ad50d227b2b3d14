// The client against a real HTTP server with canned answers: what servers may send, not what ours
// does.
#include "cli/client/api_client.h"

#include <QTest>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <nlohmann/json.hpp>

#include <map>
#include <ostream>

using nlohmann::json;

namespace {

struct Answer
{
    int status = 200;
    std::string body;
    std::string type = "application/json";
};

const std::map<std::string, Answer> kAnswers{
    {"/object", {200, R"({"name":"x"})"}},
    {"/empty", {204, ""}},
    {"/no-json", {200, "<html>", "text/html"}},
    {"/missing", {404, R"({"message":"there is no run 7","typeKey":"NotFound"})"}},
    {"/conflict", {409, R"({"message":"taken"})"}},
    {"/plain-error", {500, "oops", "text/plain"}},
    {"/invalid",
     {400,
      R"({"message":"the file has errors","diagnostics":[{"file":"/a.yml","line":3,"column":5,"message":"unknown key","severity":"error","hint":"did you mean 'steps'?"},{"file":"","line":0,"column":0,"message":"no value","severity":"error"}]})"}},
    {"/p/_apis/slipway/logs/1/2", {200, "line\n", "text/plain"}},
    {"/_apis/slipway/events",
     {200,
      ": ping\n\nid: 1\nevent: run\ndata: {\"runId\":7}\n\nevent: log\r\ndata: {\"a\":\r\ndata: "
      "1}\r\n\r\nevent: last\ndata: broken\n\n",
      "text/event-stream"}},
};

class Handler : public Poco::Net::HTTPRequestHandler
{
public:
    void handleRequest(Poco::Net::HTTPServerRequest &request,
                       Poco::Net::HTTPServerResponse &response) override
    {
        const std::string path = request.getURI().substr(0, request.getURI().find('?'));
        const auto found = kAnswers.find(path);
        Answer answer = found == kAnswers.end() ? Answer{404, "{}"} : found->second;
        if (path == "/cut" || path == "/p/_apis/slipway/logs/1/4") {
            // A chunk, and then the connection ends without the last one.
            response.setChunkedTransferEncoding(true);
            response.setKeepAlive(false);
            response.send() << "{}" << std::flush;
            dynamic_cast<Poco::Net::HTTPServerRequestImpl &>(request).socket().close();
            return;
        }
        if (path == "/echo") {
            std::string body((std::istreambuf_iterator<char>(request.stream())),
                             std::istreambuf_iterator<char>());
            answer = {200, json{{"method", request.getMethod()},
                                {"body", body},
                                {"token", request.get("Authorization", "")}}
                               .dump()};
        }
        response.setStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
        response.setContentType(answer.type);
        response.set("X-Slipway-Sealed", "1");
        response.send() << answer.body;
    }
};

class Factory : public Poco::Net::HTTPRequestHandlerFactory
{
public:
    Poco::Net::HTTPRequestHandler *
    createRequestHandler(const Poco::Net::HTTPServerRequest &) override
    {
        return new Handler;
    } // NOLINT: Poco owns it
};

} // namespace

class ApiClientTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void answers();
    void sends();
    void errors_data();
    void errors();
    void nobodyAnswers();
    void logs();
    void events();
    void encodes();

private:
    [[nodiscard]] cli::ApiClient client() const
    {
        return {"http://127.0.0.1:" + std::to_string(m_port) + "/", "secret"};
    }

    std::unique_ptr<Poco::Net::HTTPServer> m_server;
    int m_port = 0;
};

void ApiClientTest::initTestCase()
{
    const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
    m_port = socket.address().port();
    m_server = std::make_unique<Poco::Net::HTTPServer>(
        new Factory, socket, new Poco::Net::HTTPServerParams); // NOLINT: it owns both
    m_server->start();
}

void ApiClientTest::cleanupTestCase()
{
    m_server->stopAll(true);
}

void ApiClientTest::answers()
{
    const auto object = client().get("/object");
    QVERIFY(object);
    QCOMPARE((*object)["name"].get<std::string>(), std::string("x"));
    const auto empty = client().get("/empty");
    QVERIFY(empty);
    QVERIFY(empty->is_object());
}

void ApiClientTest::sends()
{
    const auto echo = client().patch("/echo", json{{"a", 1}});
    QVERIFY(echo);
    QCOMPARE((*echo)["method"].get<std::string>(), std::string("PATCH"));
    QCOMPARE((*echo)["body"].get<std::string>(), std::string(R"({"a":1})"));
    QCOMPARE((*echo)["token"].get<std::string>(), std::string("Bearer secret"));
}

void ApiClientTest::errors_data()
{
    QTest::addColumn<std::string>("path");
    QTest::addColumn<int>("code");
    QTest::addColumn<std::string>("message");
    const auto row = [](const char *path, schema::ErrorCode code, const char *message) {
        QTest::newRow(path) << std::string(path) << static_cast<int>(code) << std::string(message);
    };
    row("/missing", schema::ErrorCode::NotFound, "there is no run 7");
    row("/conflict", schema::ErrorCode::AlreadyExists, "taken");
    row("/plain-error", schema::ErrorCode::Internal, "status 500");
    row("/invalid", schema::ErrorCode::InvalidArgument,
        "the pipeline has errors:\n/a.yml:3:5: error: unknown key (did you mean 'steps'?)\n"
        "error: no value");
    row("/no-json", schema::ErrorCode::Internal, "is this a Slipway server?");
    row("/cut", schema::ErrorCode::Unavailable, "breaks off after 2 bytes, before its last chunk");
}

void ApiClientTest::errors()
{
    QFETCH(std::string, path);
    QFETCH(int, code);
    QFETCH(std::string, message);
    const auto answer = client().get(path);
    QVERIFY(!answer);
    QCOMPARE(static_cast<int>(answer.error().code), code);
    QVERIFY2(answer.error().message.find(message) != std::string::npos,
             answer.error().message.c_str());
}

void ApiClientTest::nobodyAnswers()
{
    const auto refused = cli::ApiClient("http://127.0.0.1:1", "").get("/");
    QVERIFY(!refused);
    QVERIFY(refused.error().code == schema::ErrorCode::Unavailable);
    QVERIFY(refused.error().message.find("http://127.0.0.1:1") != std::string::npos);
    const auto nonsense = cli::ApiClient("not a url", "").get("/");
    QVERIFY(!nonsense);
}

void ApiClientTest::logs()
{
    const auto part = client().log("p", 1, 2, 100);
    QVERIFY(part);
    QCOMPARE(part->bytes, std::string("line\n"));
    QCOMPARE(part->length, std::uint64_t{105});
    QVERIFY(part->sealed);
    QVERIFY(!client().log("p", 1, 3, 0));
    // Half a part of a sealed log must not pass for its end.
    const auto cut = client().log("p", 1, 4, 0);
    QVERIFY(!cut && cut.error().code == schema::ErrorCode::Unavailable);
}

void ApiClientTest::events()
{
    std::string seen;
    const auto status = client().events("p", [&seen](std::string_view name, const json &data) {
        seen += std::string(name) + data.dump() + " ";
        return true;
    });
    QCOMPARE(seen, std::string(R"(open{} ping{} run{"runId":7} log{"a":1} last{} )"));
    QVERIFY(!status); // the server ended the stream, which the caller must know
    seen.clear();
    QVERIFY(client().events("p", [&seen](std::string_view name, const json &) {
        seen += std::string(name) + " ";
        return name != "run";
    }));
    QCOMPARE(seen, std::string("open ping run "));
}

void ApiClientTest::encodes()
{
    QCOMPARE(cli::urlEncoded("a b/c?d=\u00e4&%"), std::string("a%20b%2Fc%3Fd%3D%C3%A4%26%25"));
}

QTEST_GUILESS_MAIN(ApiClientTest)
#include "tst_api_client.moc"
