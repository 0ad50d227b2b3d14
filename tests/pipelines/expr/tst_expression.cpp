#include "pipelines/expr/expression.h"

#include <QTest>

using namespace pipelines::expr;

namespace {

/// `variables`: a=1, name=Main, empty=''. `parameters`: the object of the conformance vectors
/// (pipeline-language 20).
class SampleContext : public Context
{
public:
    SampleContext()
    {
        auto variables = std::make_shared<PlainObject>(true);
        variables->add("a", Value::own("1"));
        variables->add("name", Value::own("Main"));
        variables->add("empty", Value::own(""));
        variables->add("My.Dotted", Value::own("dots"));
        m_variables = Value::object(variables);

        auto first = std::make_shared<PlainObject>();
        first->add("n", Value::own("p"));
        first->add("v", Value::number(Decimal::fromInteger(2)));
        auto second = std::make_shared<PlainObject>();
        second->add("n", Value::own("q"));
        auto list = std::make_shared<Array>();
        list->items = {Value::object(first), Value::object(second)};
        auto object = std::make_shared<PlainObject>();
        object->add("Aa", Value::number(Decimal::fromInteger(1)));
        object->add("list", Value::array(list));
        object->add("s", Value::own("text"));
        auto parameters = std::make_shared<PlainObject>(true);
        parameters->add("o", Value::object(object));
        parameters->add("flag", Value::boolean(true));
        parameters->add("n", Value::number(*Decimal::parse("1.50", Decimal::Style::Literal)));
        m_parameters = Value::object(parameters);
    }

    std::optional<Value> named(Name name, std::string_view text) const override
    {
        if (name == Name::Variables)
            return m_variables;
        if (name == Name::Parameters)
            return m_parameters;
        if (name == Name::Pipeline) {
            auto pipeline = std::make_shared<PlainObject>(true);
            pipeline->add("startTime", Value::dateTime({1773039904000})); // 2026-03-09 07:05:04
            return Value::object(pipeline);
        }
        if (text == "item")
            return Value::own("looped");
        return std::nullopt;
    }

private:
    Value m_variables, m_parameters;
};

/// Result of an expression as text: the kind of collections, or "error: ...".
std::string run(const std::string &text, Slot slot = Slot::Template)
{
    const Parsed parsed = parse(text, slot);
    if (parsed.error)
        return "parse: " + parsed.error->message(text);
    const SampleContext context;
    const auto value = evaluate(*parsed.expression, context);
    if (!value)
        return "error: " + value.error().message;
    return value->isCollection() ? std::string(toString(value->kind())) : value->str();
}

} // namespace

class TestExpression : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void evaluates_data()
    {
        QTest::addColumn<QByteArray>("expression");
        QTest::addColumn<QByteArray>("result");
        const auto row = [](const char *expression, const char *result) {
            QTest::newRow(expression) << QByteArray(expression) << QByteArray(result);
        };
        // pipeline-language 20
        row("parameters.o.Aa", "1");
        row("parameters.o.aa", "");
        row("PARAMETERS.O.Aa", "1");
        row("parameters.n", "1.5");
        row("parameters.flag", "True");
        row("format('{0}', parameters.flag)", "True");
        row("join(',', parameters.o.list.*.n)", "p,q");
        row("length(parameters.o.list.*.v)", "1");
        row("parameters.o['list'][1].n", "q");
        row("parameters.o.list[7].n", "");
        row("coalesce(parameters.o.none, false, 'z')", "False");
        row("iif(parameters.flag, 'a', 'b')", "a");
        row("eq(parameters.flag, 'no')", "True");
        row("eq('no', parameters.flag)", "False");
        row("and(parameters.o, 'x')", "True");
        row("not('')", "True");
        row("in('B', 'a', 'b')", "True");
        row("containsValue(parameters.o, 'TEXT')", "True");
        row("replace('a.b', '.', '')", "ab");
        row("upper(trim('  x '))", "X");
        row("lower(true)", "true");
        row("length('')", "0");
        row("startsWith(1.5, '1.')", "True");
        row("contains(parameters.o.list, 'p')",
            "error: Unable to convert from Array to String. Value: Array");
        row("variables.missing", "");
        row("1.2.3", "1.2.3");
        row("-.50", "-0.5");
        row("'it''s'", "it's");
        // 10.7
        row("eq('ABC', 'abc')", "True");
        row("eq('1.0', 1)", "False");
        row("eq('', variables.none)", "True");
        row("eq(variables.none, '')", "True");
        row("gt(1.10, 1.9)", "False");
        row("lt(1.2.0, '1.3')", "True");
        row("lt(1, 'x')", "error: Unable to convert from String to Number. Value: 'x'");
        row("eq(1, '1.0')", "True");
        row("eq(1000, '1,000')", "True");
        row("eq(0, variables.none)", "True");
        row("eq(variables.none, 0)", "False");
        row("gt(1.10.0, 1.9.0)", "True");
        row("eq(1.2.0, '1.2')", "False");
        row("eq(1, 'x')", "False");
        row("eq('\xc3\x84', '\xc3\xa4')", "True");
        row("lt('a', 'B')", "True");
        row("lt(false, true)", "True");
        row("gt(variables.none, -1)", "True");
        // access
        row("parameters.o.list[-1]", "");
        row("parameters.o.list['x']", "");
        row("parameters.o.list[0.9].n", "p");
        row("parameters.o.list.*.n[0]", "Array");
        row("length(parameters.o.list.*.n[0])", "0");
        row("join(',', parameters.o.s.*)", "");
        row("variables['My.Dotted']", "dots");
        row("variables.My.Dotted", "");
        row("item", "looped");
        row("item.index", "");
        row("parameters . o . s", "text");
        row("parameters.o[format('{0}', 's')]", "text");
        // functions
        row("xor(true, 'x')", "False");
        row("notIn('c', 'a', 'b')", "True");
        row("endsWith('abc', 'BC')", "True");
        row("contains('ABC', 'bc')", "True");
        row("contains('abc', '')", "True");
        row("format('{1}/{0}', 'a', 'b')", "b/a");
        row("format('{{{0}}}', 1)", "{1}");
        row("format('{0', 1)", "error: The following format string is invalid: {0");
        row("format('{2}', 1)", "error: The following format string references more arguments than "
                                "were supplied: {2}");
        row("format('{0:yyyy}', 1)",
            "error: The format specifiers 'yyyy' are not valid for objects of type 'Number'");
        row("join(',', 'x')", "x");
        row("join(',', parameters.o)", "");
        row("length('\xf0\x9f\x98\x80')", "2");
        row("length(1)", "error: Kind 'Number' not supported. Only arrays, strings, dictionaries, "
                         "or collections are supported for the length function.");
        row("upper('stra\xc3\x9f\x65 \xc3\xa9')", "STRA\xc3\x9f\x45 \xc3\x89");
        row("replace('aAa', 'a', 'b')", "bAb");
        row("replace('abc', '', 'x')", "abc");
        row("join('|', split('a,b,,c', ','))", "a|b||c");
        row("length(split('abc', ''))", "1");
        row("substring('abcdef', 1, 3)", "bcd");
        row("substring('abc', 2)", "c");
        row("substring('a😀b', 1, 2)", "😀");
        row("substring('a😀b', 0, length('a😀b'))", "a😀b");
        row("substring('a😀b', 3)", "b");
        row("substring('abc', 2, 5)",
            "error: The substring from 2 of length 5 is outside of the text of length 3");
        row("convertToJson('a\"b')", "\"a\\\"b\"");
        row("convertToJson(true)", "true");
        row("convertToJson(variables.none)", "null");
        row("convertToJson(split('a', ','))", "[\n  \"a\"\n]");
        row("coalesce('', variables.none)", "");
        row("or(false, '', 'x')", "True");
        row("and(true, nosuch)", "error: Unrecognized value: 'nosuch'");
        row("or(true, nosuch)", "True");
        row("true", "True");
        row("FALSE", "False");
        // numbers
        row("1.0", "1");
        row("007", "7");
        row(".5", "0.5");
        row("1.", "1");
        row("0.123456789", "0.1234568");
        row("79228162514264337593543950335", "79228162514264337593543950335");
        row("eq(0.1, '0.10')", "True");
    }

    void evaluates()
    {
        QFETCH(QByteArray, expression);
        QFETCH(QByteArray, result);
        QCOMPARE(QByteArray::fromStdString(run(expression.toStdString())), result);
    }

    /// Every pair of kinds (pipeline-language 10.6, 10.7): the right side is converted to the kind
    /// of the left one; `x` marks a comparison that cannot be made.
    void comparesAllKinds_data()
    {
        QTest::addColumn<QByteArray>("function");
        QTest::addColumn<QByteArray>("left");
        QTest::addColumn<QByteArray>("results");
        const auto row = [](const char *function, const char *left, const char *results) {
            QTest::addRow("%s(%s, ...)", function, left)
                << QByteArray(function) << QByteArray(left) << QByteArray(results);
        };
        // right:                    none false true 0 1 '' 'a' '1' 1.2.3
        row("eq", "variables.none", "T    F     F    F F T  F   F   F");
        row("eq", "false", "          T    T     F    T F T  F   F   F");
        row("eq", "true", "           F    F     T    F T F  T   T   T");
        row("eq", "0", "              T    T     F    T F T  F   F   F");
        row("eq", "1", "              F    F     T    F T F  F   T   F");
        row("eq", "''", "             T    F     F    F F T  F   F   F");
        row("eq", "'a'", "            F    F     F    F F F  T   F   F");
        row("eq", "'1'", "            F    F     F    F T F  F   T   F");
        row("eq", "1.2.3", "          F    F     F    F F F  F   F   T");
        row("ne", "1", "              T    T     F    T F T  T   F   T");
        row("lt", "variables.none", " F    F     T    F T F  x   T   x");
        row("lt", "false", "          F    F     T    F T F  T   T   T");
        row("lt", "0", "              F    F     T    F T F  x   T   x");
        row("gt", "1", "              T    T     F    T F T  x   F   x");
        row("gt", "'a'", "            T    F     F    T T T  F   T   T");
        row("ge", "1.2.3", "          x    x     x    x x x  x   x   T");
        row("le", "true", "           F    F     T    F T F  T   T   T");
    }

    void comparesAllKinds()
    {
        QFETCH(QByteArray, function);
        QFETCH(QByteArray, left);
        QFETCH(QByteArray, results);
        const QList<QByteArray> rights{
            "variables.none", "false", "true", "0", "1", "''", "'a'", "'1'", "1.2.3"};
        results.replace(" ", "");
        QCOMPARE(results.size(), rights.size());
        for (int i = 0; i < rights.size(); ++i) {
            const QByteArray expression = function + "(" + left + ", " + rights[i] + ")";
            const std::string result = run(expression.toStdString());
            const char shown = result.starts_with("error: Unable to convert") ? 'x' : result[0];
            QVERIFY2(shown == results[i], (expression + " gave " + result.c_str()).constData());
        }
    }

    void convertsAllKinds_data()
    {
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("truth");
        QTest::addColumn<QByteArray>("text");
        const auto row = [](const char *value, const char *truth, const char *text) {
            QTest::newRow(value) << QByteArray(value) << QByteArray(truth) << QByteArray(text);
        };
        row("variables.none", "False", "");
        row("false", "False", "False");
        row("true", "True", "True");
        row("0", "False", "0");
        row("-0.0", "False", "0");
        row("2.50", "True", "2.5");
        row("''", "False", "");
        row("'false'", "True", "false");
        row("'0'", "True", "0");
        row("1.2.3.4", "True", "1.2.3.4");
        row("parameters.o", "True",
            "error: Unable to convert from Object to String. Value: Object");
        row("split('a', ',')", "True",
            "error: Unable to convert from Array to String. Value: Array");
    }

    void convertsAllKinds()
    {
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, truth);
        QFETCH(QByteArray, text);
        QCOMPARE(QByteArray::fromStdString(run("and(true, " + value.toStdString() + ")")), truth);
        QCOMPARE(QByteArray::fromStdString(run("format('{0}', " + value.toStdString() + ")")),
                 text);
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("expression");
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<int>("position");
        const auto row = [](const char *expression, const char *head, int position) {
            QTest::newRow(expression) << QByteArray(expression) << QByteArray(head) << position;
        };
        row("eq(1)", "Unexpected symbol: ')'", 5);
        row("eq(1, 2, 3)", "Unexpected symbol: ','", 8);
        row("nosuch 2", "Unexpected symbol: '2'", 8);
        row("1e3", "Unrecognized value: '1e3'", 1);
        row("a.9b", "Unexpected symbol: '9b'", 3);
        row("a.", "Expected a property name to follow the dereference operator '.': '.'", 2);
        row("eq", "Expected '(' to follow a function: 'eq'", 1);
        row("eq(1", "Unclosed function: 'eq'", 1);
        row("eq(1,", "Unclosed function: 'eq'", 1);
        row("variables['x'", "Unclosed indexer: '['", 10);
        row("", "An expression was expected", 0);
        row("   ", "An expression was expected", 0);
        row("1 == 1", "Unexpected symbol: '=='", 3);
        row("'abc", "Unrecognized value: ''abc'", 1);
        row("(1)", "Unexpected symbol: '('", 1);
        row("eq(1, 2) x", "Unexpected symbol: 'x'", 10);
        row("parameters.a-b", "Unexpected symbol: 'a-b'", 12);
        row("eq(,1)", "Unexpected symbol: ','", 4);
        row("eq(1,)", "Unexpected symbol: ')'", 6);
        row("\"x\"", "Unrecognized value: '\"x\"'", 1);
        row("1.2.3.4.5", "Unrecognized value: '1.2.3.4.5'", 1);
        row("not()", "Unexpected symbol: ')'", 5);
    }

    void refuses()
    {
        QFETCH(QByteArray, expression);
        QFETCH(QByteArray, head);
        QFETCH(int, position);
        const Parsed parsed = parse(expression.toStdString(), Slot::Template);
        QVERIFY(parsed.error.has_value());
        QCOMPARE(QByteArray::fromStdString(parsed.error->head), head);
        QCOMPARE(static_cast<int>(parsed.error->position), position);
    }

    void knowsItsSlots_data()
    {
        QTest::addColumn<QByteArray>("expression");
        QTest::addColumn<int>("slot");
        QTest::addColumn<bool>("valid");
        const auto row = [](const char *expression, Slot slot, bool valid) {
            QTest::addRow("%s in %d", expression, static_cast<int>(slot))
                << QByteArray(expression) << static_cast<int>(slot) << valid;
        };
        row("succeeded()", Slot::StepCondition, true);
        row("succeeded('a')", Slot::JobCondition, true);
        row("succeeded()", Slot::RunVariable, false);
        row("counter('x', 1)", Slot::RunVariable, true);
        row("counter()", Slot::JobVariable, true);
        row("counter(1, 2, 3)", Slot::RunVariable, false);
        row("counter('x')", Slot::StageCondition, false);
        row("dependencies.A.result", Slot::StageCondition, true);
        row("dependencies.A.result", Slot::StepCondition, false);
        row("parameters.x", Slot::JobCondition, false);
        row("resources.repositories.self.ref", Slot::RunVariable, true);
        row("split('a', 'b')", Slot::JobCondition, false);
        row("pipeline.startTime", Slot::JobVariable, true);
        row("null", Slot::JobVariable, false);
    }

    void knowsItsSlots()
    {
        QFETCH(QByteArray, expression);
        QFETCH(int, slot);
        QFETCH(bool, valid);
        const Parsed parsed = parse(expression.toStdString(), static_cast<Slot>(slot));
        QCOMPARE(!parsed.error.has_value(), valid);
    }

    void formatsDates()
    {
        QCOMPARE(run("format('{0:yyyyMMdd-HHmm}', pipeline.startTime)", Slot::RunVariable),
                 std::string("20260309-0705"));
        QCOMPARE(run("pipeline.startTime", Slot::RunVariable),
                 std::string("2026-03-09 07:05:04+00:00"));
    }

    void limitsDepth()
    {
        const auto nested = [](std::size_t levels, const ParseLimits &limits = {}) {
            std::string text;
            for (std::size_t i = 1; i < levels; ++i)
                text += "not(";
            text += "1";
            for (std::size_t i = 1; i < levels; ++i)
                text += ")";
            return parse(text, Slot::Template, limits).error;
        };
        QVERIFY(!nested(50));
        QVERIFY(nested(51).has_value());
        QCOMPARE(nested(51)->message(""),
                 std::string("Exceeded max expression depth 50. For more help, refer to "
                             "https://go.microsoft.com/fwlink/?linkid=842996"));
        QVERIFY(!nested(80, {.depth = 80}));
        QVERIFY(
            nested(81, {.depth = 80})->message("").starts_with("Exceeded max expression depth 80"));
        QVERIFY(!nested(ParseLimits::kDeepest, {.depth = 1'000'000}));
        QVERIFY(nested(ParseLimits::kDeepest + 1, {.depth = 1'000'000}).has_value());
        std::string brackets = "variables";
        for (int i = 0; i < 5000; ++i)
            brackets += "[variables";
        QVERIFY(parse(brackets, Slot::Template).error.has_value());
        QVERIFY(parse(std::string(22'000, '1'), Slot::Template).error.has_value());
        QVERIFY(
            !parse("'" + std::string(22'000, '1') + "'", Slot::Template, {.length = 30'000}).error);
        QVERIFY(parse("'abc'", Slot::Template, {.length = 4}).error.has_value());
    }

    void showsItsValues()
    {
        const SampleContext context;
        const auto parsed =
            parse("and(eq(variables['name'], 'x'), parameters.flag)", Slot::Template);
        QCOMPARE(expanded(*parsed.expression, context), std::string("and(eq('Main', 'x'), True)"));
    }
};

QTEST_GUILESS_MAIN(TestExpression)
#include "tst_expression.moc"
