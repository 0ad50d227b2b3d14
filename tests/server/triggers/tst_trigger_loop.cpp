// Pushes through the server and by path become runs, each move exactly once; git's protocol itself.
#include "tests/server/support/live_server.h"

#include <QTest>

#include <filesystem>
#include <fstream>

using tests::git;
using tests::LiveServer;

namespace {

constexpr const char *kPipeline = "trigger:\n  branches:\n    include: [main, release/*]\n"
                                  "  paths:\n    include: [src, p.yml]\nsteps:\n- script: echo\n";

} // namespace

class TestTriggerLoop : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void refusesStrangers();
    void ignoresThePushBeforeThePipeline();
    void runsAMatchingPush();
    void ignoresOtherPathsBranchesAndSkippedCommits();
    void runsOnceOverARestart();
    void showsABrokenFileAsAFailedRun();
    void seesAPushByPath();
    void clonesWhatWasPushed();

private:
    [[nodiscard]] std::string tree() const { return m_server->folder() + "/tree"; }

    [[nodiscard]] nlohmann::ordered_json runs() const
    {
        return m_server->call("GET", "/p/_apis/slipway/runs?top=100").json().at("value");
    }

    [[nodiscard]] int count() const { return int(runs().size()); }

    void write(const std::string &path, const std::string &text) const;
    std::string commit(const std::string &message) const;
    std::string push(const char *ref) const;

    std::unique_ptr<LiveServer> m_server;
    std::string m_remote, m_repositoryId;
};

void TestTriggerLoop::write(const std::string &path, const std::string &text) const
{
    const std::filesystem::path file = std::filesystem::path(tree()) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

std::string TestTriggerLoop::commit(const std::string &message) const
{
    git(tree(), {"add", "--all"});
    git(tree(), {"commit", "--quiet", "--allow-empty", "-m", message});
    return git(tree(), {"rev-parse", "HEAD"});
}

std::string TestTriggerLoop::push(const char *ref) const
{
    return git(tree(), {"push", "--quiet", m_remote, ref});
}

void TestTriggerLoop::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->call("POST", "/_apis/projects", R"({"name": "p"})").status, 202);
    const auto repository =
        m_server->call("POST", "/p/_apis/git/repositories", R"({"name": "code"})").json();
    m_repositoryId = repository.at("id").get<std::string>();
    m_remote = "http://x:" + m_server->token() + "@127.0.0.1:" + std::to_string(m_server->port()) +
               "/p/_git/code";
    std::filesystem::create_directories(tree());
    git(tree(), {"init", "--quiet", "--initial-branch=main"});
    write("p.yml", kPipeline);
    commit("first");
}

void TestTriggerLoop::refusesStrangers()
{
    const std::string url = "http://127.0.0.1:" + std::to_string(m_server->port()) + "/p/_git/code";
    QVERIFY(git(tree(), {"ls-remote", url}).starts_with("git: "));
    const std::string wrong =
        "http://x:nonsense@127.0.0.1:" + std::to_string(m_server->port()) + "/p/_git/code";
    QVERIFY(git(tree(), {"push", wrong, "main"}).starts_with("git: "));
    QCOMPARE(m_server->call("GET", "/p/_git/code/HEAD").status, 400);
    QCOMPARE(m_server->call("GET", "/p/_git/absent/info/refs?service=git-upload-pack").status, 404);
}

void TestTriggerLoop::ignoresThePushBeforeThePipeline()
{
    QCOMPARE(push("main"), "");
    const auto pipeline = m_server->call(
        "POST", "/p/_apis/pipelines",
        R"({"name": "p", "configuration": {"path": "p.yml", "repository": {"name": "code"}}})");
    QCOMPARE(pipeline.status, 200);
    // The next push is evaluated after this one: if it made a run, there would be two.
    write("src/a", "1");
    commit("second");
    QCOMPARE(push("main"), "");
    QTRY_COMPARE_WITH_TIMEOUT(count(), 1, 10000);
}

void TestTriggerLoop::runsAMatchingPush()
{
    const auto run = runs().at(0);
    QCOMPARE(run.at("reason").get<std::string>(), "individualCI");
    QCOMPARE(run.at("branch").get<std::string>(), "refs/heads/main");
    QCOMPARE(run.at("version").get<std::string>(), git(tree(), {"rev-parse", "HEAD"}));
    QCOMPARE(run.at("commitMessage").get<std::string>(), "second");
    QVERIFY(!run.contains("requestedBy"));
}

void TestTriggerLoop::ignoresOtherPathsBranchesAndSkippedCommits()
{
    write("docs/a.md", "1");
    commit("docs only");
    QCOMPARE(push("main"), "");
    write("src/a", "2");
    commit("more\n\n[skip ci]");
    QCOMPARE(push("main"), "");
    git(tree(), {"checkout", "--quiet", "-b", "topic"});
    write("src/a", "3");
    commit("topic");
    QCOMPARE(push("topic"), "");
    // A new branch that is accepted brings a run; it is evaluated after all of the above.
    git(tree(), {"checkout", "--quiet", "-b", "release/1"});
    QCOMPARE(push("release/1"), "");
    QTRY_COMPARE_WITH_TIMEOUT(count(), 2, 10000);
    QCOMPARE(runs().at(0).at("branch").get<std::string>(), "refs/heads/release/1");
    git(tree(), {"checkout", "--quiet", "main"});
}

void TestTriggerLoop::runsOnceOverARestart()
{
    m_server->restart();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    m_remote = "http://x:" + m_server->token() + "@127.0.0.1:" + std::to_string(m_server->port()) +
               "/p/_git/code";
    write("src/a", "4");
    commit("after the restart");
    QCOMPARE(push("main"), "");
    QTRY_COMPARE_WITH_TIMEOUT(count(), 3, 10000);
}

void TestTriggerLoop::showsABrokenFileAsAFailedRun()
{
    write("p.yml", std::string(kPipeline) + "stages: 7\n");
    commit("broken");
    QCOMPARE(push("main"), "");
    QTRY_COMPARE_WITH_TIMEOUT(count(), 4, 10000);
    const auto run = runs().at(0);
    QCOMPARE(run.at("status").get<std::string>(), "completed");
    QCOMPARE(run.at("result").get<std::string>(), "failed");
    const auto detail =
        m_server->call("GET", "/p/_apis/slipway/runs/" + std::to_string(run.at("id").get<int>()))
            .json();
    QVERIFY(!detail.at("diagnostics").empty());
    QVERIFY(detail.at("diagnostics").at(0).at("line").get<int>() > 0);
    // Asked for by a person, the same file is refused with the diagnostics and without a run.
    const auto queued = m_server->call("POST", "/p/_apis/pipelines/1/runs", "{}");
    QCOMPARE(queued.status, 400);
    QVERIFY(!queued.json().at("diagnostics").empty());
    QCOMPARE(count(), 4);
}

void TestTriggerLoop::seesAPushByPath()
{
    write("p.yml", kPipeline);
    commit("mended");
    const std::string bare = m_server->data() + "/repositories/" + m_repositoryId + ".git";
    QCOMPARE(git(tree(), {"push", "--quiet", bare, "main"}), "");
    QTRY_COMPARE_WITH_TIMEOUT(count(), 5, 15000);
    QCOMPARE(runs().at(0).at("commitMessage").get<std::string>(), "mended");
}

void TestTriggerLoop::clonesWhatWasPushed()
{
    QCOMPARE(git(m_server->folder(), {"clone", "--quiet", "--depth", "1", m_remote, "clone"}), "");
    QCOMPARE(git(m_server->folder() + "/clone", {"rev-parse", "HEAD"}),
             git(tree(), {"rev-parse", "main"}));
}

QTEST_GUILESS_MAIN(TestTriggerLoop)
#include "tst_trigger_loop.moc"
