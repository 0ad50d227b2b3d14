// Reading real repositories made by the git command line.
#include "server/triggers/git_repository.h"
#include "tests/server/support/live_server.h"

#include <QTest>

#include <filesystem>
#include <fstream>

using namespace server::triggers;
using schema::ErrorCode;
using tests::git;

class TestGitRepository : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();

    void resolves();
    void readsFilesAtACommit();
    void listsTrees();
    void walksHistory();
    void findsChangedPaths();
    void createsBareRepositories();

private:
    [[nodiscard]] std::string folder() const { return m_folder.path().toStdString(); }

    [[nodiscard]] GitRepository open() const
    {
        return std::move(GitRepository::open(folder())).value();
    }

    [[nodiscard]] std::string commit(const std::string &path, const std::string &text,
                                     const std::string &message) const;
    QTemporaryDir m_folder;
    std::string m_first, m_second, m_branch;
};

std::string TestGitRepository::commit(const std::string &path, const std::string &text,
                                      const std::string &message) const
{
    const std::filesystem::path file = std::filesystem::path(folder()) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    git(folder(), {"add", "--all"});
    git(folder(), {"commit", "--quiet", "-m", message});
    return git(folder(), {"rev-parse", "HEAD"});
}

void TestGitRepository::initTestCase()
{
    git(folder(), {"init", "--quiet", "--initial-branch=main"});
    m_first = commit("azure-pipelines.yml", "steps: []\n", "first\n\nwith a body");
    m_second = commit("web/src/a.c", "int a;\n", "second");
    git(folder(), {"tag", "-a", "v1", "-m", "version 1"});
    git(folder(), {"checkout", "--quiet", "-b", "feature/x", m_first});
    m_branch = commit("b.txt", "b", "branch");
    QCOMPARE(m_branch.size(), std::size_t(40));
}

void TestGitRepository::resolves()
{
    const auto repository = open();
    QCOMPARE(repository.resolve("refs/heads/main").value(), m_second);
    QCOMPARE(repository.resolve("main").value(), m_second);
    QCOMPARE(repository.resolve("refs/heads/feature/x").value(), m_branch);
    QCOMPARE(repository.resolve("refs/tags/v1").value(), m_second); // peeled
    QCOMPARE(repository.resolve(m_first.substr(0, 10)).value(), m_first);
    QVERIFY(repository.resolve("absent").error().code == ErrorCode::NotFound);
    QVERIFY(!repository.resolve(""));
    const auto refs = repository.refs().value();
    QCOMPARE(refs.size(), std::size_t(3));
    QCOMPARE(refs[2].name, "refs/tags/v1");
    QCOMPARE(refs[2].commit, m_second);
    const auto commit = repository.commit(m_first).value();
    QCOMPARE(commit.authorName, "Ann");
    QCOMPARE(firstLine(commit.message), "first");
    QVERIFY(commit.parents.empty());
    QVERIFY(!repository.commit("nonsense"));
}

void TestGitRepository::readsFilesAtACommit()
{
    const auto repository = open();
    QCOMPARE(repository.readFile(m_first, "/azure-pipelines.yml", 100).value(), "steps: []\n");
    QCOMPARE(repository.readFile(m_second, "/web/src/a.c", 100).value(), "int a;\n");
    for (const char *absent : {"/web", "/../etc/passwd", "/", "", "/absent"})
        QVERIFY(repository.readFile(m_second, absent, 100).error().code == ErrorCode::NotFound);
    QVERIFY(!repository.readFile(m_first, "/web/src/a.c", 100));
    QVERIFY(repository.readFile(m_second, "/web/src/a.c", 3).error().code ==
            ErrorCode::LimitExceeded);
}

void TestGitRepository::listsTrees()
{
    const auto repository = open();
    const auto top = repository.list(m_second, "/", false, 100).value();
    QCOMPARE(top.size(), std::size_t(2));
    QCOMPARE(top[1].path, "/web");
    QVERIFY(top[1].isFolder);
    QCOMPARE(repository.list(m_second, "/", true, 100).value().size(), std::size_t(4));
    QCOMPARE(repository.list(m_second, "/web", false, 100).value().front().path, "/web/src");
    QVERIFY(!repository.list(m_second, "/absent", false, 100));
    QVERIFY(repository.list(m_second, "/", true, 2).error().code == ErrorCode::LimitExceeded);
}

void TestGitRepository::walksHistory()
{
    const auto repository = open();
    QCOMPARE(repository.commitsBetween("", m_second, 10).value().size(), std::size_t(2));
    const auto newer = repository.commitsBetween(m_first, m_second, 10).value();
    QCOMPARE(newer.size(), std::size_t(1));
    QCOMPARE(newer.front().id, m_second);
    QCOMPARE(repository.commitsBetween("", m_second, 1).value().size(), std::size_t(1));
    QVERIFY(repository.isAncestor(m_first, m_second).value());
    QVERIFY(!repository.isAncestor(m_second, m_first).value());
    QVERIFY(!repository.isAncestor(m_branch, m_second).value());
    QCOMPARE(repository.mergeBase(m_branch, m_second).value(), m_first);
}

void TestGitRepository::findsChangedPaths()
{
    const auto repository = open();
    QCOMPARE(repository.changedPaths(m_first, m_second).value(),
             std::vector<std::string>{"/web/src/a.c"});
    QCOMPARE(repository.changedPaths("", m_first).value(),
             std::vector<std::string>{"/azure-pipelines.yml"});
    // A forgotten commit (force push) counts as nothing before.
    QCOMPARE(repository.changedPaths(std::string(40, '0'), m_second).value().size(),
             std::size_t(2));
}

void TestGitRepository::createsBareRepositories()
{
    const std::string bare = folder() + "/new/bare.git";
    QVERIFY(GitRepository::createBare(bare, "refs/heads/trunk").has_value());
    const auto repository = std::move(GitRepository::open(bare)).value();
    QVERIFY(repository.refs().value().empty());
    QVERIFY(!repository.resolve("refs/heads/trunk"));
    QCOMPARE(git(bare, {"symbolic-ref", "HEAD"}), "refs/heads/trunk");
    QVERIFY(!GitRepository::createBare(bare, "refs/heads/trunk"));
    QVERIFY(!GitRepository::open(folder() + "/web"));
    QVERIFY(GitRepository::open("/does/not/exist").error().code == ErrorCode::NotFound);
}

QTEST_GUILESS_MAIN(TestGitRepository)
#include "tst_git_repository.moc"
