// The folder of a job (worker/sink/spool.h) and the framing of its journal.
#include "schema/protocol/messages.h"
#include "worker/sink/journal.h"
#include "worker/sink/spool.h"

#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace worker;

namespace {

schema::protocol::RecordUpdate record(const std::string &id, std::int64_t sequence)
{
    schema::protocol::RecordUpdate update;
    update.id = id;
    update.type = schema::RecordType::Task;
    update.sequence = sequence;
    return update;
}

struct Frame
{
    JournalKind kind;
    std::string id, bytes;

    bool operator==(const Frame &) const = default;
};

std::pair<std::vector<Frame>, std::size_t> framesOf(std::string_view text)
{
    std::vector<Frame> out;
    const auto whole = readJournal(text, [&out](const JournalFrame &frame) {
        out.push_back({frame.kind, std::string(frame.id), std::string(frame.bytes)});
    });
    return {out, whole};
}

} // namespace

class TestSpool : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void journalIsReadUpToWhereItWasCut()
    {
        const std::string binary("\n\0l 3 x\nabc\n", 12);
        const std::vector<Frame> frames{{JournalKind::Record, "", "{\"a\":1}"},
                                        {JournalKind::Log, "some-id", binary},
                                        {JournalKind::Log, "some-id", ""},
                                        {JournalKind::End, "", "{}"}};
        std::string text;
        std::vector<std::size_t> ends{0};
        for (const auto &frame : frames) {
            text += encode({frame.kind, frame.id, frame.bytes});
            ends.push_back(text.size());
        }
        for (std::size_t length = 0; length <= text.size(); ++length) {
            const auto [read, whole] = framesOf(std::string_view(text).substr(0, length));
            const auto complete = static_cast<std::size_t>(
                std::upper_bound(ends.begin(), ends.end(), length) - ends.begin() - 1);
            QCOMPARE(whole, ends[complete]);
            QCOMPARE(read.size(), complete);
            QVERIFY(std::equal(read.begin(), read.end(), frames.begin()));
        }
    }

    void whatIsNoJournalIsNotRead_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text :
             {"x 1\na\n", "r\n", "r \n", "r -1\n\n", "r 1 id\na\n", "l 1\na\n", "l 1 \na\n",
              "l 1 two words\na\n", "r 18446744073709551615\na\n", "r 99999999999999999999\na\n",
              "r 1\nab", "r 0\n", "r +1\na\n", "\n", "rr 1\na\n"})
            QTest::newRow(text) << QByteArray(text);
    }

    void whatIsNoJournalIsNotRead()
    {
        QFETCH(const QByteArray, text);
        const auto [read, whole] = framesOf({text.constData(), std::size_t(text.size())});
        QVERIFY(read.empty());
        QCOMPARE(whole, std::size_t(0));
    }

    void logsAreReadAtAnyOffset_data()
    {
        QTest::addColumn<int>("piece");
        QTest::addColumn<int>("pieces");
        QTest::newRow("all in the journal") << 100 << 40;
        QTest::newRow("the rest in a file") << 1000 << 40;
        QTest::newRow("at once in a file") << 5000 << 3;
    }

    void logsAreReadAtAnyOffset()
    {
        QFETCH(const int, piece);
        QFETCH(const int, pieces);
        std::string text;
        Spool spool = make("job");
        for (int i = 0; i < pieces; ++i) {
            const std::string bytes(static_cast<std::size_t>(piece),
                                    static_cast<char>('a' + i % 26));
            QVERIFY(bool(spool.appendLog("r", bytes)));
            text += bytes;
            QVERIFY(bool(spool.appendLog("other", "x")));
        }
        for (std::size_t offset = 0; offset <= text.size(); offset += 97)
            QCOMPARE(spool.readLog("r", offset, 300).value(), text.substr(offset, 300));
        QCOMPARE(spool.logLength("r"), text.size());
        QCOMPARE(spool.readLog("nothing", 0, 10).value(), std::string());

        // The next process of the job finds the same, and goes on.
        Spool next(spool.folder());
        const auto left = next.readLeft();
        QVERIFY(bool(left));
        QCOMPARE(left->logIds, (std::vector<std::string>{"other", "r"}));
        QCOMPARE(next.logLength("r"), text.size());
        QVERIFY(bool(next.appendLog("r", "the end")));
        QCOMPARE(next.readLog("r", 0, 1 << 20).value(), text + "the end");
        Spool last(spool.folder());
        QVERIFY(bool(last.readLeft()));
        QCOMPARE(last.readLog("r", 0, 1 << 20).value(), text + "the end");
    }

    void manyShortLogsGoIntoFilesInTheEnd()
    {
        Spool spool = make("many");
        const std::string bytes(4000, 'x');
        for (int i = 0; i < 200; ++i)
            QVERIFY(bool(spool.appendLog("r" + std::to_string(i), bytes)));
        QVERIFY(!fs::exists(spool.folder() / "log-r0"));
        QVERIFY(fs::exists(spool.folder() / "log-r199"));
        for (int i = 0; i < 200; ++i)
            QCOMPARE(spool.readLog("r" + std::to_string(i), 0, 5000).value(), bytes);
    }

    void aCrashCutsOffTheLastFrameOnly()
    {
        Spool spool = make("crash");
        QVERIFY(bool(spool.appendRecord(record("a", 1))));
        QVERIFY(bool(spool.appendLog("a", "one\n")));
        const auto journal = spool.folder() / "journal";
        const auto length = fs::file_size(journal);
        QVERIFY(bool(spool.appendRecord(record("a", 2))));
        fs::resize_file(journal, length + 7);
        Spool next(spool.folder());
        const auto left = next.readLeft();
        QVERIFY(bool(left));
        QCOMPARE(left->records.size(), std::size_t(1));
        QVERIFY(!left->completion);
        QCOMPARE(fs::file_size(journal), length);
        QVERIFY(bool(next.writeCompletion({schema::TaskResult::Failed, "why", {}})));
        Spool last(spool.folder());
        const auto after = last.readLeft();
        QVERIFY(bool(after));
        QCOMPARE(after->records.size(), std::size_t(1));
        QVERIFY(after->completion.has_value());
        QCOMPARE(after->completion->message, std::string("why"));
    }

    void endAndBegin()
    {
        Spool spool = make("end");
        QVERIFY(!spool.isDone());
        QVERIFY(!spool.hasBegun());
        QVERIFY(bool(writeFile(Spool::lockFile(spool.folder()), ""))); // locked before the fork
        QVERIFY(!spool.hasBegun());
        QCOMPARE(spool.livingPid(), 0);
        QVERIFY(bool(spool.writePid()));
        QVERIFY(spool.hasBegun());
        QCOMPARE(spool.livingPid(), int(::getpid()));
        // A process in its place writes over it and leaves nothing of the longer number behind.
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(spool.writePid() ? 0 : 1);
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QCOMPARE(status, 0);
        QCOMPARE(spool.livingPid(), 0);
        QVERIFY(spool.hasBegun());
        QVERIFY(bool(spool.markDone()));
        QVERIFY(spool.isDone());
        QVERIFY(bool(spool.markDone()));
        QVERIFY(bool(Spool::remove(spool.folder())));
        QVERIFY(!fs::exists(spool.folder()));
    }

private:
    Spool make(const std::string &name)
    {
        const fs::path folder = fs::path(m_folder.path().toStdString()) / name /
                                QTest::currentTestFunction() /
                                (QTest::currentDataTag() ? QTest::currentDataTag() : "");
        if (!Spool::create(folder, {}))
            qFatal("cannot make the folder");
        return Spool(folder);
    }

    QTemporaryDir m_folder;
};

QTEST_GUILESS_MAIN(TestSpool)
#include "tst_spool.moc"
