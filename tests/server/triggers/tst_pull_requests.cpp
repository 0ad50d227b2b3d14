// Pull requests on a real server: trial merges, the runs that validate them, drafts, conflicts,
// completing; and pushes that gather while a run goes on (`batch: true`).
#include "tests/server/support/live_server.h"

#include <QTest>

#include <filesystem>
#include <fstream>

using tests::git;
using tests::LiveServer;

namespace {

constexpr const char *kPipeline = "trigger: none\npr:\n  branches:\n    include: [main]\n"
                                  "  drafts: false\n  paths:\n    exclude: [docs]\n"
                                  "steps:\n- script: echo\n";
constexpr const char *kBatched = "trigger:\n  batch: true\n  branches:\n    include: [main]\n"
                                 "pr: none\nsteps:\n- script: echo\n";

/// Body that makes a pipeline of the file `name`.yml in repository `code`.
std::string pipelineBody(const std::string &name)
{
    return nlohmann::json{
        {"name", name},
        {"configuration", {{"path", name + ".yml"}, {"repository", {{"name", "code"}}}}}}
        .dump();
}

} // namespace

class TestPullRequests : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void refusesNonsense_data();
    void refusesNonsense();
    void validatesAPullRequest();
    void cancelsTheRunOfAnEarlierPush();
    void leavesDraftsAlone();
    void showsConflicts();
    void completes();
    void gathersPushes();

private:
    [[nodiscard]] std::string tree() const { return m_server->folder() + "/tree"; }

    [[nodiscard]] nlohmann::ordered_json runs(const std::string &filter) const
    {
        return m_server->call("GET", "/p/_apis/build/builds?" + filter).json().at("value");
    }

    [[nodiscard]] int count(const std::string &filter) const { return int(runs(filter).size()); }

    [[nodiscard]] nlohmann::ordered_json request(int id) const
    {
        return m_server->call("GET", "/p/_apis/git/pullrequests/" + std::to_string(id)).json();
    }

    std::string change(const std::string &branch, const std::string &file, const std::string &text);
    nlohmann::ordered_json open(const std::string &branch, const std::string &more = "");

    std::unique_ptr<LiveServer> m_server;
    std::string m_remote;
};

/// Commits a file on a branch (made from main when it is new) and pushes it.
std::string TestPullRequests::change(const std::string &branch, const std::string &file,
                                     const std::string &text)
{
    if (git(tree(), {"rev-parse", "--verify", "--quiet", branch}).starts_with("git:"))
        git(tree(), {"branch", "--quiet", branch, "main"});
    git(tree(), {"checkout", "--quiet", branch});
    const std::filesystem::path path = std::filesystem::path(tree()) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    git(tree(), {"add", "--all"});
    git(tree(), {"commit", "--quiet", "--allow-empty", "-m", "change " + file});
    const auto pushed = git(tree(), {"push", "--quiet", m_remote, branch});
    if (!pushed.empty())
        qFatal("%s", pushed.c_str());
    return git(tree(), {"rev-parse", "HEAD"});
}

nlohmann::ordered_json TestPullRequests::open(const std::string &branch, const std::string &more)
{
    const auto answer =
        m_server->call("POST", "/p/_apis/git/repositories/code/pullrequests",
                       R"({"title": "t", "targetRefName": "refs/heads/main", "sourceRefName":)"
                       R"( "refs/heads/)" +
                           branch + "\"" + more + "}");
    if (answer.status != 201)
        qFatal("%s", answer.body.c_str());
    return answer.json();
}

void TestPullRequests::initTestCase()
{
    m_server = std::make_unique<LiveServer>();
    QVERIFY2(m_server->running(), m_server->failure().c_str());
    QCOMPARE(m_server->call("POST", "/_apis/projects", R"({"name": "p"})").status, 202);
    (void)m_server->call("POST", "/p/_apis/git/repositories", R"({"name": "code"})");
    m_remote = "http://x:" + m_server->token() + "@127.0.0.1:" + std::to_string(m_server->port()) +
               "/p/_git/code";
    std::filesystem::create_directories(tree());
    git(tree(), {"init", "--quiet", "--initial-branch=main"});
    std::ofstream(tree() + "/p.yml") << kPipeline;
    std::ofstream(tree() + "/batched.yml") << kBatched;
    git(tree(), {"add", "--all"});
    git(tree(), {"commit", "--quiet", "-m", "first"});
    QCOMPARE(git(tree(), {"push", "--quiet", m_remote, "main"}), "");
    for (const char *name : {"p", "batched"})
        QCOMPARE(m_server->call("POST", "/p/_apis/pipelines", pipelineBody(name)).status, 200);
}

void TestPullRequests::refusesNonsense_data()
{
    QTest::addColumn<QString>("body");
    const auto row = [](const char *name, const char *body) {
        QTest::newRow(name) << QString::fromLatin1(body).replace(
            QLatin1String("MAIN"), QLatin1String("\"targetRefName\": \"refs/heads/main\""));
    };
    row("no title", R"({"sourceRefName": "refs/heads/x", MAIN})");
    row("no source", R"({"title": "t", MAIN})");
    row("no branch", R"({"title": "t", "sourceRefName": "refs/tags/v1", MAIN})");
    row("absent branch", R"({"title": "t", "sourceRefName": "refs/heads/absent", MAIN})");
    row("itself", R"({"title": "t", "sourceRefName": "refs/heads/main", MAIN})");
    row("list", "[]");
}

void TestPullRequests::refusesNonsense()
{
    QFETCH(QString, body);
    const auto answer =
        m_server->call("POST", "/p/_apis/git/repositories/code/pullrequests", body.toStdString());
    QCOMPARE(answer.status, 400);
    QCOMPARE(m_server->call("GET", "/p/_apis/git/pullrequests/77").status, 404);
}

void TestPullRequests::validatesAPullRequest()
{
    const std::string head = change("topic", "src/a", "1");
    const auto made = open("topic");
    QCOMPARE(made.at("status").get<std::string>(), "active");
    QTRY_COMPARE_WITH_TIMEOUT(count("reasonFilter=pullRequest"), 1, 10000);
    const auto run = runs("reasonFilter=pullRequest").at(0);
    QCOMPARE(run.at("sourceBranch").get<std::string>(), "refs/pull/1/merge");
    const auto trigger = run.at("triggerInfo");
    QCOMPARE(trigger.at("System.PullRequest.PullRequestId").get<std::string>(), "1");
    QCOMPARE(trigger.at("System.PullRequest.SourceCommitId").get<std::string>(), head);
    QTRY_COMPARE_WITH_TIMEOUT(
        QString::fromStdString(request(1).at("mergeStatus").get<std::string>()),
        QStringLiteral("succeeded"), 10000);
    // The run is of the merge, which git can fetch.
    QCOMPARE(git(tree(), {"fetch", "--quiet", m_remote, "refs/pull/1/merge"}), "");
    QCOMPARE(git(tree(), {"rev-parse", "FETCH_HEAD"}), run.at("sourceVersion").get<std::string>());
    QCOMPARE(git(tree(), {"rev-parse", "FETCH_HEAD^2"}), head);
    // Again the same branches: refused.
    const auto again = m_server->call("POST", "/p/_apis/git/repositories/code/pullrequests",
                                      R"({"title": "t", "targetRefName": "refs/heads/main",
                       "sourceRefName": "refs/heads/topic"})");
    QCOMPARE(again.status, 409);
}

void TestPullRequests::cancelsTheRunOfAnEarlierPush()
{
    change("topic", "src/a", "2");
    QTRY_COMPARE_WITH_TIMEOUT(count("reasonFilter=pullRequest"), 2, 10000);
    const auto all = runs("reasonFilter=pullRequest");
    QCOMPARE(all.at(1).at("result").get<std::string>(), "canceled");
    QVERIFY(all.at(0).at("status").get<std::string>() != "completed");
}

void TestPullRequests::leavesDraftsAlone()
{
    change("draft", "src/b", "1");
    const auto made = open("draft", R"(, "isDraft": true)");
    const int id = made.at("pullRequestId").get<int>();
    QTRY_COMPARE_WITH_TIMEOUT(
        QString::fromStdString(request(id).at("mergeStatus").get<std::string>()),
        QStringLiteral("succeeded"), 10000);
    QCOMPARE(count("reasonFilter=pullRequest"), 2);
    const std::string path = "/p/_apis/git/repositories/code/pullrequests/" + std::to_string(id);
    QCOMPARE(m_server->call("PATCH", path, R"({"status": "completed"})").status, 409);
    QCOMPARE(m_server->call("PATCH", path, R"({"isDraft": false})").status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(count("reasonFilter=pullRequest"), 3, 10000);
    QCOMPARE(m_server->call("PATCH", path, R"({"status": "abandoned"})").status, 200);
    const auto active = m_server->call("GET", "/p/_apis/git/repositories/code/pullrequests").json();
    QCOMPARE(active.at("count").get<int>(), 1);
    const auto all =
        m_server->call("GET", "/p/_apis/git/pullrequests?searchCriteria.status=all").json();
    QCOMPARE(all.at("count").get<int>(), 2);
    // Only files that the pipeline does not look at: nothing to validate.
    change("docs", "docs/a", "1");
    const int documents = open("docs").at("pullRequestId").get<int>();
    QTRY_COMPARE_WITH_TIMEOUT(
        QString::fromStdString(request(documents).at("mergeStatus").get<std::string>()),
        QStringLiteral("succeeded"), 10000);
    QCOMPARE(count("reasonFilter=pullRequest"), 3);
}

void TestPullRequests::showsConflicts()
{
    change("clash", "src/c", "theirs");
    change("main", "src/c", "ours");
    const int id = open("clash").at("pullRequestId").get<int>();
    QTRY_COMPARE_WITH_TIMEOUT(
        QString::fromStdString(request(id).at("mergeStatus").get<std::string>()),
        QStringLiteral("conflicts"), 10000);
    QCOMPARE(request(id).at("conflicts").at(0).get<std::string>(), "/src/c");
    const std::string path = "/p/_apis/git/repositories/code/pullrequests/" + std::to_string(id);
    const auto refused = m_server->call("PATCH", path, R"({"status": "completed"})");
    QCOMPARE(refused.status, 409);
    QVERIFY(refused.body.find("/src/c") != std::string::npos);
}

void TestPullRequests::completes()
{
    const std::string path = "/p/_apis/git/repositories/code/pullrequests/1";
    const std::string other(40, '1');
    const nlohmann::json stale{{"status", "completed"},
                               {"lastMergeSourceCommit", {{"commitId", other}}}};
    QCOMPARE(m_server->call("PATCH", path, stale.dump()).status, 409);
    const auto done = m_server->call(
        "PATCH", path,
        R"({"status": "completed", "completionOptions": {"deleteSourceBranch": true}})");
    QCOMPARE(done.status, 200);
    const std::string merge = done.json().at("lastMergeCommit").at("commitId").get<std::string>();
    QVERIFY(git(tree(), {"ls-remote", m_remote, "refs/heads/main"}).starts_with(merge));
    QCOMPARE(git(tree(), {"ls-remote", m_remote, "refs/heads/topic"}), "");
    QCOMPARE(m_server->call("PATCH", path, R"({"title": "late"})").status, 409);
}

void TestPullRequests::gathersPushes()
{
    // Pushes to main above have started one run of the batched pipeline, which no worker takes.
    const auto of = [](const char *reason) {
        return std::string("definitions=2&reasonFilter=") + reason;
    };
    QTRY_COMPARE_WITH_TIMEOUT(count(of("individualCI")), 1, 10000);
    git(tree(), {"checkout", "--quiet", "main"});
    git(tree(), {"pull", "--quiet", m_remote, "main"});
    change("main", "src/d", "1");
    const std::string newest = change("main", "src/d", "2");
    // A push to another pull request is evaluated later than these; when it shows, they were seen.
    change("docs", "src/e", "1");
    QTRY_COMPARE_WITH_TIMEOUT(count("reasonFilter=pullRequest"), 4, 10000);
    QCOMPARE(count("definitions=2"), 1);
    const auto open = runs(of("individualCI")).at(0);
    QCOMPARE(m_server
                 ->call("PATCH",
                        "/p/_apis/build/builds/" + std::to_string(open.at("id").get<int>()),
                        R"({"status": "cancelling"})")
                 .status,
             200);
    QTRY_COMPARE_WITH_TIMEOUT(count(of("batchedCI")), 1, 10000);
    QCOMPARE(runs(of("batchedCI")).at(0).at("sourceVersion").get<std::string>(), newest);
    QCOMPARE(count("definitions=2"), 2);
}

QTEST_GUILESS_MAIN(TestPullRequests)
#include "tst_pull_requests.moc"
