// Glob patterns and file search (worker-and-tasks 10.6).
#include "worker/glob/glob.h"

#include <QTemporaryDir>
#include <QTest>

using namespace worker;

class TestGlob : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void matches_data()
    {
        QTest::addColumn<QByteArray>("pattern");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<bool>("expected");
        const auto row = [](const char *pattern, const char *text, bool expected) {
            QTest::addRow("%s ~ %s", pattern, text)
                << QByteArray(pattern) << QByteArray(text) << expected;
        };
        row("a.txt", "a.txt", true);
        row("*.txt", "a.txt", true);
        row("*.txt", "d/a.txt", false);
        row("**/*.txt", "a.txt", true);
        row("**/*.txt", "d/e/a.txt", true);
        row("**", "d/e/.hidden", true);
        row("d/**", "d/e/f", true);
        row("d/**/f", "d/f", true);
        row("?.c", "a.c", true);
        row("?.c", "/.c", false);
        row("[a-c]x", "bx", true);
        row("[!a-c]x", "bx", false);
        row("[x", "[x", true);
        row("@(a|b).c", "b.c", true);
        row("@(a|b).c", "c.c", false);
        row("+(ab)", "abab", true);
        row("*(ab)c", "c", true);
        row("!(a).c", "b.c", true);
        row("!(a).c", "a.c", false);
        row("a\\*", "a*", true);
        row("A", "a", false);
    }

    void matches()
    {
        QFETCH(QByteArray, pattern);
        QFETCH(QByteArray, text);
        QFETCH(bool, expected);
        QCOMPARE(matchesGlob(pattern.toStdString(), text.toStdString()), expected);
    }

    void workIsBounded()
    {
        std::string pattern;
        for (int i = 0; i < 30; ++i)
            pattern += "*(a|aa)";
        QVERIFY(!matchesGlob(pattern + "b", std::string(60, 'a')));
    }

    void findsInOrder()
    {
        QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        for (const char *file : {"a.c", "b.h", "sub/c.c", "sub/deep/d.c", ".git/x.c"}) {
            fs::create_directories((root / file).parent_path());
            QVERIFY(writeFile(root / file, "x"));
        }
        fs::create_directory_symlink("..", root / "sub" / "loop");
        const auto names = [&](const std::vector<std::string> &patterns, FindOptions options) {
            options.directories = false;
            std::string out;
            for (const auto &path : findMatches(root, patterns, options).value_or({})) {
                const auto relative = fs::path(path).lexically_relative(root).string();
                if (relative.find("loop") == std::string::npos)
                    out += (out.empty() ? "" : " ") + relative;
            }
            return out;
        };
        QCOMPARE(names({"*.c"}, {}), std::string("a.c"));
        QCOMPARE(names({"**/*.c", "!.git/**", "# comment", ""}, {}),
                 std::string("a.c sub/c.c sub/deep/d.c"));
        QCOMPARE(names({"sub/*.c"}, {}), std::string("sub/c.c"));
        QCOMPARE(names({"*.c"}, {.matchBase = true}),
                 std::string(".git/x.c a.c sub/c.c sub/deep/d.c"));
        QCOMPARE(names({"nothing/**"}, {}), std::string());
        QCOMPARE(names({(root / "sub" / "c.c").string()}, {}), std::string("sub/c.c"));
    }
};

QTEST_APPLESS_MAIN(TestGlob)
#include "tst_glob.moc"
