// What an administrator changes after setting up: tokens, pools, image names, definitions.
#include "tests/server/support/live_server.h"

#include <QTest>

#include <fmt/format.h>

using tests::LiveServer;

class TestAdministration : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void listsAndRevokesTokens();
    void renamesAndRemovesPools();
    void limitsPools();
    void unmapsImages();
    void changesDefinitions();

private:
    [[nodiscard]] nlohmann::ordered_json get(const std::string &path) const
    {
        return m_server->call("GET", path).json();
    }

    std::unique_ptr<LiveServer> m_server;
};

void TestAdministration::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->call("POST", "/_apis/projects", R"({"name": "p"})").status, 202);
}

void TestAdministration::listsAndRevokesTokens()
{
    const std::string path = "/_apis/slipway/identities/operator/tokens";
    const auto made = m_server->call("POST", path, R"({"name": "laptop", "expiresInMinutes": 5})");
    QCOMPARE(made.status, 201);
    const std::string token = made.json().at("token").get<std::string>();
    const auto answer = m_server->call("GET", path);
    QVERIFY(answer.body.find(token) == std::string::npos);
    const auto tokens = answer.json().at("value");
    QCOMPARE(tokens.at(0).at("name").get<std::string>(), "laptop");
    const std::string id = std::to_string(tokens.at(0).at("id").get<int>());
    const std::string request = "GET /_apis/slipway/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                "Authorization: Bearer " +
                                token + "\r\n\r\n";
    QCOMPARE(m_server->raw(request).status, 200);
    QCOMPARE(m_server->call("DELETE", path + "/" + id).status, 204);
    QCOMPARE(m_server->raw(request).status, 401);
    QCOMPARE(m_server->call("DELETE", path + "/" + id).status, 404);
    // Nobody but an administrator sees the tokens of others.
    (void)m_server->call("POST", "/_apis/slipway/identities", R"({"uniqueName": "ann"})");
    const auto ann = m_server->call("POST", "/_apis/slipway/identities/ann/tokens", "{}").json();
    const std::string asAnn =
        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
        ann.at("token").get<std::string>() + "\r\n\r\n";
    QCOMPARE(m_server->raw("GET " + path + asAnn).status, 403);
    QCOMPARE(m_server->raw("GET /_apis/slipway/identities/ann/tokens" + asAnn).status, 200);
}

void TestAdministration::renamesAndRemovesPools()
{
    const std::string pools = "/_apis/distributedtask/pools";
    const auto pool = m_server->call("POST", pools, R"({"name": "linux"})").json();
    const std::string path = pools + "/" + std::to_string(pool.at("id").get<int>());
    const auto renamed = m_server->call("PATCH", path, R"({"name": "arm"})");
    QCOMPARE(renamed.status, 200);
    QCOMPARE(renamed.json().at("name").get<std::string>(), "arm");
    QCOMPARE(m_server->call("PATCH", path, R"({"name": "default"})").status, 409);
    QCOMPARE(m_server->call("PATCH", path, R"({"name": ""})").status, 400);
    QCOMPARE(m_server->call("DELETE", path).status, 204);
    QCOMPARE(m_server->call("GET", path).status, 404);
}

void TestAdministration::limitsPools()
{
    const std::string pools = "/_apis/distributedtask/pools";
    const auto pool = m_server->call("POST", pools, R"({"name": "small"})").json();
    QVERIFY(pool.at("maxParallelism").is_null());
    const std::string path = pools + "/" + std::to_string(pool.at("id").get<int>());
    const auto limited = m_server->call("PATCH", path, R"({"maxParallelism": 2})").json();
    QCOMPARE(limited.at("maxParallelism").get<int>(), 2);
    QCOMPARE(limited.at("name").get<std::string>(), "small");
    // What is not given stays.
    QCOMPARE(
        m_server->call("PATCH", path, R"({"name": "few"})").json().at("maxParallelism").get<int>(),
        2);
    for (const char *bad : {"-1", "100001", "\"many\"", "1.5"})
        QCOMPARE(
            m_server->call("PATCH", path, fmt::format(R"({{"maxParallelism": {}}})", bad)).status,
            400);
    const auto made =
        m_server->call("POST", pools, R"({"name": "tiny", "maxParallelism": 1})").json();
    QCOMPARE(made.at("maxParallelism").get<int>(), 1);
    const std::string tiny = pools + "/" + std::to_string(made.at("id").get<int>());
    QCOMPARE(get(tiny).at("maxParallelism").get<int>(), 1);
    // Refused whole: no pool without its limit stays behind.
    const std::string bad = R"({"name": "odd", "maxParallelism": -1})";
    QCOMPARE(m_server->call("POST", pools, bad).status, 400);
    QCOMPARE(get(pools + "?poolName=odd").at("count").get<int>(), 0);
    QCOMPARE(m_server->call("DELETE", tiny).status, 204);
    const auto freed = m_server->call("PATCH", path, R"({"maxParallelism": null})").json();
    QVERIFY(freed.at("maxParallelism").is_null());
    QCOMPARE(freed.at("queuedJobs").get<int>(), 0);
    QCOMPARE(m_server->call("DELETE", path).status, 204);
}

void TestAdministration::unmapsImages()
{
    const std::string images = "/_apis/slipway/images";
    QCOMPARE(m_server->call("PUT", images, R"({"vmImage": "ubuntu-22.04", "poolId": 1})").status,
             200);
    QCOMPARE(get(images).at("count").get<int>(), 2);
    QCOMPARE(m_server->call("DELETE", images + "/Ubuntu-22.04").status, 204);
    QCOMPARE(m_server->call("DELETE", images + "/ubuntu-22.04").status, 404);
    QCOMPARE(get(images).at("value").at(0).at("vmImage").get<std::string>(), "*");
}

void TestAdministration::changesDefinitions()
{
    (void)m_server->call("POST", "/p/_apis/git/repositories", R"({"name": "code"})");
    const std::string body = R"({"name": "one", "process": {"yamlFilename": "a.yml", "type": 2},
        "repository": {"name": "code"}})";
    const auto made = m_server->call("POST", "/p/_apis/build/definitions", body);
    QCOMPARE(made.status, 200);
    const std::string path =
        "/p/_apis/build/definitions/" + std::to_string(made.json().at("id").get<int>());
    const auto changed = m_server->call(
        "PUT", path,
        R"({"revision": 1, "name": "uno", "process": {"yamlFilename": "b.yml"}, "queueStatus": 2})");
    QCOMPARE(changed.status, 200);
    const auto json = get(path);
    QCOMPARE(json.at("name").get<std::string>(), "uno");
    QCOMPARE(json.at("process").at("yamlFilename").get<std::string>(), "b.yml");
    QCOMPARE(json.at("queueStatus").get<std::string>(), "disabled");
    QCOMPARE(json.at("revision").get<int>(), 2);
    QVERIFY(json.at("maxParallelism").is_null());
    const auto limited = m_server->call("PUT", path, R"({"maxParallelism": 3})");
    QCOMPARE(limited.json().at("maxParallelism").get<int>(), 3);
    QCOMPARE(m_server->call("PUT", path, R"({"maxParallelism": -3})").status, 400);
    // Somebody else's change is not overwritten.
    QCOMPARE(m_server->call("PUT", path, R"({"revision": 1, "name": "eins"})").status, 409);
    QCOMPARE(m_server->call("PUT", path, R"({"queueStatus": "sometimes"})").status, 400);
    const auto queued = m_server->call("POST", "/p/_apis/build/builds",
                                       R"({"definition": {"id": )" +
                                           std::to_string(json.at("id").get<int>()) + "}}");
    QVERIFY(queued.status == 400 || queued.status == 409);
}

QTEST_GUILESS_MAIN(TestAdministration)
#include "tst_administration.moc"
