// Archive files: what goes in comes out, and what must not leave the target does not.
#include "worker/artifact/archive_file.h"

#include <QTemporaryDir>
#include <QTest>

#include <archive.h>
#include <archive_entry.h>

using namespace worker;

namespace {

struct Entry
{
    const char *path, *link; ///< link: target of a symbolic link
    bool hard = false;
    unsigned type = AE_IFREG;
};

void writeTar(const fs::path &file, const std::vector<Entry> &entries)
{
    archive *out = archive_write_new();
    archive_write_set_format_pax_restricted(out);
    archive_write_open_filename(out, file.c_str());
    for (const auto &item : entries) {
        archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, item.path);
        archive_entry_set_perm(entry, 04755);
        archive_entry_set_filetype(entry,
                                   item.link != nullptr && !item.hard ? AE_IFLNK : item.type);
        if (item.link != nullptr && item.hard)
            archive_entry_set_hardlink(entry, item.link);
        else if (item.link != nullptr)
            archive_entry_set_symlink(entry, item.link);
        const bool content = item.link == nullptr && item.type == AE_IFREG;
        archive_entry_set_size(entry, content ? 2 : 0);
        archive_write_header(out, entry);
        if (content)
            archive_write_data(out, "hi", 2);
        archive_entry_free(entry);
    }
    archive_write_close(out);
    archive_write_free(out);
}

} // namespace

class TestArchiveFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void thereAndBack_data()
    {
        QTest::addColumn<QByteArray>("type");
        QTest::addColumn<QByteArray>("compression");
        QTest::newRow("zip") << QByteArray("zip") << QByteArray("");
        QTest::newRow("7z") << QByteArray("7z") << QByteArray("5");
        QTest::newRow("7z stored") << QByteArray("7z") << QByteArray("0");
        for (const char *filter : {"none", "gz", "bz2", "xz"})
            QTest::newRow(filter) << QByteArray("tar") << QByteArray(filter);
    }

    void thereAndBack()
    {
        QFETCH(QByteArray, type);
        QFETCH(QByteArray, compression);
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::create_directories(root / "in/d");
        QVERIFY(writeFile(root / "in/d/run.sh", "#!/bin/sh\n", 0755));
        QVERIFY(writeFile(root / "in/\xc3\xa4", std::string(300000, 'x')));
        fs::create_directories(root / "out");
        const auto file = root / "in/packed"; // the archive itself is left out
        QVERIFY(createArchive(file, {type.toStdString(), compression.toStdString()}, root / "in",
                              ".", {}));
        const auto count = extractArchive(file, root / "out");
        QVERIFY2(count.has_value(), count ? "" : count.error().message.c_str());
        QCOMPARE(count->files, std::uint64_t(2));
        QCOMPARE(readFile(root / "out/\xc3\xa4")->size(), std::size_t(300000));
        QVERIFY((fs::status(root / "out/d/run.sh").permissions() & fs::perms::owner_exec) !=
                fs::perms::none);
    }

    void refused_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("link");
        QTest::addColumn<bool>("hard");
        QTest::addColumn<int>("type");
        const auto row = [](const char *name, const char *path, const char *link = "",
                            bool hard = false, int type = AE_IFREG) {
            QTest::newRow(name) << QByteArray(path) << QByteArray(link) << hard << type;
        };
        row("absolute", "/tmp/slipway-evil");
        row("upwards", "../evil");
        row("upwards in the middle", "a/../../evil");
        row("backslash", "..\\evil");
        row("link out", "evil", "/etc/passwd");
        row("link upwards", "a/evil", "../../x");
        row("hard link out", "evil", "../x", true);
        row("device", "evil", "", false, AE_IFCHR);
        row("fifo", "evil", "", false, AE_IFIFO);
    }

    void refused()
    {
        QFETCH(QByteArray, path);
        QFETCH(QByteArray, link);
        QFETCH(bool, hard);
        QFETCH(int, type);
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::create_directories(root / "out");
        writeTar(root / "x.tar", {{path.constData(), link.isEmpty() ? nullptr : link.constData(),
                                   hard, static_cast<unsigned>(type)}});
        const auto count = extractArchive(root / "x.tar", root / "out");
        QVERIFY(!count);
        QVERIFY(count.error().code == ErrorCode::InvalidArgument);
        QVERIFY(!fs::exists(root / "evil"));
    }

    void throughALink()
    {
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::create_directories(root / "out");
        fs::create_directories(root / "secret");
        fs::create_directory_symlink(root / "secret", root / "out/d");
        writeTar(root / "x.tar", {{"d/evil", nullptr}});
        QVERIFY(!extractArchive(root / "x.tar", root / "out"));
        QVERIFY(fs::is_empty(root / "secret"));
    }

    void linksInsideStay()
    {
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::create_directories(root / "out");
        writeTar(root / "x.tar", {{"d/f", nullptr}, {"d/l", "f"}, {"h", "d/f", true}});
        const auto count = extractArchive(root / "x.tar", root / "out");
        QVERIFY2(count.has_value(), count ? "" : count.error().message.c_str());
        QCOMPARE(*readFile(root / "out/d/l"), std::string("hi"));
        QCOMPARE(*readFile(root / "out/h"), std::string("hi"));
        QVERIFY((fs::status(root / "out/d/f").permissions() & fs::perms::set_uid) ==
                fs::perms::none);
    }

    void bombs()
    {
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::create_directories(root / "in");
        fs::create_directories(root / "out");
        QVERIFY(writeFile(root / "in/zeros", std::string(8U << 20U, '\0')));
        QVERIFY(createArchive(root / "x.tgz", {"tar", "gz"}, root / "in", ".", {}));
        ExtractOptions strict;
        strict.suspicious = 1U << 20U;
        auto count = extractArchive(root / "x.tgz", root / "out", strict);
        QVERIFY(!count);
        QVERIFY(count.error().code == ErrorCode::LimitExceeded);
        writeTar(root / "many.tar", {{"a", nullptr}, {"b", nullptr}, {"c", nullptr}});
        strict = {};
        strict.entries = 2;
        count = extractArchive(root / "many.tar", root / "out", strict);
        QVERIFY(!count);
        QVERIFY(count.error().code == ErrorCode::LimitExceeded);
    }

    void existingFilesAreKept()
    {
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::create_directories(root / "out");
        QVERIFY(writeFile(root / "out/f", "old"));
        writeTar(root / "x.tar", {{"f", nullptr}});
        QCOMPARE(extractArchive(root / "x.tar", root / "out")->kept, std::uint64_t(1));
        QCOMPARE(*readFile(root / "out/f"), std::string("old"));
        ExtractOptions over;
        over.overwrite = true;
        QVERIFY(extractArchive(root / "x.tar", root / "out", over));
        QCOMPARE(*readFile(root / "out/f"), std::string("hi"));
    }

    void damaged()
    {
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        fs::create_directories(root / "out");
        QVERIFY(writeFile(root / "x.zip", "PK\x03\x04 not really"));
        QVERIFY(!extractArchive(root / "x.zip", root / "out"));
        QVERIFY(!extractArchive(root / "none.zip", root / "out"));
    }
};

QTEST_APPLESS_MAIN(TestArchiveFile)
#include "tst_archive_file.moc"
