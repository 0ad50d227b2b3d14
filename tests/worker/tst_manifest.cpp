// Kubernetes manifests: types, images, pull secrets, what pods say.
#include "worker/manifest/manifest.h"

#include <QTest>

using namespace worker;

class TestManifest : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void scalars_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        QTest::addColumn<QByteArray>("json");
        const auto row = [](const char *yaml, const char *json) {
            QTest::newRow(yaml) << QByteArray(yaml) << QByteArray(json);
        };
        row("80", "80");
        row("-3", "-3");
        row("'80'", "\"80\"");
        row("\"true\"", "\"true\"");
        row("true", "true");
        row("yes", "true");
        row("off", "false");
        row("1.5", "1.5");
        row("1e3", "1000.0");
        row("0x1F", "31");
        row("010", "8");
        row("1.2.3", "\"1.2.3\"");
        row("10m", "\"10m\"");
        row("8Mi", "\"8Mi\"");
        row("-", "[null]");
        row("~", "null");
        row("nan", "\"nan\"");
        row(".5", "0.5");
        row("99999999999999999999", "1e+20");
        row("2026-11-21", "\"2026-11-21\"");
        row("[a, 1]", "[\"a\",1]");
        row("|\n    two\n    lines", "\"two\\nlines\\n\"");
    }

    void scalars()
    {
        QFETCH(QByteArray, yaml);
        QFETCH(QByteArray, json);
        const auto objects =
            parseManifest("kind: X\nvalue: " + (yaml == "-" ? "\n- " : yaml.toStdString()) + "\n");
        QVERIFY2(objects, objects ? "" : objects.error().message.c_str());
        QCOMPARE(QByteArray::fromStdString(objects->at(0)["value"].dump()), json);
    }

    void documentsAndLists()
    {
        const auto objects = parseManifest("---\nkind: A\n---\n---\nkind: List\nitems:\n- kind: B\n"
                                           "- kind: C\n");
        QVERIFY(objects);
        QCOMPARE(objects->size(), std::size_t(3));
        QCOMPARE(worker::objectName(objects->at(2)), std::string("C/?"));
    }

    void emptyDocumentsHideNothing()
    {
        const auto objects = parseManifest("\xef\xbb\xbf---\n# \xc3\xa9\n---\nkind: A\n---\n"
                                           "# nothing\n---\n...\r\n---\r\nkind: B\n");
        QVERIFY2(objects, objects ? "" : objects.error().message.c_str());
        QCOMPARE(objects->size(), std::size_t(2));
    }

    void anchorsAndMerges()
    {
        const auto objects =
            parseManifest("kind: A\nbase: &b {x: 1, y: 2}\nuse: *b\nmore:\n  <<: *b\n  y: 3\n"
                          "quoted: {'<<': 4}\ntwice: 1\ntwice: 2\n");
        QVERIFY2(objects, objects ? "" : objects.error().message.c_str());
        QCOMPARE(QByteArray::fromStdString(objects->at(0).dump()),
                 QByteArray(R"({"kind":"A","base":{"x":1,"y":2},"use":{"x":1,"y":2},)"
                            R"("more":{"y":3,"x":1},"quoted":{"<<":4},"twice":2})"));
    }

    void manyKeysInBoundedTime()
    {
        std::string yaml("kind: A\n");
        for (int i = 0; i < 200'000; ++i)
            yaml += "k" + std::to_string(i) + ": 1\n";
        const auto objects = parseManifest(yaml);
        QVERIFY2(objects, objects ? "" : objects.error().message.c_str());
        QCOMPARE(objects->at(0).size(), std::size_t(200'001));
    }

    void wrongManifests_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        QTest::addColumn<QByteArray>("part");
        QTest::newRow("tab") << QByteArray("kind: A\nx:\n\t- 1\n") << QByteArray("line 3");
        QTest::newRow("no kind") << QByteArray("a: 1\n") << QByteArray("no 'kind'");
        QTest::newRow("text") << QByteArray("hello\n") << QByteArray("no 'kind'");
        QTest::newRow("kind is a list") << QByteArray("kind: [a]\n") << QByteArray("no 'kind'");
        QTest::newRow("deep") << QByteArray("kind: A\nx: ") + QByteArray(400, '[') +
                                     QByteArray(400, ']')
                              << QByteArray("nested too deep");
        QByteArray bomb("kind: A\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (int i = 1; i < 9; ++i) {
            bomb += "a" + QByteArray::number(i) + ": &a" + QByteArray::number(i) + " [";
            for (int j = 0; j < 10; ++j)
                bomb += (j > 0 ? ",*a" : "*a") + QByteArray::number(i - 1);
            bomb += "]\n";
        }
        QTest::newRow("alias bomb") << bomb << QByteArray("too large");
        bomb = "kind: A\na0: &a0 {" + QByteArray(1000, 'k') + ": 1}\n";
        for (int i = 1; i < 9; ++i) {
            bomb += "a" + QByteArray::number(i) + ": &a" + QByteArray::number(i) + " [";
            for (int j = 0; j < 10; ++j)
                bomb += (j > 0 ? ",*a" : "*a") + QByteArray::number(i - 1);
            bomb += "]\n";
        }
        QTest::newRow("alias bomb of long keys") << bomb << QByteArray("too large");
        QTest::newRow("alias inside its anchor")
            << QByteArray("kind: A\nx: &x [*x]\n") << QByteArray("inside what it names");
        QTest::newRow("token that begins nothing")
            << QByteArray(", a") << QByteArray("line 1, column 1: expected");
        QTest::newRow("tag and token that begins nothing")
            << QByteArray("!t , a") << QByteArray("expected the end of the document");
        QTest::newRow("indentation that ends the document")
            << QByteArray("- kind: A\nb: c\n") << QByteArray("line 2, column 1: expected");
        QTest::newRow("list as a key")
            << QByteArray("[a]: 1\n") << QByteArray("key must be a text");
        QTest::newRow("no UTF-8") << QByteArray("kind: \xff\n") << QByteArray("UTF-8");
    }

    void wrongManifests()
    {
        QFETCH(QByteArray, yaml);
        QFETCH(QByteArray, part);
        const auto objects = parseManifest(yaml.toStdString());
        QVERIFY(!objects);
        QVERIFY2(objects.error().message.find(part.toStdString()) != std::string::npos,
                 objects.error().message.c_str());
    }

    void imageRepositories_data()
    {
        QTest::addColumn<QByteArray>("reference");
        QTest::addColumn<QByteArray>("repository");
        QTest::newRow("plain") << QByteArray("nginx") << QByteArray("nginx");
        QTest::newRow("tag") << QByteArray("nginx:1") << QByteArray("nginx");
        QTest::newRow("port") << QByteArray("h:5000/a/b") << QByteArray("h:5000/a/b");
        QTest::newRow("port and tag") << QByteArray("h:5000/a/b:1") << QByteArray("h:5000/a/b");
        QTest::newRow("digest") << QByteArray("h/a:1@sha256:ab") << QByteArray("h/a");
    }

    void imageRepositories()
    {
        QFETCH(QByteArray, reference);
        QFETCH(QByteArray, repository);
        QCOMPARE(QByteArray::fromStdString(imageRepository(reference.toStdString())), repository);
    }

    void substitution()
    {
        auto objects = parseManifest("kind: Deployment\nmetadata: {name: web}\nspec:\n  selector: "
                                     "{matchLabels: {app: web}}\n  template:\n    spec:\n"
                                     "      initContainers: [{name: i, image: 'r/init'}]\n"
                                     "      containers:\n      - {name: web, image: 'r:5000/web'}\n"
                                     "      - {name: side, image: 'other/web:1'}\n"
                                     "      imagePullSecrets: [{name: have}]\n");
        QVERIFY(objects);
        auto &object = objects->at(0);
        QCOMPARE(substituteImages(object, {"r:5000/web:7", "r/init:8@sha256:00", "web:9"}),
                 std::size_t(2));
        addPullSecrets(object, {"have", "more"});
        annotate(object, {{"azure-pipelines/run", "1"}});
        const auto &spec = object["spec"]["template"]["spec"];
        QCOMPARE(spec["containers"].dump(),
                 std::string("[{\"name\":\"web\",\"image\":\"r:5000/web:7\"},{\"name\":\"side\","
                             "\"image\":\"other/web:1\"}]"));
        QCOMPARE(spec["imagePullSecrets"].dump(),
                 std::string("[{\"name\":\"have\"},{\"name\":\"more\"}]"));
        QCOMPARE(object["metadata"]["annotations"].dump(),
                 std::string("{\"azure-pipelines/run\":\"1\"}"));

        const auto all = workloads(*objects);
        QCOMPARE(all.size(), std::size_t(1));
        const auto pods = ManifestJson::parse(
            "{\"items\":[{\"metadata\":{\"name\":\"web-1\",\"labels\":{\"app\":\"web\"}},\"spec\":"
            "{\"containers\":[{\"name\":\"web\",\"image\":\"r:5000/web:7\"}]},\"status\":"
            "{\"containerStatuses\":[{\"name\":\"web\",\"ready\":true,\"imageID\":"
            "\"docker-pullable://r:5000/web@sha256:abc\"}]}},"
            "{\"metadata\":{\"name\":\"web-0\",\"labels\":{\"app\":\"web\"}},\"spec\":"
            "{\"containers\":[{\"name\":\"web\",\"image\":\"r:5000/web:6\"}]},\"status\":"
            "{\"containerStatuses\":[{\"name\":\"web\",\"imageID\":"
            "\"docker-pullable://r:5000/web@sha256:old\"}]}}]}");
        const auto items = deployedItems(all, pods, "dev");
        QCOMPARE(items.size(), std::size_t(2));
        QVERIFY((items[0] == schema::protocol::DeployedItem{"Deployment", "web", "web",
                                                            "r:5000/web:7", "sha256:abc", "dev"}));
        QCOMPARE(items[1].digest, std::string());
    }

    void problems_data()
    {
        QTest::addColumn<QByteArray>("status");
        QTest::addColumn<QByteArray>("part"); ///< empty: no problem
        QTest::addColumn<bool>("hopeless");
        const auto row = [](const char *name, const char *status, const char *part, bool hopeless) {
            QTest::newRow(name) << QByteArray(status) << QByteArray(part) << hopeless;
        };
        row("ready", "{\"ready\":true,\"state\":{\"running\":{}}}", "", false);
        row("starting",
            "{\"ready\":false,\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\"}}}", "",
            false);
        row("401",
            "{\"ready\":false,\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\",\"message\":"
            "\"401 Unauthorized\"}}}",
            "imagePullSecrets", true);
        row("no such tag",
            "{\"ready\":false,\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\",\"message\":"
            "\"manifest unknown\"}}}",
            "not in the registry", true);
        row("registry down",
            "{\"ready\":false,\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\",\"message\":"
            "\"connection refused\"}}}",
            "cannot reach the registry", false);
        row("crash", "{\"ready\":false,\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}",
            "ends right after", false);
        row("probe", "{\"ready\":false,\"state\":{\"running\":{}}}", "readiness probe", false);
    }

    void problems()
    {
        QFETCH(QByteArray, status);
        QFETCH(QByteArray, part);
        QFETCH(bool, hopeless);
        auto container = ManifestJson::parse(status.toStdString());
        container["name"] = "c";
        const ManifestJson pods = {
            {"items",
             {{{"metadata", {{"name", "p"}, {"labels", {{"app", "web"}}}}},
               {"status", {{"containerStatuses", ManifestJson::array({container})}}}}}}};
        Workload workload{"Deployment", "web", {{"app", "web"}}, {}};
        const auto found = podProblems(workload, pods);
        QCOMPARE(found.empty(), part.isEmpty());
        if (found.empty())
            return;
        QVERIFY2(found[0].sentence.find(part.toStdString()) != std::string::npos,
                 found[0].sentence.c_str());
        QCOMPARE(found[0].hopeless, hopeless);
    }
};

QTEST_APPLESS_MAIN(TestManifest)
#include "tst_manifest.moc"
