#include "pipelines/cron/schedule.h"

#include <QTest>

using pipelines::cron::Schedule;

class TestSchedule : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void findsTheNextTime_data()
    {
        QTest::addColumn<QByteArray>("cron");
        QTest::addColumn<QByteArray>("after");
        QTest::addColumn<QByteArray>("next");
        const auto row = [](const char *cron, const char *after, const char *next) {
            QTest::addRow("%s after %s", cron, after)
                << QByteArray(cron) << QByteArray(after) << QByteArray(next);
        };
        row("0 0 * * *", "2026-03-09T07:05:04Z", "2026-03-10T00:00:00.000Z");
        row("* * * * *", "2026-03-09T07:05:00Z", "2026-03-09T07:06:00.000Z");
        row("*/15 * * * *", "2026-03-09T07:05:04Z", "2026-03-09T07:15:00.000Z");
        row("30 7 * * *", "2026-03-09T07:30:00Z", "2026-03-10T07:30:00.000Z");
        row("0 3 * * Mon-Fri", "2026-03-06T04:00:00Z", "2026-03-09T03:00:00.000Z");
        row("0 3 * * 0", "2026-03-09T04:00:00Z", "2026-03-15T03:00:00.000Z");
        row("0 0 1 Jan *", "2026-03-09T04:00:00Z", "2027-01-01T00:00:00.000Z");
        row("0 0 29 2 *", "2026-03-09T04:00:00Z", "2028-02-29T00:00:00.000Z");
        row("5,10 1-2 * * *", "2026-03-09T01:05:00Z", "2026-03-09T01:10:00.000Z");
        row("5,10 1-2 * * *", "2026-03-09T01:10:00Z", "2026-03-09T02:05:00.000Z");
        row("0 12/6 * * *", "2026-03-09T13:00:00Z", "2026-03-09T18:00:00.000Z");
        row("59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00.000Z");
        row("0 0 13 * Fri", "2026-03-14T00:00:00Z", "2026-11-13T00:00:00.000Z");
        row("0 0 30 2 *", "2026-03-09T04:00:00Z", "");
    }

    void findsTheNextTime()
    {
        QFETCH(QByteArray, cron);
        QFETCH(QByteArray, after);
        QFETCH(QByteArray, next);
        const auto schedule = Schedule::parse(cron.toStdString());
        QVERIFY2(schedule, schedule ? "" : schedule.error().message.c_str());
        const auto from = schema::parseIso8601(after.toStdString());
        QVERIFY(from);
        const auto found = schedule->next(*from);
        QCOMPARE(found ? QByteArray::fromStdString(schema::toIso8601(*found)) : QByteArray(), next);
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("cron");
        for (const char *cron : {"", "* * * *", "* * * * * *", "@daily", "60 * * * *", "* 24 * * *",
                                 "* * 0 * *", "* * * 13 *", "* * * * 7", "*/0 * * * *",
                                 "5-1 * * * *", "a * * * *", "1,,2 * * * *", "1- * * * *"})
            QTest::newRow(cron) << QByteArray(cron);
    }

    void refuses()
    {
        QFETCH(QByteArray, cron);
        const auto schedule = Schedule::parse(cron.toStdString());
        QVERIFY(!schedule);
        QVERIFY(schedule.error().message.find("cron") == 0);
    }
};

QTEST_GUILESS_MAIN(TestSchedule)
#include "tst_schedule.moc"
