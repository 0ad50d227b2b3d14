// Every function with every combination of kinds. tests/golden/functions/NAME.txt holds one call
// and its result per line; model.py beside them writes them from the rules, without this engine.

#include "pipelines/expr/expression.h"
#include "tests/support/source_tree.h"

#include <QDir>
#include <QTest>

#include <nlohmann/json.hpp>

using namespace pipelines::expr;

namespace {

/// `held`: a list, a mapping, their empty forms and a date; no variables.
class HeldContext : public Context
{
public:
    HeldContext()
    {
        auto list = std::make_shared<Array>();
        list->items = {Value::own("a"), Value::number(Decimal::fromInteger(1))};
        auto map = std::make_shared<PlainObject>();
        map->add("k", Value::own("a"));
        map->add("n", Value::number(Decimal::fromInteger(2)));
        auto held = std::make_shared<PlainObject>(true);
        held->add("list", Value::array(list));
        held->add("empty", Value::array(std::make_shared<Array>()));
        held->add("map", Value::object(map));
        held->add("none", Value::object(std::make_shared<PlainObject>()));
        held->add("date", Value::dateTime({1773039904000})); // 2026-03-09 07:05:04
        m_held = Value::object(held);
    }

    std::optional<Value> named(Name name, std::string_view text) const override
    {
        if (name == Name::Variables)
            return Value::object(std::make_shared<PlainObject>(true));
        if (text == "held")
            return m_held;
        return std::nullopt;
    }

private:
    Value m_held;
};

std::string resultOf(const std::string &call)
{
    const auto parsed = parse(call, Slot::Template);
    if (!parsed.expression)
        return "syntax " + parsed.error->head;
    const HeldContext context;
    const auto value = evaluate(*parsed.expression, context);
    if (!value)
        return "error " + value.error().message;
    const std::string text = value->isCollection() ? toJson(*value) : value->str();
    return std::string(toString(value->kind())) + " " + nlohmann::json(text).dump();
}

} // namespace

class TestFunctions : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void table_data()
    {
        QTest::addColumn<QString>("path");
        const QDir folder(QString::fromStdString(::test::sourceTree("tests/golden/functions")));
        const auto files = folder.entryInfoList({QStringLiteral("*.txt")}, QDir::Files, QDir::Name);
        QVERIFY(files.size() >= 25);
        for (const QFileInfo &file : files)
            QTest::newRow(qPrintable(file.baseName())) << file.filePath();
    }

    void table()
    {
        QFETCH(QString, path);
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        int rows = 0;
        int wrong = 0;
        for (const QByteArray &line : file.readAll().split('\n')) {
            const auto arrow = line.indexOf(" => ");
            if (arrow < 0)
                continue;
            ++rows;
            const std::string call = line.left(arrow).toStdString();
            const std::string wanted = line.mid(arrow + 4).toStdString();
            const std::string got = resultOf(call);
            if (got != wanted && ++wrong <= 20)
                qWarning("%s\n  is     %s\n  wanted %s", call.c_str(), got.c_str(), wanted.c_str());
        }
        QVERIFY(rows >= 19);
        QCOMPARE(wrong, 0);
    }
};

QTEST_GUILESS_MAIN(TestFunctions)
#include "tst_functions.moc"
