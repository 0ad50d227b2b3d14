// What the writer writes, the reader reads back as the same data (`slipway preview` is read by
// people's tools).
#include "pipelines/yaml/reader.h"
#include "pipelines/yaml/writer.h"

#include <QTest>

#include <nlohmann/json.hpp>

using namespace pipelines;

class TestWriter : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void readsBack_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        const auto control = QString(QChar(6));
        QTest::newRow("plain") << "name" << "value";
        QTest::newRow("looks like a number") << "1" << "0x10";
        QTest::newRow("looks like nothing") << "null" << "~";
        QTest::newRow("several lines") << "script" << "a\n  b\n\nc\n";
        QTest::newRow("several lines in a key") << "a\nb" << "c";
        QTest::newRow("leading blanks") << " a" << "  b";
        QTest::newRow("indicators") << "- a: #b" << "*c &d !e %f @g";
        QTest::newRow("long key") << QString(2000, QLatin1Char('k')) << "v";
        QTest::newRow("key that only its escapes make long")
            << control.repeated(300) << control.repeated(300);
    }

    void readsBack()
    {
        QFETCH(QString, key);
        QFETCH(QString, value);
        yaml::Arena arena;
        const yaml::Source *const source = arena.source({});
        std::vector<Diagnostic> diagnostics;
        // Quoted as JSON, which is YAML too, and announced by `?`: written by someone else than the
        // writer under test.
        const auto quoted = [](const QString &text) {
            return nlohmann::json(text.toStdString()).dump();
        };
        const std::string text = "? " + quoted(key) + "\n: " + quoted(value) + "\n";
        const yaml::Node *const root = yaml::read(arena, source, text, {}, nullptr, diagnostics);
        QVERIFY2(root != nullptr && diagnostics.empty(), text.c_str());
        const std::string written = yaml::write(*root);
        const yaml::Node *const again =
            yaml::read(arena, source, written, {}, nullptr, diagnostics);
        QVERIFY2(again != nullptr && diagnostics.empty(), written.c_str());
        QVERIFY(again->isMapping());
        QCOMPARE(again->entries().size(), std::size_t(1));
        QCOMPARE(QString::fromStdString(std::string(again->entries()[0].key->text)), key);
        QCOMPARE(QString::fromStdString(std::string(again->entries()[0].value->text)), value);
    }
};

QTEST_GUILESS_MAIN(TestWriter)
#include "tst_writer.moc"
