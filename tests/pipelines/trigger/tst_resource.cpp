// Triggers of resources: what is declared, and which event starts a run (pipeline-language 4.1
// to 4.4).

#include "pipelines/trigger/resource.h"

#include <QTest>

using namespace pipelines;
using namespace pipelines::trigger;

namespace {

Triggers::Resource only(const QByteArray &yaml)
{
    std::vector<Diagnostic> diagnostics;
    const Triggers triggers =
        scanTriggers("/a.yml", "resources: " + yaml.toStdString() + "\n", diagnostics);
    return triggers.resources.size() == 1 ? triggers.resources[0] : Triggers::Resource{};
}

std::vector<std::string> words(const QByteArray &text)
{
    std::vector<std::string> out;
    for (const QByteArray &word : text.split(' ')) {
        if (!word.isEmpty())
            out.push_back(word.toStdString());
    }
    return out;
}

} // namespace

class TestResource : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void completion_data()
    {
        QTest::addColumn<QByteArray>("trigger");
        QTest::addColumn<QByteArray>("branch");
        QTest::addColumn<QByteArray>("tags");
        QTest::addColumn<QByteArray>("stages");
        QTest::addColumn<bool>("whole");
        QTest::addColumn<bool>("fires");
        const auto row = [](const char *trigger, const char *branch, const char *tags,
                            const char *stages, bool whole, bool fires) {
            QTest::addRow("%s <- %s [%s] [%s] %d", trigger, branch, tags, stages, whole)
                << QByteArray(trigger) << QByteArray(branch) << QByteArray(tags)
                << QByteArray(stages) << whole << fires;
        };
        row("true", "refs/heads/any", "", "", true, true);
        row("true", "refs/heads/any", "", "Build", false, false);
        row("none", "refs/heads/main", "", "", true, false);
        row("{enabled: false}", "refs/heads/main", "", "", true, false);
        row("{branches: [main]}", "refs/heads/main", "", "", true, true);
        row("{branches: [main]}", "refs/heads/other", "", "", true, false);
        row("{branches: {include: ['*'], exclude: [old]}}", "refs/heads/old", "", "", true, false);
        row("{tags: [ok, good]}", "refs/heads/main", "good OK more", "", true, true);
        row("{tags: [ok, good]}", "refs/heads/main", "ok", "", true, false);
        row("{stages: [Build, Test]}", "refs/heads/main", "", "test build", false, true);
        row("{stages: [Build, Test]}", "refs/heads/main", "", "Build", true, false);
        row("{branches: [main], tags: [ok], stages: [Build]}", "refs/heads/main", "ok", "Build",
            false, true);
        row("{branches: [main], tags: [ok], stages: [Build]}", "refs/heads/x", "ok", "Build", false,
            false);
    }

    void completion()
    {
        QFETCH(QByteArray, trigger);
        QFETCH(QByteArray, branch);
        QFETCH(QByteArray, tags);
        QFETCH(QByteArray, stages);
        QFETCH(bool, whole);
        const auto resource =
            only("{pipelines: [{pipeline: up, source: 'team\\Up', trigger: " + trigger + "}]}");
        Completion completion{"/team/Up",  "Shop",        branch.toStdString(),
                              words(tags), words(stages), whole};
        QTEST(matches(resource, completion, "shop"), "fires");
        completion.project = "Other";
        QVERIFY(!matches(resource, completion, "shop"));
        completion.project = "Shop";
        completion.pipeline = "Up";
        QVERIFY(!matches(resource, completion, "shop"));
    }

    void withoutTrigger()
    {
        for (const char *yaml :
             {"{pipelines: [{pipeline: a, source: A}]}", "{containers: [{container: a, image: x}]}",
              "{repositories: [{repository: a, name: p/r, trigger: none}]}",
              "{builds: [{build: a, trigger: none}]}", "[{repo: self}]", "text"})
            QVERIFY2(only(yaml).alias.empty(), yaml);
    }

    void push()
    {
        const auto resource = only("{repositories: [{repository: r, name: p/r, trigger: {branches: "
                                   "[main], paths: {exclude: [docs]}}}]}");
        const std::vector<std::string> source{"src/a.c"};
        const std::vector<std::string> docs{"docs/a.md"};
        QVERIFY(matchesPush(resource, "refs/heads/main", source));
        QVERIFY(!matchesPush(resource, "refs/heads/main", docs));
        QVERIFY(!matchesPush(resource, "refs/heads/x", source));
        QVERIFY(!matchesTag(resource, "main"));
    }

    void tag()
    {
        const auto all = only("{containers: [{container: c, image: x, trigger: true}]}");
        const auto some = only("{containers: [{container: c, image: x, trigger: {tags: {include: "
                               "['v*'], exclude: ['v1*']}}}]}");
        QVERIFY(matchesTag(all, "anything"));
        QVERIFY(matchesTag(some, "v2"));
        QVERIFY(!matchesTag(some, "v1.2"));
        QVERIFY(!matchesTag(some, "latest"));
    }

    void payload()
    {
        const auto hook = only("{webhooks: [{webhook: w, connection: c, filters: [{path: a.b, "
                               "value: x}, {path: c, value: '1'}]}]}");
        const auto valueAt = [](const std::string &path) -> std::optional<std::string> {
            if (path == "a.b")
                return "x";
            return std::nullopt;
        };
        QVERIFY(!matchesPayload(hook, valueAt));
        QVERIFY(matchesPayload(hook, [](const std::string &path) -> std::optional<std::string> {
            return path == "c" ? "1" : "x";
        }));
        QVERIFY(matchesPayload(only("{webhooks: [{webhook: w, connection: c}]}"), valueAt));
    }
};

QTEST_GUILESS_MAIN(TestResource)
#include "tst_resource.moc"
