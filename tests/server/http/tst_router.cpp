// Routing by the published table: literals win, names ignore case, last placeholders are optional.
#include "server/http/router.h"

#include <QTest>

#include <set>

using namespace server::http;

namespace {

Handler nothing()
{
    return [](Call &) { return schema::Result(Reply::empty()); };
}

Router exampleRouter()
{
    Router router;
    router.serve("GET", "28e1305e", Form::Collection, nothing()); // {project}/_apis/pipelines
    router.serve("GET", "28e1305e", Form::Item, nothing());
    router.serve("GET", "7859261e", Form::Item, nothing());       // .../{pipelineId}/runs/{runId}
    router.serve("GET", "d86b72de", Form::Collection, nothing()); // pipelines/environments
    router.serve("GET", "37794717", Form::Item, nothing()); // pipelines/approvals/{approvalId}
    router.serve("GET", "603fe2ac", Form::Item, nothing()); // _apis/projects/{*projectId}
    router.serve("POST", "0cd358e1", Form::Collection, nothing());
    router.add("GET", "{project}/_git/{repository}/{*rest}", nothing(), Access::Credential);
    return router;
}

} // namespace

class TestRouter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void finds_data();
    void finds();
    void namesOtherMethods();
    void publishesOnlyWhatIsServed();
    void keepsTheTableConsistent();
};

void TestRouter::finds_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("found"); ///< template, empty: none
    QTest::addColumn<QByteArray>("values");
    const auto row = [](const char *name, const char *path, const char *found, const char *values) {
        QTest::newRow(name) << QByteArray(path) << QByteArray(found) << QByteArray(values);
    };
    row("list", "/P/_apis/pipelines", "{project}/_apis/Pipelines", "project=P;");
    row("any case", "/P/_APIS/PIPELINES/3", "{project}/_apis/Pipelines/{pipelineId}",
        "project=P;pipelineId=3;");
    row("deep", "/P/_apis/pipelines/3/runs/9",
        "{project}/_apis/Pipelines/{pipelineId}/runs/{runId}", "project=P;pipelineId=3;runId=9;");
    row("literal wins", "/P/_apis/pipelines/environments", "{project}/_apis/pipelines/environments",
        "project=P;");
    row("literal wins with item", "/P/_apis/pipelines/approvals/x",
        "{project}/_apis/pipelines/approvals/{approvalId}", "project=P;approvalId=x;");
    row("blank in project", "/My%20Project/_apis/pipelines", "{project}/_apis/Pipelines",
        "project=My Project;");
    row("catch-all", "/_apis/projects/a", "_apis/projects/{*projectId}", "projectId=a;");
    row("catch-all takes several", "/P/_git/R/info/refs", "{project}/_git/{repository}/{*rest}",
        "project=P;repository=R;rest=info/refs;");
    row("too long", "/P/_apis/pipelines/3/runs/9/x", "", "");
    row("unknown", "/P/_apis/nothing", "", "");
}

void TestRouter::finds()
{
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, found);
    QFETCH(QByteArray, values);
    const Router router = exampleRouter();
    const auto target = parseTarget(path.toStdString());
    QVERIFY(target.has_value());
    const auto match = router.find("GET", target->segments);
    QCOMPARE(match.route ? QByteArray::fromStdString(match.route->routeTemplate) : QByteArray(""),
             found);
    QByteArray got("");
    for (const auto &[name, value] : match.values)
        got += QByteArray::fromStdString(name + "=" + value + ";");
    QCOMPARE(got, values);
}

void TestRouter::namesOtherMethods()
{
    const Router router = exampleRouter();
    const auto match = router.find("DELETE", {"P", "_apis", "build", "builds"});
    QVERIFY(!match.route);
    QCOMPARE(match.allowed, std::vector<std::string>{"POST"});
}

void TestRouter::publishesOnlyWhatIsServed()
{
    const Router router = exampleRouter();
    QCOMPARE(router.served().size(), std::size_t(6));
    // One area name, two spellings in the table: both answer.
    QCOMPARE(router.served("PIPELINES").size(), std::size_t(2));
    QVERIFY(router.served("git").empty());
}

void TestRouter::keepsTheTableConsistent()
{
    std::set<std::string_view> ids;
    for (const auto &location : locations()) {
        QVERIFY2(ids.insert(location.id).second, location.id.data());
        QCOMPARE(location.id.size(), std::size_t(36));
        const auto path = expandedTemplate(location);
        QVERIFY(path.find("{area}") == std::string::npos);
        QVERIFY(path.find("{resource}") == std::string::npos);
        // Clients compare versions as decimals: 7.10 would be 7.1 (D1.8).
        QCOMPARE(location.maxVersion.size(), std::size_t(3));
    }
    QVERIFY(ids.size() > 150);
}

QTEST_GUILESS_MAIN(TestRouter)
#include "tst_router.moc"
