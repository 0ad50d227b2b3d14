// Which runs stay and why: the decision by itself.
#include "server/retention/retention_policy.h"

#include <QTest>

using server::retention::Fate;

class TestRetentionPolicy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void decides_data();
    void decides();
    void checks();
};

void TestRetentionPolicy::decides_data()
{
    QTest::addColumn<int>("age");       ///< days since the run ended
    QTest::addColumn<QString>("facts"); ///< words: deployed, leased, newest, artifacts, pr
    QTest::addColumn<int>("fate");
    QTest::addColumn<QString>("says");
    const auto keep = int(Fate::Keep);
    const auto gone = int(Fate::Delete);
    const auto drop = int(Fate::DropArtifacts);
    QTest::newRow("young") << 3 << "" << keep << "30 days";
    QTest::newRow("one day short") << 29 << "" << keep << "30 days";
    QTest::newRow("on the day") << 30 << "" << gone << "more than 30 days";
    QTest::newRow("old, deployed") << 4000 << "deployed" << keep << "deployed now";
    QTest::newRow("old, leased") << 4000 << "leased" << keep << "lease";
    QTest::newRow("old, newest") << 4000 << "newest" << keep << "one of the 5 newest";
    QTest::newRow("deployed before leased")
        << 4000 << "deployed leased newest" << keep << "deployed now";
    QTest::newRow("artifacts") << 20 << "artifacts" << drop << "older than 14 days";
    QTest::newRow("artifacts, young") << 13 << "artifacts" << keep << "30 days";
    QTest::newRow("no artifacts left") << 20 << "" << keep << "30 days";
    QTest::newRow("pull request") << 10 << "pr" << gone << "pull request";
    QTest::newRow("pull request, young") << 9 << "pr" << keep << "10 days";
    QTest::newRow("the future") << -400 << "" << keep << "30 days"; // the clock was set back
}

void TestRetentionPolicy::decides()
{
    QFETCH(int, age);
    QFETCH(QString, facts);
    QFETCH(int, fate);
    QFETCH(QString, says);
    const auto now = schema::fromEpochMillis(1'800'000'000'000);
    server::store::CompletedRun run;
    run.finishedAt = now - std::chrono::days(age);
    run.leased = facts.contains(QLatin1String("leased"));
    run.hasArtifacts = facts.contains(QLatin1String("artifacts"));
    if (facts.contains(QLatin1String("pr")))
        run.reason = schema::RunReason::PullRequest;
    const server::store::RetentionPolicyRow policy{"p", 0, 30, 14, 10, 5};
    const auto verdict =
        server::retention::decideRetention(run, policy, facts.contains(QLatin1String("deployed")),
                                           facts.contains(QLatin1String("newest")), now);
    QCOMPARE(int(verdict.fate), fate);
    QVERIFY2(QString::fromStdString(verdict.sentence).contains(says), verdict.sentence.c_str());
    if (verdict.until)
        QVERIFY(*verdict.until > now);
}

void TestRetentionPolicy::checks()
{
    using server::retention::checkPolicy;
    QVERIFY(checkPolicy({"p", 0, 1, 1, 1, 0}));
    const std::vector<server::store::RetentionPolicyRow> wrongs{{"p", 0, 0, 1, 1, 0},
                                                                {"p", 0, 1, 40000, 1, 0},
                                                                {"p", 0, 1, 1, -1, 0},
                                                                {"p", 0, 1, 1, 1, -1},
                                                                {"p", 0, 1, 1, 1, 1001}};
    for (const auto &wrong : wrongs)
        QVERIFY(!checkPolicy(wrong));
}

QTEST_GUILESS_MAIN(TestRetentionPolicy)
#include "tst_retention_policy.moc"
