// The grammar of logging commands (worker-and-tasks 3.1).
#include "worker/command/logging_command.h"

#include <QTest>

using namespace worker;

class TestLoggingCommand : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void parses_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("shown"); ///< area.action|k=v,...|data, or "-", or "!"
        QTest::newRow("plain") << QByteArray("hello") << QByteArray("-");
        QTest::newRow("other case") << QByteArray("##VSO[task.debug]x") << QByteArray("-");
        QTest::newRow("simple") << QByteArray("##vso[task.prependpath]/x")
                                << QByteArray("task.prependpath||/x");
        QTest::newRow("case folded") << QByteArray("##vso[Task.SetVariable Variable=a;]b")
                                     << QByteArray("task.setvariable|Variable=a|b");
        QTest::newRow("text before")
            << QByteArray("noise ##vso[task.debug]x") << QByteArray("task.debug||x");
        QTest::newRow("escapes") << QByteArray(
                                        "##vso[task.complete result=a%3Bb%5Dc;x=1]50%AZP25%0A2%0D")
                                 << QByteArray("task.complete|result=a;b]c,x=1|50%\n2\r");
        QTest::newRow("percent last") << QByteArray("##vso[a.b]%AZP250A") << QByteArray("a.b||%0A");
        QTest::newRow("lower hex stays")
            << QByteArray("##vso[a.b]%0a%3b") << QByteArray("a.b||%0a%3b");
        QTest::newRow("value with =") << QByteArray("##vso[a.b k=v=w]") << QByteArray("a.b|k=v=w|");
        QTest::newRow("pair without value")
            << QByteArray("##vso[a.b k;j=1;l=]") << QByteArray("a.b|j=1|");
        QTest::newRow("data with ]") << QByteArray("##vso[a.b]x]y") << QByteArray("a.b||x]y");
        QTest::newRow("no end") << QByteArray("##vso[a.b") << QByteArray("!");
        QTest::newRow("no dot") << QByteArray("##vso[ab]x") << QByteArray("!");
        QTest::newRow("two dots") << QByteArray("##vso[a.b.c]x") << QByteArray("!");
        QTest::newRow("empty area") << QByteArray("##vso[.b]x") << QByteArray("!");
        QTest::newRow("empty action") << QByteArray("##vso[a.]x") << QByteArray("!");
        QTest::newRow("empty") << QByteArray("##vso[]x") << QByteArray("!");
    }

    void parses()
    {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, shown);
        const auto command = parseLoggingCommand(line.toStdString());
        std::string text = "-";
        if (command && !*command) {
            text = "!";
        } else if (command) {
            text = (*command)->area + "." + (*command)->action + "|";
            for (const auto &[key, value] : (*command)->properties)
                text += (text.ends_with('|') ? "" : ",") + key + "=" + value;
            text += "|" + (*command)->data;
        }
        QCOMPARE(QByteArray::fromStdString(text), shown);
    }
};

QTEST_APPLESS_MAIN(TestLoggingCommand)
#include "tst_logging_command.moc"
