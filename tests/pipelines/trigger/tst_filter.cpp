#include "pipelines/trigger/filter.h"

#include <QTest>

using namespace pipelines;
using namespace pipelines::trigger;

namespace {

std::vector<std::string> list(const QByteArray &text)
{
    std::vector<std::string> out;
    for (const QByteArray &item : text.split(' ')) {
        if (!item.isEmpty())
            out.push_back(item.toStdString());
    }
    return out;
}

} // namespace

class TestFilter : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void push_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        QTest::addColumn<QByteArray>("ref");
        QTest::addColumn<QByteArray>("changed");
        QTest::addColumn<bool>("fires");
        const auto row = [](const char *yaml, const char *ref, const char *changed, bool fires) {
            QTest::addRow("%s <- %s %s", yaml, ref, changed)
                << QByteArray(yaml) << QByteArray(ref) << QByteArray(changed) << fires;
        };
        row("", "refs/heads/any/thing", "a", true);
        row("", "refs/tags/v1", "", false);
        row("trigger: none", "refs/heads/main", "a", false);
        row("trigger: [main]", "refs/heads/main", "a", true);
        row("trigger: [main]", "refs/heads/Main", "a", false);
        row("trigger: [refs/heads/main]", "refs/heads/main", "a", true);
        row("trigger: ['releases/*']", "refs/heads/releases/1/hotfix", "a", true);
        row("trigger: ['releases/*']", "refs/heads/releases", "a", false);
        row("trigger: ['r?']", "refs/heads/r1", "a", true);
        row("trigger: {branches: {include: ['feature/*'], exclude: ['feature/wip*']}}",
            "refs/heads/feature/wip-1/x", "a", false);
        row("trigger: {branches: {exclude: ['old/*']}}", "refs/heads/feature/a", "a", true);
        row("trigger: {branches: {include: [main]}, tags: {include: ['v2.*']}}", "refs/tags/v2.1",
            "", true);
        row("trigger: {branches: {include: [main]}, tags: {include: ['v2.*']}}", "refs/heads/main",
            "", true);
        row("trigger: {tags: {include: ['v*'], exclude: ['v2*']}}", "refs/tags/v2.1", "", false);
        row("trigger: {tags: {include: ['v*']}}", "refs/heads/main", "a", false);
        row("trigger: {branches: {include: [refs/tags/v*]}}", "refs/tags/v1", "", true);
        row("trigger: {branches: {include: [main]}, paths: {include: [src], exclude: [src/docs]}}",
            "refs/heads/main", "src/docs/a.md", false);
        row("trigger: {branches: {include: [main]}, paths: {include: [src], exclude: [src/docs]}}",
            "refs/heads/main", "src/docs/a.md src/b.c", true);
        row("trigger: {branches: {include: [main]}, paths: {exclude: [docs], include: [docs/api]}}",
            "refs/heads/main", "docs/api/x.md", true);
        row("trigger: {branches: {include: [main]}, paths: {exclude: [README.md]}}",
            "refs/heads/main", "README.md", false);
        row("trigger: {branches: {include: [main]}, paths: {include: ['/src/*.c']}}",
            "refs/heads/main", "src/a.c", true);
        row("trigger: {branches: {include: [main]}, paths: {include: ['src/*.c']}}",
            "refs/heads/main", "src/x/a.c", false);
        row("trigger: {branches: {include: [main]}, paths: {include: ['**/*.c']}}",
            "refs/heads/main", "src/x/a.c", true);
        row("trigger: {branches: {include: [main]}, paths: {include: [srcs]}}", "refs/heads/main",
            "src/a.c", false);
    }

    void push()
    {
        QFETCH(QByteArray, yaml);
        QFETCH(QByteArray, ref);
        QFETCH(QByteArray, changed);
        QFETCH(bool, fires);
        std::vector<Diagnostic> diagnostics;
        const Triggers triggers =
            scanTriggers("/t.yml", (yaml + "\nsteps: []\n").toStdString(), diagnostics);
        QVERIFY(diagnostics.empty());
        QCOMPARE(matches(triggers.push, ref.toStdString(), list(changed)), fires);
    }

    void pullRequest()
    {
        std::vector<Diagnostic> diagnostics;
        const auto pr = [&](const char *yaml) {
            return scanTriggers("/t.yml", std::string(yaml) + "\nsteps: []\n", diagnostics)
                .pullRequest;
        };
        const std::vector<std::string> changed{"src/a.c"};
        QVERIFY(matches(pr(""), "refs/heads/main", changed, false));
        QVERIFY(!matches(pr("pr: none"), "refs/heads/main", changed, false));
        QVERIFY(!matches(pr("pr: [main]"), "refs/heads/dev", changed, false));
        QVERIFY(!matches(pr("pr: {drafts: false}"), "refs/heads/main", changed, true));
        QVERIFY(matches(pr("pr: {drafts: false}"), "refs/heads/main", changed, false));
        QVERIFY(!matches(pr("pr: {branches: {include: [main]}, paths: {include: [docs]}}"),
                         "refs/heads/main", changed, false));
    }

    void brokenBodyDoesNotHideTheTrigger()
    {
        std::vector<Diagnostic> diagnostics;
        const Triggers triggers =
            scanTriggers("/t.yml", "trigger: [main]\nnonsense: {}\nstpes: []\n", diagnostics);
        QVERIFY(diagnostics.empty());
        QCOMPARE(triggers.push.branches.include, std::vector<std::string>{"main"});
        scanTriggers("/t.yml", "trigger: [a\n", diagnostics);
        QVERIFY(!diagnostics.empty());
    }

    void skipMarkers()
    {
        for (const char *message :
             {"x [skip ci]", "[CI SKIP] x", "a\n\nskip-checks: true", "***NO_CI***", "[azp skip]"})
            QVERIFY2(hasSkipMarker(message), message);
        QVERIFY(!hasSkipMarker("skip ci"));
        QVERIFY(!hasSkipMarker(""));
    }
};

QTEST_GUILESS_MAIN(TestFilter)
#include "tst_filter.moc"
