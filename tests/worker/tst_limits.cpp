// What a job may use: memory, processes, disk; and what happens when it wants more.
#include "support/recording_sink.h"
#include "worker/base/text.h"
#include "worker/doctor/doctor.h"
#include "worker/doctor/tool_versions.h"
#include "worker/job/disk_quota.h"

#include <QTest>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())

namespace {

/// Counts what arrives and keeps only the first bytes of each log.
class CountingSink : public RecordingSink
{
public:
    void log(const std::string &recordId, std::string_view bytes) override
    {
        count += bytes.size();
        auto &kept = logs[recordId];
        if (kept.size() < 65536)
            kept += bytes;
        last = bytes.substr(bytes.size() > 4096 ? bytes.size() - 4096 : 0);
    }

    std::uint64_t count = 0;
    std::string last;
};

std::uint64_t residentPeak()
{
    struct rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U;
}

void fill(const fs::path &file, std::size_t bytes)
{
    fs::create_directories(file.parent_path());
    QVERIFY(writeFile(file, std::string(bytes, 'x')));
}

void usedAt(const fs::path &file, std::int64_t seconds)
{
    const timespec times[2]{{seconds, 0}, {seconds, 0}};
    ::utimensat(AT_FDCWD, file.c_str(), times, 0);
}

/// Memory figures say nothing when a sanitizer holds on to what was freed.
constexpr bool kMeasuresMemory =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    false;
#else
    true;
#endif

/// A job's own process is counted as well, and a sanitizer's takes some hundred MiB.
constexpr std::uint64_t kLimitMiB = kMeasuresMemory ? 64 : 640;

bool haveCgroups()
{
    ResourceLimits limits;
    limits.memoryBytes = 1ULL << 40U;
    limits.processes = 100000;
    return bool(JobCgroup::enter("probe", limits));
}

} // namespace

class TestLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void memory()
    {
        if (!haveCgroups())
            QSKIP("this kernel or user may not make control groups");
        const auto hunger = std::to_string(kLimitMiB + 200) + "M";
        JobRun run(
            job({script("set -o pipefail; head -c 1G /dev/zero | tail -c " + hunger + " | wc -c"),
                 script("echo on")}));
        run.message.steps[1].condition = "always()";
        run.options.limits.memoryBytes = kLimitMiB << 20U;
        const auto completion = run.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Failed));
        const auto limit = std::to_string(kLimitMiB) + ".0 MiB";
        VERIFY_CONTAINS(run.jobText(), "more memory than its limit of " + limit);
        VERIFY_CONTAINS(run.stepText(1), "\non\n");
        VERIFY_CONTAINS(run.jobText(), "Limits of this job: " + limit + " of memory");
    }

    void processes()
    {
        if (!haveCgroups())
            QSKIP("this kernel or user may not make control groups");
        JobRun run(job({script("exec dash -c 'for i in $(seq 60); do sleep 600 & done'")}));
        run.options.limits.processes = 20;
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "Cannot fork");
        VERIFY_CONTAINS(run.jobText(), "Terminate orphan process");
    }

    void limitsEndWithTheJob()
    {
        if (!haveCgroups())
            QSKIP("this kernel or user may not make control groups");
        const auto before = readFile("/proc/self/cgroup");
        JobRun run(job({script("cat /proc/self/cgroup")}));
        run.options.limits.memoryBytes = 1ULL << 30U;
        run.go();
        VERIFY_CONTAINS(run.stepText(0), "slipway-vsts_");
        QCOMPARE(*readFile("/proc/self/cgroup"), *before);
    }

    void flood()
    {
        // 300 MB in lines, and one line of 100 MB: delivered whole, with bounded memory.
        JobRun run(job({script("yes 'a line of thirty-two characters.' | head -c 300000000; "
                               "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end")}));
        run.message.variables = {{"s", "xyz-secret", true, false}};
        CountingSink sink;
        const auto peak = residentPeak();
        const auto completion = runJob(run.message, run.options, sink, run.stop);
        QCOMPARE(toString(completion.result), toString(TaskResult::Succeeded));
        QVERIFY(sink.count > 2ULL * 400'000'000); // step's log and job's log
        if (kMeasuresMemory)
            QVERIFY2(residentPeak() - peak < (64ULL << 20U), "memory grew with the output");
    }

    void fullDisk()
    {
        const QTemporaryDir folder;
        const auto path = folder.path().toStdString();
        if (::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=32m") != 0)
            QSKIP("mounting a small file system needs root");
        {
            JobRun run(job({script("head -c 64M /dev/zero > big; code=$?; rm big; exit $code"),
                            script("echo room")}));
            run.message.steps[1].condition = "always()";
            run.options.work = fs::path(path) / "_work";
            QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
            VERIFY_CONTAINS(run.stepText(0), "No space left on device");
            VERIFY_CONTAINS(run.stepText(1), "\nroom\n");
        }
        {
            JobRun run(job({script("echo never")}));
            run.options.work = fs::path(path) / "_work";
            QVERIFY(!writeFile(fs::path(path) / "fill", std::string(40U << 20U, 'x')));
            const auto completion = run.go();
            QCOMPARE(toString(completion.result), toString(TaskResult::Failed));
            VERIFY_CONTAINS(completion.message, "no disk space");
        }
        QCOMPARE(::umount2(path.c_str(), MNT_DETACH), 0);
    }

    void vanishedRepository_data()
    {
        QTest::addColumn<QByteArray>("url");
        QTest::addColumn<QByteArray>("says");
        QTest::newRow("nothing there")
            << QByteArray("file:///nowhere/at/all.git")
            << QByteArray("file:///nowhere/at/all.git could not be read; check that it exists");
        QTest::newRow("unknown to the server")
            << QByteArray() << QByteArray("the server has no repository 'gone' ('self'); create");
    }

    void vanishedRepository()
    {
        QFETCH(QByteArray, url);
        QFETCH(QByteArray, says);
        JobRun run(job({task(schema::kCheckoutTaskId + std::string("@1"), {}), script("echo no")}));
        run.message.repositories = {
            {"self", "gone", "git", url.toStdString(), "refs/heads/main", "", ""}};
        const auto completion = run.go();
        QCOMPARE(toString(completion.result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), says.toStdString());
        QCOMPARE(run.stepResult(1), std::string("skipped"));
    }

    void quotaDeletesWhatWasUsedLeastRecently()
    {
        const QTemporaryDir folder;
        const fs::path work = folder.path().toStdString();
        constexpr std::size_t kMega = 1U << 20U;
        for (int i = 1; i <= 4; ++i) {
            fill(work / std::to_string(i) / "s" / "file", kMega);
            fill(work / "SourceRootMapping" / (std::to_string(i) + ".lock"), 0);
            usedAt(work / "SourceRootMapping" / (std::to_string(i) + ".lock"), 1000 * i);
        }
        fill(work / "_tasks" / "Old_1" / "1.0.0" / "task.json", kMega);
        fill(work / "_tasks" / "Old_1" / "1.0.0.completed", 1);
        usedAt(work / "_tasks" / "Old_1" / "1.0.0.completed", 2500);
        fill(work / "_jobs" / "x" / "spool", kMega); // never a candidate
        const UniqueFd used(::open((work / "SourceRootMapping" / "1.lock").c_str(), O_RDWR));
        QCOMPARE(::flock(used.get(), LOCK_EX | LOCK_NB), 0); // the oldest, but a job is in it
        usedAt(work / "SourceRootMapping" / "1.lock", 1000);
        std::vector<std::string> said;
        QVERIFY(enforceDiskQuota(work, 4 * kMega + kMega / 2,
                                 [&said](const std::string &line) { said.push_back(line); }));
        QVERIFY(fs::exists(work / "1"));
        QVERIFY(!fs::exists(work / "2"));
        QVERIFY(!fs::exists(work / "_tasks/Old_1/1.0.0"));
        QVERIFY(!fs::exists(work / "_tasks/Old_1/1.0.0.completed"));
        QVERIFY(fs::exists(work / "3") && fs::exists(work / "4") && fs::exists(work / "_jobs/x"));
        QCOMPARE(said.size(), std::size_t{2});
        const auto tooMuch = enforceDiskQuota(work, kMega / 2, [](const std::string &) {});
        QVERIFY(!tooMuch && tooMuch.error().code == ErrorCode::LimitExceeded);
        QVERIFY(fs::exists(work / "1") && !fs::exists(work / "4"));
    }

    /// A worker that is over its quota takes no job until there is room again.
    void quotaLeavesAMark()
    {
        const QTemporaryDir folder;
        const fs::path work = folder.path().toStdString();
        constexpr std::size_t kMega = 1U << 20U;
        const auto quiet = [](const std::string &) {};
        fill(work / "1" / "s" / "file", kMega);
        fill(work / "SourceRootMapping" / "1.lock", 0);
        UniqueFd used(::open((work / "SourceRootMapping" / "1.lock").c_str(), O_RDWR));
        QCOMPARE(::flock(used.get(), LOCK_EX | LOCK_NB), 0);
        QVERIFY(roomForJob(work));
        QVERIFY(!keepDiskQuota(work, kMega / 2, quiet));
        QVERIFY(isOverQuota(work));
        const auto room = roomForJob(work);
        QVERIFY(!room);
        VERIFY_CONTAINS(room.error().message, "more than its quota of 512.0 KiB");
        used.reset(); // the job in it has ended
        QVERIFY(keepDiskQuota(work, kMega / 2, quiet));
        QVERIFY(!isOverQuota(work) && roomForJob(work));
        used.reset(::open((work / "SourceRootMapping" / "1.lock").c_str(), O_RDWR));
        fill(work / "1" / "s" / "file", kMega);
        QCOMPARE(::flock(used.get(), LOCK_EX | LOCK_NB), 0);
        QVERIFY(!keepDiskQuota(work, kMega / 2, quiet));
        QVERIFY(keepDiskQuota(work, 0, quiet)); // the quota was given up
        QVERIFY(roomForJob(work));
    }

    void sizes_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<qint64>("bytes"); ///< -1: refused
        const auto row = [](const char *text, qint64 bytes) {
            QTest::newRow(text) << QString::fromLatin1(text) << bytes;
        };
        row("100", 100);
        row("1K", 1024);
        row("20M", 20LL << 20);
        row("8G", 8LL << 30);
        row("8GiB", 8LL << 30);
        row("1t", 1LL << 40);
        row("", -1);
        row("G", -1);
        row("1.5G", -1);
        row("-1", -1);
        row("99999999999T", -1);
    }

    void sizes()
    {
        QFETCH(QString, text);
        QFETCH(qint64, bytes);
        const auto parsed = parseSize(text.toStdString());
        QCOMPARE(parsed ? static_cast<qint64>(*parsed) : -1, bytes);
    }

    void versions_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("version");
        const auto row = [](const char *text, const char *version) {
            QTest::newRow(text) << QString::fromLatin1(text) << QString::fromLatin1(version);
        };
        row("git version 2.39.5", "2.39.5");
        row("v20.20.2", "20.20.2");
        row("openjdk version \"17.0.9\" 2023-10-17", "17.0.9");
        row("Docker version 20.10.24+dfsg1, build 297e128", "20.10.24");
        row("GNU bash, version 5.2.15(1)-release", "5.2.15");
        row("go version go1.19.8 linux/amd64", "1.19.8");
        row("no version here 7", "");
        row("", "");
    }

    void versions()
    {
        QFETCH(QString, text);
        QFETCH(QString, version);
        QCOMPARE(versionIn(text.toStdString()), version.toStdString());
    }

    void doctor()
    {
        const QTemporaryDir folder;
        WorkerOptions options;
        options.work = fs::path(folder.path().toStdString()) / "_work";
        options.environment = currentEnvironment();
        options.containerEngine = "none";
        const auto find = [](const std::vector<Finding> &all, const std::string &subject) {
            for (const auto &finding : all) {
                if (finding.subject == subject)
                    return finding;
            }
            return Finding{Health::Bad, "missing", {}, {}};
        };
        const auto well = examine(options, "");
        QVERIFY(find(well, "bash").health == Health::Good);
        QVERIFY(find(well, "git").health == Health::Good);
        QVERIFY(find(well, "work folder").health != Health::Bad);
        QVERIFY(fs::is_empty(options.work)); // it leaves nothing
        QVERIFY(find(well, "registration").health == Health::Warning);
        const auto identity = options.work / ".worker.json";
        const std::string whole = R"({"id": "7", "name": "w7", "secret": "s"})";
        QVERIFY(writeFile(identity, whole));
        QVERIFY(find(examine(options, ""), "registration").health == Health::Good);
        QVERIFY(writeFile(identity, whole.substr(0, 16)));
        const auto damaged = find(examine(options, ""), "registration");
        QVERIFY(damaged.health == Health::Bad);
        VERIFY_CONTAINS(damaged.detail, "damaged; delete it and register again");
        fs::remove(identity);
        setEnvironment(options.environment, "PATH", folder.path().toStdString());
        options.containerEngine = "docker";
        const auto ill = examine(options, "http://127.0.0.1:1");
        for (const char *subject : {"bash", "git", "server"}) {
            QVERIFY2(find(ill, subject).health == Health::Bad, subject);
            QVERIFY(!find(ill, subject).advice.empty());
        }
        QVERIFY(find(ill, "docker").health == Health::Warning);
        QVERIFY(writeFile(folder.filePath(QStringLiteral("file")).toStdString(), ""));
        options.work = folder.filePath(QStringLiteral("file/_work")).toStdString();
        QVERIFY(find(examine(options, ""), "work folder").health == Health::Bad);
    }
};

QTEST_APPLESS_MAIN(TestLimits)
#include "tst_limits.moc"
