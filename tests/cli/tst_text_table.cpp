#include "cli/client/text_table.h"

#include <QTest>

using cli::TableRow;

class TextTable : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void formats_data();
    void formats();
};

void TextTable::formats_data()
{
    QTest::addColumn<std::vector<TableRow>>("rows");
    QTest::addColumn<std::string>("expected");
    using Rows = std::vector<TableRow>;
    QTest::newRow("nothing") << Rows{} << std::string();
    QTest::newRow("columns are as wide as the longest cell")
        << Rows{{"a", "b"}, {"long", "x"}} << std::string("a     b\nlong  x\n");
    QTest::newRow("no trailing spaces") << Rows{{"a", ""}, {"b", "c"}} << std::string("a\nb  c\n");
    QTest::newRow("rows of different length")
        << Rows{{"a"}, {"b", "c", "d"}} << std::string("a\nb  c  d\n");
    QTest::newRow("width counts code points")
        << Rows{{"\u00e4\u00f6", "x"}, {"abc", "y"}} << std::string("\u00e4\u00f6   x\nabc  y\n");
    QTest::newRow("a cell cannot move the cursor")
        << Rows{{"a\x1b[2Jb\nc"}} << std::string("a?[2Jb?c\n");
}

void TextTable::formats()
{
    QFETCH(std::vector<TableRow>, rows);
    QFETCH(std::string, expected);
    QCOMPARE(cli::formatTable(rows), expected);
}

QTEST_GUILESS_MAIN(TextTable)
#include "tst_text_table.moc"
