// Checker and worker agree about the built-in tasks: every task and input that a worker reads is in
// the tables that files are checked against.

#include "schema/tasks/task_definition.h"
#include "worker/tasks/task.h"

#include <QTest>

class TestTaskTables : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void tablesKnowWhatTheWorkerReads_data()
    {
        QTest::addColumn<int>("index");
        const auto &tasks = worker::builtInTasks();
        QVERIFY(!tasks.empty());
        for (std::size_t i = 0; i < tasks.size(); ++i)
            QTest::newRow(std::string(tasks[i].name).c_str()) << static_cast<int>(i);
    }

    void tablesKnowWhatTheWorkerReads()
    {
        QFETCH(int, index);
        const worker::TaskDefinition &task =
            worker::builtInTasks()[static_cast<std::size_t>(index)];
        if (task.id == schema::kCheckoutTaskId || task.id == schema::kDownloadTaskId)
            return; // keywords: their keys are held by the shape tables
        for (const std::string_view version : task.versions) {
            const auto *const known = schema::builtInTaskCatalogue().find(task.name, version);
            QVERIFY2(known != nullptr, std::string(version).c_str());
            QCOMPARE(known->id, std::string(task.id));
            for (const worker::TaskInput &input : task.inputs) {
                const auto *const found = known->findInput(input.name);
                QVERIFY2(found != nullptr, std::string(input.name).c_str());
                if (!input.alias.empty())
                    QVERIFY2(known->findInput(input.alias) == found,
                             std::string(input.alias).c_str());
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestTaskTables)
#include "tst_task_tables.moc"
