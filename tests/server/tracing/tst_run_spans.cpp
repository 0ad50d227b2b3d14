// A finished run as spans: ids, parents, times, attempts, pieces.
#include "server/tracing/run_spans.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <set>

using nlohmann::json;
using schema::RecordType;
using schema::TaskResult;

namespace {

schema::TimePoint at(int second)
{
    return schema::fromEpochMillis(1'800'000'000'000 + second * 1000);
}

server::store::TimelineRow record(const char *id, const char *parent, RecordType type, int from,
                                  int to, TaskResult result = TaskResult::Succeeded,
                                  int attempt = 1)
{
    server::store::TimelineRow row;
    row.id = id;
    if (*parent)
        row.parentId = parent;
    row.type = type;
    row.name = id;
    row.attempt = attempt;
    row.startedAt = at(from);
    row.finishedAt = at(to);
    row.result = result;
    return row;
}

server::scheduler::RunDetail run()
{
    server::scheduler::RunDetail detail;
    detail.run.id = 7;
    detail.run.planId = "11111111-2222-3333-4444-555555555555";
    detail.run.pipelineName = "web";
    detail.run.number = "20260101.1";
    detail.run.result = schema::RunResult::Failed;
    detail.run.startedAt = at(0);
    detail.run.finishedAt = at(100);
    detail.sentence = "failed in stage Build";
    detail.records = {record("Build", "", RecordType::Stage, 1, 90, TaskResult::Failed),
                      record("phase", "Build", RecordType::Phase, 1, 90),
                      record("job", "phase", RecordType::Job, 2, 80, TaskResult::Failed),
                      record("step", "job", RecordType::Task, 3, 70, TaskResult::Failed),
                      record("job", "phase", RecordType::Job, 82, 89, TaskResult::Succeeded, 2)};
    auto waiting = record("Deploy", "", RecordType::Stage, 0, 0);
    waiting.startedAt.reset();
    detail.records.push_back(waiting);
    return detail;
}

std::vector<json> spansOf(const std::vector<std::string> &bodies)
{
    std::vector<json> out;
    for (const auto &body : bodies) {
        const auto parsed = json::parse(body);
        for (const auto &span : parsed.at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans"))
            out.push_back(span);
    }
    return out;
}

json named(const std::vector<json> &spans, const std::string &name, int nth = 0)
{
    for (const auto &span : spans)
        if (span.at("name") == name && nth-- == 0)
            return span;
    return {};
}

} // namespace

class TestRunSpans : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void describesTheTree();
    void isTheSameEveryTime();
    void cutsIntoPieces();
    void saysNothingOfAnOpenRun();
};

void TestRunSpans::describesTheTree()
{
    const auto spans = spansOf(server::tracing::otlpBodies(run(), "http://s/p"));
    QCOMPARE(spans.size(), std::size_t(5)); // no phase, nothing that did not start
    const auto root = named(spans, "web");
    QVERIFY(!root.contains("parentSpanId"));
    QCOMPARE(root.at("status").at("code").get<int>(), 2);
    QCOMPARE(root.at("startTimeUnixNano").get<std::string>(), "1800000000000000000");
    QCOMPARE(root.at("traceId").get<std::string>().size(), std::size_t(32));
    const auto stage = named(spans, "Build");
    QVERIFY(stage.at("parentSpanId") == root.at("spanId"));
    // The phase between job and stage is no span: the stage is the parent.
    const auto job = named(spans, "job");
    QVERIFY(job.at("parentSpanId") == stage.at("spanId"));
    QVERIFY(named(spans, "step").at("parentSpanId") == job.at("spanId"));
    // The second attempt of the job is a span of its own below the same stage.
    const auto again = named(spans, "job", 1);
    QVERIFY(again.at("parentSpanId") == stage.at("spanId"));
    QVERIFY(again.at("spanId") != job.at("spanId"));
    std::set<std::string> ids;
    for (const auto &span : spans) {
        QVERIFY(span.at("traceId") == root.at("traceId"));
        QCOMPARE(span.at("spanId").get<std::string>().size(), std::size_t(16));
        ids.insert(span.at("spanId").get<std::string>());
    }
    QCOMPARE(ids.size(), spans.size());
}

void TestRunSpans::isTheSameEveryTime()
{
    QVERIFY(server::tracing::otlpBodies(run(), "") == server::tracing::otlpBodies(run(), ""));
}

void TestRunSpans::cutsIntoPieces()
{
    auto large = run();
    for (int i = 0; i < 1000; ++i)
        large.records.push_back(
            record(("extra" + std::to_string(i)).c_str(), "job", RecordType::Task, 3, 4));
    const auto bodies = server::tracing::otlpBodies(large, "", 100);
    QCOMPARE(bodies.size(), std::size_t(11));
    QCOMPARE(spansOf(bodies).size(), std::size_t(1005));
}

void TestRunSpans::saysNothingOfAnOpenRun()
{
    auto open = run();
    open.run.finishedAt.reset();
    QVERIFY(server::tracing::otlpBodies(open, "").empty());
    // A clock that was set back gives no span of negative length.
    auto back = run();
    back.run.finishedAt = at(-50);
    const auto root = named(spansOf(server::tracing::otlpBodies(back, "")), "web");
    QVERIFY(root.at("endTimeUnixNano") == root.at("startTimeUnixNano"));
}

QTEST_GUILESS_MAIN(TestRunSpans)
#include "tst_run_spans.moc"
