// Reading task.json, versions, aliases and the rules that say when an input is shown.

#include "schema/tasks/task_definition.h"

#include <QTest>

using schema::TaskCatalogue;
using schema::TaskDefinition;

namespace {

TaskDefinition task(const char *name, int major, int minor)
{
    TaskDefinition out;
    out.id = std::string("id-of-") + name;
    out.name = name;
    out.version = {major, minor, 0};
    return out;
}

} // namespace

class TestTaskDefinition : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void reads()
    {
        const auto read = schema::parseTaskDefinition(R"({
            // comments occur
            "id": "AAAA-BB", "name": "Greet", "friendlyName": "Greet people", "deprecated": "true",
            "version": {"Major": 2, "Minor": "10", "Patch": 3},
            "inputs": [
                {"name": "a", "aliases": ["first", 7], "type": "pickList", "required": "True",
                 "options": {"x": "The X", "y": "The Y"}, "defaultValue": false,
                 "properties": {"EditableOptions": "True"}, "visibleRule": "b = 1", "groupName": "g"},
                {"name": "b"}],
            "groups": [5, {"name": "g", "displayName": "G", "visibleRule": "command = publish"}],
            "somethingNew": {"is": "ignored"}})");
        QVERIFY2(read.has_value(), read ? "" : read.error().message.c_str());
        QCOMPARE(read->id, std::string("aaaa-bb"));
        QVERIFY((read->version == std::array{2, 10, 3}));
        QVERIFY(!read->deprecation.empty());
        const auto *const input = read->findInput("FIRST");
        QVERIFY(input != nullptr);
        QVERIFY(input->required && input->anyOption);
        QCOMPARE(input->defaultValue, std::string("false"));
        QCOMPARE(input->visibleRule, std::string("b = 1"));
        QCOMPARE(input->groupRule, std::string("command = publish"));
        QCOMPARE(input->options.size(), std::size_t{2});
        QVERIFY(read->findInput("c") == nullptr);
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("message");
        const QByteArray head = R"({"id": "i", "name": "n")";
        QTest::newRow("no JSON") << QByteArray("{") << QByteArray("one JSON object");
        QTest::newRow("a list") << QByteArray("[]") << QByteArray("one JSON object");
        QTest::newRow("no name") << QByteArray(R"({"id": "i"})") << QByteArray("`id` and `name`");
        QTest::newRow("no version") << head + "}" << QByteArray("version");
        QTest::newRow("half a version")
            << head + R"(, "version": {"Major": 1}})" << QByteArray("Minor is not a whole number");
        QTest::newRow("version of letters")
            << head + R"(, "version": {"Major": "x", "Minor": 1, "Patch": 1}})"
            << QByteArray("Major is not a whole number");
        QTest::newRow("nameless input")
            << head + R"(, "version": {"Major": 1, "Minor": 0, "Patch": 0}, "inputs": [{}]})"
            << QByteArray("every input has a name");
    }

    void refuses()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, message);
        const auto read = schema::parseTaskDefinition(text.toStdString());
        QVERIFY(!read);
        QVERIFY2(QByteArray::fromStdString(read.error().message).contains(message),
                 read.error().message.c_str());
    }

    void findsVersions()
    {
        TaskCatalogue all;
        all.add(task("A", 1, 0));
        all.add(task("A", 2, 5));
        all.add(task("A", 2, 3)); // older than what is there
        all.add(task("B", 2, 0));
        QCOMPARE(all.find("a", "2")->version[1], 5);
        QCOMPARE(all.find("A", "2.0.1")->version[1], 5);
        QCOMPARE(all.find("publisher.extension.A", "1")->version[0], 1);
        QCOMPARE(all.find("ID-OF-B", "2")->name, std::string("B"));
        QVERIFY(all.find("A", "3") == nullptr);
        QVERIFY(all.find("A", "") == nullptr);
        QVERIFY(all.find("C", "1") == nullptr);
        QVERIFY((all.majorVersions("A") == std::vector{1, 2}));
        QVERIFY(all.majorVersions("C").empty());
    }

    void visibility_data()
    {
        QTest::addColumn<QByteArray>("rule");
        QTest::addColumn<bool>("visible");
        const auto row = [](const char *rule, bool visible) {
            QTest::newRow(rule) << QByteArray(rule) << visible;
        };
        // a is "x", everything else empty
        row("", true);
        row("a = x", true);
        row("a == X", true);
        row("a = y", false);
        row("a != y", true);
        row("a!=x", false);
        row("a = x && b = y", false);
        row("a = x && b != y", true);
        row("a = y || b = y", false);
        row("a = y || a = x", true);
        row("a = \"x\"", true);
        row("b = ", true);
        row("no rule", true);
        row("a = y || a = x && b = z", true); // not understood
    }

    void visibility()
    {
        QFETCH(QByteArray, rule);
        QFETCH(bool, visible);
        QCOMPARE(schema::isVisible(rule.toStdString(),
                                   [](std::string_view name) { return name == "a" ? "x" : ""; }),
                 visible);
    }

    /// The tables hold what they promise: unique names, defaults that are allowed values.
    void builtInTablesAreSound()
    {
        const auto &all = schema::builtInTaskCatalogue().all();
        QVERIFY(all.size() >= 20);
        for (const TaskDefinition &one : all) {
            QCOMPARE(one.id.size(), std::size_t{36});
            QVERIFY(!one.friendlyName.empty());
            for (const auto &input : one.inputs) {
                const std::string where = one.name + "." + input.name;
                QVERIFY2(one.findInput(input.name) == &input, where.c_str());
                for (const std::string &alias : input.aliases)
                    QVERIFY2(one.findInput(alias) == &input, where.c_str());
                bool known = input.defaultValue.empty() || input.options.empty();
                for (const auto &option : input.options)
                    known = known || option.first == input.defaultValue;
                QVERIFY2(known, where.c_str());
                bool conjunction = true;
                const auto terms = schema::detail::parseRule(input.visibleRule, conjunction);
                QVERIFY2(input.visibleRule.empty() || !terms.empty(), where.c_str());
                for (const auto &term : terms)
                    QVERIFY2(one.findInput(term.input) != nullptr, where.c_str());
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestTaskDefinition)
#include "tst_task_definition.moc"
