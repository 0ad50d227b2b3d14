// schema/openapi.yaml names every route of the server and none that it does not have.
#include "tests/server/support/live_server.h"
#include "tests/support/source_tree.h"

#include <QTest>

#include <fstream>
#include <set>

namespace {

/// "GET /a/{b}" of every operation: paths stand at two blanks, methods at four.
std::set<std::string> documented()
{
    std::ifstream file(::test::sourceTree("schema/openapi.yaml"));
    std::set<std::string> out;
    std::string line;
    std::string path;
    bool inPaths = false;
    while (std::getline(file, line)) {
        if (!line.empty() && line.front() != ' ')
            inPaths = line == "paths:";
        if (!inPaths)
            continue;
        const auto indent = line.find_first_not_of(' ');
        const auto colon = line.find(':');
        if (indent == 2 && line[2] == '/')
            path = line.substr(2, colon - 2);
        else if (indent == 4 && colon != std::string::npos) {
            std::string method = line.substr(4, colon - 4);
            for (char &c : method)
                c = char(std::toupper(static_cast<unsigned char>(c)));
            if (method != "PARAMETERS")
                out.insert(method + " " + path);
        }
    }
    return out;
}

} // namespace

class TestOpenApi : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void describesEveryRoute();
};

void TestOpenApi::describesEveryRoute()
{
    const tests::LiveServer server;
    QVERIFY2(server.running(), server.failure().c_str());
    const auto described = documented();
    std::set<std::string> served;
    for (std::string route : server.routes()) {
        // OpenAPI has no catch-alls: "{*path}" is written "{path}".
        if (const auto star = route.find("{*"); star != std::string::npos)
            route.erase(star + 1, 1);
        served.insert(route);
    }
    QStringList wrong;
    for (const auto &route : served)
        if (!described.contains(route))
            wrong.append(QStringLiteral("not described: ") + QString::fromStdString(route));
    for (const auto &route : described)
        if (!served.contains(route))
            wrong.append(QStringLiteral("not served: ") + QString::fromStdString(route));
    for (const auto &line : wrong) // one by one: Qt Test cuts long messages
        qWarning("%s", qPrintable(line));
    QVERIFY(wrong.isEmpty());
    QVERIFY(served.size() > 100);
}

QTEST_GUILESS_MAIN(TestOpenApi)
#include "tst_openapi.moc"
