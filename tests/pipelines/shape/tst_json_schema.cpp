// schema/pipeline.schema.json is what the tables say. SLIPWAY_GOLDEN_UPDATE=1 writes it.

#include "pipelines/shape/json_schema.h"
#include "tests/support/source_tree.h"

#include <QFile>
#include <QTest>

#include <nlohmann/json.hpp>

class TestJsonSchema : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void isUpToDate()
    {
        QFile file(QString::fromStdString(::test::sourceTree("schema/pipeline.schema.json")));
        const QByteArray expected = QByteArray::fromStdString(pipelines::shape::jsonSchema());
        if (qEnvironmentVariableIsSet("SLIPWAY_GOLDEN_UPDATE")) {
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(expected);
            return;
        }
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY2(file.readAll() == expected,
                 "the tables changed: run this test with SLIPWAY_GOLDEN_UPDATE=1");
    }

    void hasNoDanglingReferences()
    {
        const auto schema = nlohmann::json::parse(pipelines::shape::jsonSchema());
        std::vector<const nlohmann::json *> open{&schema};
        int references = 0;
        while (!open.empty()) {
            const nlohmann::json &node = *open.back();
            open.pop_back();
            for (const auto &item : node.items()) {
                if (item.key() == "$ref" && item.value().is_string()) {
                    ++references;
                    const auto target = item.value().get<std::string>().substr(1);
                    QVERIFY2(schema.contains(nlohmann::json::json_pointer(target)), target.c_str());
                }
                if (item.value().is_structured())
                    open.push_back(&item.value());
            }
        }
        QVERIFY(references > 100);
    }
};

QTEST_GUILESS_MAIN(TestJsonSchema)
#include "tst_json_schema.moc"
