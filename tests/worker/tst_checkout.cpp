// The checkout step on real repositories: several at once, submodules, large files, tags, and where
// credentials never are.
#include "support/recording_sink.h"
#include "worker/base/text.h"

#include <QProcess>
#include <QTest>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())
#define VERIFY_LACKS(text, part) QVERIFY2((text).find(part) == std::string::npos, (text).c_str())

namespace {

std::string out(const std::string &folder, const std::string &script)
{
    QProcess process;
    process.setWorkingDirectory(QString::fromStdString(folder));
    process.start(QStringLiteral("sh"), {QStringLiteral("-ec"), QString::fromStdString(script)});
    process.waitForFinished();
    if (process.exitCode() != 0)
        qWarning("%s", process.readAllStandardError().constData());
    return process.readAllStandardOutput().toStdString();
}

constexpr const char *kGit = "git init -q -b main . && git config user.email a@b && "
                             "git config user.name n && git config protocol.file.allow always && ";

schema::Step checkout(schema::TextMap inputs)
{
    return task(std::string(schema::kCheckoutTaskId) + "@1", std::move(inputs));
}

schema::protocol::JobRepository repository(const std::string &alias, const std::string &name,
                                           const std::string &folder)
{
    return {alias, name, "git", "file://" + folder, "refs/heads/main", "", ""};
}

} // namespace

class TestCheckout : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        for (const char *name : {"app", "library"}) {
            fs::create_directories(path(name));
            out(path(name), std::string(kGit) + "echo " + name +
                                " > f && git add f && git commit -qm first && git tag v1");
        }
    }

    void severalRepositories()
    {
        JobRun run(
            job({checkout({{"repository", "self"}}), checkout({{"repository", "lib"}}),
                 checkout({{"repository", "lib"}, {"path", "elsewhere/lib"}}),
                 script("pwd; cat app/f library/f $(Pipeline.Workspace)/elsewhere/lib/f; echo "
                        "$(Build.Repository.LocalPath)")}));
        run.message.repositories = {repository("self", "team/app", path("app")),
                                    repository("lib", "team/library", path("library"))};
        QCOMPARE(toString(run.go().result), toString(TaskResult::Succeeded));
        VERIFY_CONTAINS(run.stepText(3), "/1/s\napp\nlibrary\nlibrary\n");
        VERIFY_CONTAINS(run.stepText(3), "/1/s/app\n");
    }

    void pathsStayInside_data()
    {
        QTest::addColumn<QString>("where");
        for (const char *where : {"../other", "/etc", ".", "a/../.."})
            QTest::newRow(where) << QString::fromLatin1(where);
    }

    void pathsStayInside()
    {
        QFETCH(QString, where);
        JobRun run(job({checkout({{"repository", "self"}, {"path", where.toStdString()}})}));
        run.message.repositories = {repository("self", "app", path("app"))};
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "must name a folder below");
    }

    void submodules()
    {
        out(path("app"), "git -c protocol.file.allow=always submodule add -q file://" +
                             path("library") + " sub && git commit -qm sub");
        JobRun run(
            job({checkout({{"repository", "self"}, {"submodules", "true"}}), script("cat sub/f")}));
        run.message.repositories = {repository("self", "app", path("app"))};
        // Git refuses submodules by file:// since 2.38.1 unless it is told otherwise.
        setEnvironment(run.options.environment, "GIT_ALLOW_PROTOCOL", "file");
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.jobText().c_str());
        VERIFY_CONTAINS(run.stepText(1), "\nlibrary\n");
    }

    void tags_data()
    {
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("tags");
        QTest::newRow("fetched by default") << "" << "1";
        QTest::newRow("fetchTags: false") << "false" << "0";
    }

    void tags()
    {
        QFETCH(QString, value);
        QFETCH(QString, tags);
        // A tag on a commit of its own: it comes only when asked for.
        out(path("app"), "git checkout -q -b side && git commit -q --allow-empty -m s && git tag t "
                         "&& git checkout -q main && git branch -qD side");
        JobRun run(job({checkout({{"repository", "self"}, {"fetchTags", value.toStdString()}}),
                        script("git tag | grep -c '^t$'; true")}));
        run.message.repositories = {repository("self", "app", path("app"))};
        run.go();
        VERIFY_CONTAINS(run.stepText(1), "\n" + tags.toStdString() + "\n");
    }

    void largeFiles()
    {
        if (out(path("app"), "git lfs version || true").empty())
            QSKIP("git-lfs is not installed");
        out(path("app"),
            "git lfs install --local >/dev/null && git lfs track '*.bin' >/dev/null && "
            "head -c 100000 /dev/zero > big.bin && git add -A && git commit -qm big");
        for (const bool lfs : {false, true}) {
            JobRun run(job({checkout({{"repository", "self"}, {"lfs", lfs ? "true" : "false"}}),
                            script("wc -c < big.bin")}));
            run.message.repositories = {repository("self", "app", path("app"))};
            run.go();
            QCOMPARE(run.stepText(1).find("\n100000\n") != std::string::npos, lfs);
        }
    }

    void noneAndSkipped()
    {
        JobRun run(job({checkout({{"repository", "self"}}), script("ls | wc -l")}));
        run.message.repositories = {repository("self", "app", path("app"))};
        run.message.variables = {{"agent.source.skip", "true", false, false}};
        run.go();
        VERIFY_CONTAINS(run.stepText(1), "\n0\n");
        JobRun unknown(job({checkout({{"repository", "nowhere"}})}));
        unknown.go();
        VERIFY_CONTAINS(unknown.stepText(0), "declare it in resources.repositories");
    }

    void credentialsAreInNoArgumentAndNoFile()
    {
        // The real git behind a note of what it was called with.
        const auto real = out(".", "command -v git | tr -d '\\n'");
        const auto bin = path("bin");
        fs::create_directories(bin);
        QVERIFY(writeFile(fs::path(bin) / "git",
                          "#!/bin/sh\nprintf '%s\\n' \"$*\" >> " + path("arguments") +
                              "\nenv | grep '^GIT_CONFIG_VALUE' >> " + path("environment") +
                              "\nexec " + real + " \"$@\"\n",
                          0755));
        JobRun run(job({checkout({{"repository", "self"}, {"persistCredentials", "true"}})}));
        run.message.repositories = {
            {"self", "app", "git", "http://127.0.0.1:1/app.git", "refs/heads/main", "", ""}};
        run.message.jobToken = "job-token-that-is-secret";
        setEnvironment(run.options.environment, "PATH",
                       bin + ":" + *findEnvironment(run.options.environment, "PATH"));
        run.sink.onLog = [&](const std::string &, std::string_view bytes) {
            if (bytes.find("trying again in 2") != std::string_view::npos)
                run.stop.request(StopReason::Canceled);
        };
        run.go();
        const auto arguments = readFile(path("arguments")).value_or("");
        VERIFY_CONTAINS(arguments, "fetch");
        VERIFY_LACKS(arguments, "job-token-that-is-secret");
        VERIFY_CONTAINS(readFile(path("environment")).value_or(""),
                        "AUTHORIZATION: bearer job-token-that-is-secret");
        VERIFY_LACKS(run.jobText(), "job-token-that-is-secret");
        QCOMPARE(out(run.options.work.string(), "grep -rl job-token-that-is-secret . || true"),
                 std::string());
    }

private:
    std::string path(const char *name) const
    {
        return m_folder->filePath(QString::fromLatin1(name)).toStdString();
    }

    std::unique_ptr<QTemporaryDir> m_folder;
};

QTEST_APPLESS_MAIN(TestCheckout)
#include "tst_checkout.moc"
