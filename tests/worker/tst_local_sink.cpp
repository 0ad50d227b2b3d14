// What a local job tells its parent, and when: few writes, but nothing that is waited for stays.
#include "worker/local/local_sink.h"

#include <QTemporaryDir>
#include <QTest>

#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

using namespace worker;

namespace {

schema::protocol::RecordUpdate record(schema::RecordState state)
{
    schema::protocol::RecordUpdate out;
    out.id = "r";
    out.state = state;
    return out;
}

/// A sink and what its parent would read.
struct Ends
{
    Ends()
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
            qFatal("no pipe");
        ::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        in.reset(ends[0]);
        sink = std::make_unique<LocalSink>(UniqueFd(ends[1]), fs::path());
    }

    /// Types of the frames that have arrived since the last call: "LLR".
    std::string arrived() const
    {
        std::string bytes(1U << 20U, '\0');
        const auto count = ::read(in.get(), bytes.data(), bytes.size());
        bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        std::string types;
        for (std::size_t at = 0; at + 5 <= bytes.size();) {
            types += bytes[at];
            std::uint32_t length = 0;
            std::memcpy(&length, bytes.data() + at + 1, sizeof length);
            at += 5 + length;
        }
        return types;
    }

    UniqueFd in;
    std::unique_ptr<LocalSink> sink;
};

} // namespace

class TestLocalSink : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void tellsOfStepsAsTheyBegin()
    {
        using schema::RecordState;
        const Ends ends;
        auto &sink = *ends.sink;
        sink.record(record(RecordState::InProgress)); // it may take long and print nothing
        QCOMPARE(ends.arrived(), std::string("R"));
        sink.log("r", "a line\n");
        QCOMPARE(ends.arrived(), std::string());
        sink.flush();
        QCOMPARE(ends.arrived(), std::string("L"));
        sink.flush();
        QCOMPARE(ends.arrived(), std::string());
        // The end of a step and the begin of the next one go together.
        sink.log("r", "last line\n");
        sink.record(record(RecordState::Completed));
        sink.flush();
        QCOMPARE(ends.arrived(), std::string());
        sink.record(record(RecordState::InProgress));
        QCOMPARE(ends.arrived(), std::string("LRR"));
        // An end that nothing follows but a line.
        sink.record(record(RecordState::Completed));
        sink.log("r", "behind it\n");
        sink.flush();
        QCOMPARE(ends.arrived(), std::string("RL"));
        // The end of the job waits for nothing.
        sink.record(record(RecordState::Completed));
        sink.flush();
        QVERIFY(sink.complete({schema::TaskResult::Succeeded, "", {}}));
        QCOMPARE(ends.arrived(), std::string("RC"));
    }

    void holdsLittleBack()
    {
        const Ends ends;
        ends.sink->log("r", std::string(40'000, 'x'));
        QCOMPARE(ends.arrived(), std::string());
        ends.sink->log("r", std::string(20'000, 'x'));
        ends.sink->log("r", std::string(4'000, 'x'));
        QCOMPARE(ends.arrived(), std::string());
        ends.sink->log("r", std::string(2'000, 'x'));
        QCOMPARE(ends.arrived(), std::string("LLLL"));
    }

    /// Whatever a step calls it, what is kept stays in the run's folder.
    void namesStayInTheFolder()
    {
        const QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        const fs::path artifacts = root / "run" / "artifacts";
        const auto file = (root / "f").string();
        QVERIFY(writeFile(file, "text"));
        LocalSink sink(UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC)), artifacts);
        QVERIFY(sink.publishArtifact("good", file));
        QVERIFY(sink.attach("r", "t", "good", file));
        for (const char *name : {"../out", "..", "a/b", ""}) {
            QVERIFY2(!sink.publishArtifact(name, file), name);
            QVERIFY2(!sink.attach("r", "t", name, file), name);
        }
        fs::copy_file(artifacts / "good.tar.zst", root / "run" / "out.tar.zst");
        QVERIFY(!sink.downloadArtifact("../out", root / "to", {}));
        QVERIFY(sink.downloadArtifact("good", root / "to", {}));
        QVERIFY(!fs::exists(root / "out.tar.zst"));
    }

    void aParentThatIsGoneIsNoticed()
    {
        std::signal(SIGPIPE, SIG_IGN);
        Ends ends;
        QVERIFY(ends.sink->health());
        ends.in.reset();
        ends.sink->log("r", "x");
        ends.sink->flush();
        QVERIFY(!ends.sink->health());
    }
};

QTEST_APPLESS_MAIN(TestLocalSink)
#include "tst_local_sink.moc"
