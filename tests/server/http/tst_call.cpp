// Bodies and their members: malformed, oversized and odd ones get a clear refusal.
#include "server/http/call.h"
#include "server/http/errors.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <sstream>

using namespace server::http;
using schema::ErrorCode;
using Json = nlohmann::ordered_json;

namespace {

struct Body
{
    explicit Body(std::string text)
        : stream(std::move(text))
    {
        call.body = &stream;
        call.header = [](std::string_view) { return std::string(); };
    }

    std::istringstream stream;
    Call call;
};

} // namespace

class TestCall : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsBodies_data();
    void readsBodies();
    void quotesNothingOfABrokenBody();
    void refusesLargeBodies();
    void refusesTruncatedBodies();
    void readsMembers();
    void readsIds_data();
    void readsIds();
    void mapsErrors_data();
    void mapsErrors();
    void survivesBytesThatAreNoUtf8();
};

void TestCall::readsBodies_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<bool>("accepted");
    QTest::newRow("object") << QByteArray("{\"a\":1}") << true;
    QTest::newRow("empty") << QByteArray() << true;
    QTest::newRow("blank") << QByteArray(" \r\n") << true;
    QTest::newRow("null") << QByteArray("null") << true;
    QTest::newRow("list") << QByteArray("[1]") << true;
    QTest::newRow("cut") << QByteArray("{\"a\":") << false;
    QTest::newRow("two values") << QByteArray("{} {}") << false;
    QTest::newRow("not JSON") << QByteArray("name=x") << false;
    QTest::newRow("bad UTF-8") << QByteArray("{\"a\":\"\xff\"}") << false;
    QTest::newRow("deep") << QByteArray("[").repeated(5000) + QByteArray("]").repeated(5000)
                          << false;
    QTest::newRow("very deep and open") << QByteArray("[").repeated(1000000) << false;
}

void TestCall::readsBodies()
{
    QFETCH(QByteArray, body);
    QFETCH(bool, accepted);
    Body input(body.toStdString());
    const auto json = input.call.json();
    QCOMPARE(json.has_value(), accepted);
    if (!json)
        QVERIFY(json.error().code == ErrorCode::InvalidArgument ||
                json.error().code == ErrorCode::LimitExceeded);
}

void TestCall::quotesNothingOfABrokenBody()
{
    Body input("{\"password\": \"hunter2\" oops}");
    const auto json = input.call.json();
    QVERIFY(!json);
    const std::string &message = json.error().message;
    QVERIFY2(message.find("hunter2") == std::string::npos, message.c_str());
    QVERIFY2(message.find("oops") == std::string::npos, message.c_str());
    QVERIFY2(message.find("line 1, column") != std::string::npos, message.c_str());
}

void TestCall::refusesLargeBodies()
{
    Body input(std::string(100, 'x'));
    QVERIFY(input.call.text(99).error().code == ErrorCode::LimitExceeded);
    Body announced("x");
    announced.call.contentLength = 1U << 30U;
    QVERIFY(announced.call.json().error().code == ErrorCode::LimitExceeded);
}

void TestCall::refusesTruncatedBodies()
{
    Body input("{\"a\":1}");
    input.call.contentLength = 100;
    QVERIFY(input.call.json().error().code == ErrorCode::Io);
}

void TestCall::readsMembers()
{
    const Json object = Json::parse(R"({"Name": "x", "id": 7, "text": "8", "yes": true,
        "no": "False", "none": null, "a": {"B": {"c": 1}}})");
    QCOMPARE(requiredText(object, "name").value(), "x");
    QCOMPARE(textMember(object, "id").value().value(), "7");
    QCOMPARE(numberMember(object, "text").value().value(), std::int64_t(8));
    QVERIFY(flagMember(object, "yes").value().value());
    QVERIFY(!flagMember(object, "no").value().value());
    QVERIFY(!textMember(object, "none").value());
    QVERIFY(!textMember(object, "absent").value());
    QVERIFY(memberAt(object, "a.b.c"));
    QVERIFY(!memberAt(object, "a.x.c"));
    QVERIFY(!memberAt(object, "name.x"));
    QVERIFY(!requiredText(object, "absent"));
    QVERIFY(!numberMember(object, "name"));
    QVERIFY(!flagMember(object, "name"));
    QVERIFY(!textMember(object, "a"));
    QVERIFY(!member(Json::array({1}), "a"));
}

void TestCall::readsIds_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("accepted");
    QTest::newRow("number") << QByteArray("12") << true;
    QTest::newRow("zero") << QByteArray("0") << false;
    QTest::newRow("negative") << QByteArray("-1") << false;
    QTest::newRow("word") << QByteArray("all") << false;
    QTest::newRow("overflow") << QByteArray("99999999999999999999") << false;
    QTest::newRow("empty") << QByteArray("") << false;
}

void TestCall::readsIds()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, accepted);
    Call call;
    call.values.emplace_back("runId", text.toStdString());
    const auto id = call.id("runId");
    QCOMPARE(id.has_value(), accepted);
    if (!accepted)
        QVERIFY(id.error().code == ErrorCode::NotFound);
}

void TestCall::mapsErrors_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<int>("status");
    QTest::newRow("invalid") << int(ErrorCode::InvalidArgument) << 400;
    QTest::newRow("unauthenticated") << int(ErrorCode::Unauthenticated) << 401;
    QTest::newRow("denied") << int(ErrorCode::PermissionDenied) << 403;
    QTest::newRow("absent") << int(ErrorCode::NotFound) << 404;
    QTest::newRow("taken") << int(ErrorCode::AlreadyExists) << 409;
    QTest::newRow("conflict") << int(ErrorCode::Conflict) << 409;
    QTest::newRow("large") << int(ErrorCode::LimitExceeded) << 413;
    QTest::newRow("broken") << int(ErrorCode::Internal) << 500;
    QTest::newRow("away") << int(ErrorCode::Unavailable) << 503;
}

void TestCall::mapsErrors()
{
    QFETCH(int, code);
    QFETCH(int, status);
    const Reply reply = errorReply({static_cast<ErrorCode>(code), "what is wrong"});
    QCOMPARE(reply.status, status);
    const Json body = Json::parse(reply.body);
    QCOMPARE(body.at("message").get<std::string>(), "what is wrong");
    QCOMPARE(body.at("$id").get<std::string>(), "1");
    QVERIFY(!body.at("typeKey").get<std::string>().empty());
}

void TestCall::survivesBytesThatAreNoUtf8()
{
    QVERIFY(Json::accept(Reply::json({{"line", "a\xff z"}}).body));
}

QTEST_GUILESS_MAIN(TestCall)
#include "tst_call.moc"
