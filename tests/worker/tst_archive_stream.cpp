// Artifacts as streams (worker/artifact/archive_stream.h): what comes back is what was published.
#include "worker/artifact/archive_stream.h"
#include "worker/artifact/compression.h"

#include <QScopeGuard>
#include <QTemporaryDir>
#include <QTest>

#include <random>
#include <sstream>
#include <sys/mount.h>

using namespace worker;

namespace {

constexpr std::size_t kMiB = 1U << 20U;

std::string noise(std::size_t length)
{
    std::minstd_rand random(7); // NOLINT: the same bytes each time
    std::string out;
    while (out.size() < length)
        out += static_cast<char>(random() >> 8U);
    return out;
}

std::string text(std::size_t length)
{
    std::string out;
    while (out.size() < length)
        out += "line " + std::to_string(out.size()) + " of a log that says little\n";
    out.resize(length);
    return out;
}

} // namespace

class TestArchiveStream : public QObject
{
    Q_OBJECT

private:
    fs::path folder(const char *name) const
    {
        return fs::path(m_folder.path().toStdString()) / QTest::currentTestFunction() /
               (QTest::currentDataTag() ? QTest::currentDataTag() : "") / name;
    }

    static void put(const fs::path &file, const std::string &content)
    {
        QVERIFY(bool(makeDirectories(file.parent_path())));
        QVERIFY(bool(writeFile(file, content)));
    }

    QTemporaryDir m_folder;

private Q_SLOTS:

    void comesBackAsItWas_data()
    {
        QTest::addColumn<int>("packing");
        QTest::newRow("zstd") << int(Packing::Zstd);
        QTest::newRow("plain") << int(Packing::Plain);
    }

    void comesBackAsItWas()
    {
        QFETCH(int, packing);
        const fs::path from = folder("from");
        const std::map<std::string, std::string> files{
            {"empty", ""},
            {"a/short", "short"},
            {"a/b/noise", noise(5 * kMiB + 13)}, // long enough for a thread of its own
            {"a/text", text(4 * kMiB)},
            {"odd name\n", noise(511)},
            {std::string(200, 'n'), noise(512)}};
        for (const auto &[name, content] : files)
            put(from / name, content);
        fs::permissions(from / "a/short", fs::perms::owner_all);
        std::stringstream stream;
        const auto packed = packArtifact(from, stream, Packing(packing));
        QVERIFY2(packed, packed ? "" : packed.error().message.c_str());
        QCOMPARE(packed->files, files.size());
        const auto unpacked = unpackArtifact(stream, folder("to"), {});
        QVERIFY2(unpacked, unpacked ? "" : unpacked.error().message.c_str());
        QCOMPARE(unpacked->files, files.size());
        QCOMPARE(unpacked->size, packed->size);
        for (const auto &[name, content] : files)
            QVERIFY2(readFile(folder("to") / name).value() == content, name.c_str());
        QCOMPARE(fs::status(folder("to") / "a/short").permissions(), fs::perms::owner_all);
    }

    void aStreamThatIsCutOffIsDamaged_data() { comesBackAsItWas_data(); }

    void aStreamThatIsCutOffIsDamaged()
    {
        QFETCH(int, packing);
        put(folder("from") / "noise", noise(5 * kMiB));
        std::ostringstream stream;
        QVERIFY(bool(packArtifact(folder("from"), stream, Packing(packing))));
        std::istringstream half(stream.str().substr(0, stream.str().size() / 2));
        const auto unpacked = unpackArtifact(half, folder("to"), {});
        QVERIFY(!unpacked);
        QVERIFY2(unpacked.error().message.find("damaged") != std::string::npos,
                 unpacked.error().message.c_str());
    }

    /// The thread that writes meets the full disk, and the job hears of it.
    void aFullDiskIsSaid()
    {
        put(folder("from") / "noise", noise(8 * kMiB));
        std::stringstream stream;
        QVERIFY(bool(packArtifact(folder("from"), stream, Packing::Plain)));
        const fs::path to = folder("to");
        QVERIFY(bool(makeDirectories(to)));
        if (::mount("tmpfs", to.c_str(), "tmpfs", 0, "size=2m") != 0)
            QSKIP("mounting a small file system needs root");
        const auto unmount = qScopeGuard([&to] { ::umount2(to.c_str(), MNT_DETACH); });
        const auto unpacked = unpackArtifact(stream, to, {});
        QVERIFY(!unpacked);
        QVERIFY2(unpacked.error().code == ErrorCode::LimitExceeded,
                 unpacked.error().message.c_str());
    }

    void compressesWhatShrinks_data()
    {
        QTest::addColumn<int>("noiseMiB");
        QTest::addColumn<int>("textMiB");
        QTest::addColumn<int>("emptyFiles");
        QTest::addColumn<bool>("worth");
        QTest::newRow("text") << 0 << 8 << 0 << true;
        QTest::newRow("noise") << 8 << 0 << 0 << false;
        QTest::newRow("half and half") << 4 << 4 << 0 << true;
        QTest::newRow("hardly any text") << 32 << 1 << 0 << false;
        QTest::newRow("small") << 1 << 0 << 0 << true;
        QTest::newRow("nothing") << 0 << 0 << 0 << true;
        QTest::newRow("many files") << 8 << 0 << 5000 << true;
    }

    void compressesWhatShrinks()
    {
        QFETCH(int, noiseMiB);
        QFETCH(int, textMiB);
        QFETCH(int, emptyFiles);
        QFETCH(bool, worth);
        const fs::path from = folder("from");
        QVERIFY(bool(makeDirectories(from)));
        for (int i = 0; i < noiseMiB; ++i)
            put(from / ("noise" + std::to_string(i)), noise(kMiB));
        for (int i = 0; i < textMiB; ++i)
            put(from / ("text" + std::to_string(i)), text(kMiB));
        for (int i = 0; i < emptyFiles; ++i)
            put(from / ("empty" + std::to_string(i)), "");
        QCOMPARE(isWorthCompressing(from), worth);
    }

    /// What is not published says nothing about what is.
    void ignoredFilesAreNoSamples()
    {
        const fs::path from = folder("from");
        QVERIFY(bool(makeDirectories(from / "cache" / "deep")));
        put(from / "noise", noise(8 * kMiB));
        put(from / "cache" / "deep" / "text", text(8 * kMiB));
        put(from / "a.log", text(8 * kMiB));
        QVERIFY(isWorthCompressing(from));
        put(from / ".artifactignore", "*.log\ncache/\n");
        QVERIFY(!isWorthCompressing(from));
        QVERIFY(!isWorthCompressing(from.string() + "/"));
        put(from / ".artifactignore", "*.log\ncache/\n!a.log\n");
        QVERIFY(isWorthCompressing(from));
    }

    void aSingleFileCountsToo()
    {
        put(folder("noise"), noise(5 * kMiB));
        put(folder("text"), text(5 * kMiB));
        QVERIFY(!isWorthCompressing(folder("noise")));
        QVERIFY(isWorthCompressing(folder("text")));
        QVERIFY(isWorthCompressing(folder("absent"))); // the packer says what is wrong
    }
};

QTEST_GUILESS_MAIN(TestArchiveStream)
#include "tst_archive_stream.moc"
