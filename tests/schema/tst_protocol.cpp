// The codec of the worker protocol: everything survives a round trip, wrong input is named.
#include "schema/protocol/delivery.h"

#include <QTest>

#include <nlohmann/json.hpp>

using namespace schema;
using namespace schema::protocol;
using Json = nlohmann::ordered_json;

namespace {

JobMessage fullJob()
{
    JobMessage job;
    job.jobId = "a1";
    job.recordId = "r1";
    job.runId = 42;
    job.runNumber = "20261121.1";
    job.project = "Default";
    job.pipelineName = "space-game";
    job.stageName = "Build";
    job.jobName = "Images";
    job.instanceName = "__default";
    job.displayName = "Build images";
    job.identifier = "Build.Images.__default";
    job.attempt = 2;
    Step step;
    step.id = "s1";
    step.name = "CmdLine1";
    step.task = "CmdLine";
    step.taskVersion = "2";
    step.inputs = {{"script", "echo \"hi\"\n"}};
    step.env = {{"A", "1"}, {"A", "2"}};
    step.position = {"/azure-pipelines.yml", 3, 5};
    job.steps.push_back(step);
    job.variables = {{"a", "1", false, true}, {"secret", "p\x01w", true, false}};
    job.connections = {{"c1",
                        "Registry",
                        "dockerregistry",
                        "http://localhost:5000",
                        "UsernamePassword",
                        {{"username", "u"}, {"password", "p"}},
                        {{"registrytype", "Others"}}}};
    job.repositories = {
        {"self", "space-game", "git", "http://x/g", "refs/heads/main", "abc", "c2"}};
    Container container;
    container.image = "debian:12";
    job.container = container;
    job.services = {{"db", container}};
    job.containers = {{"tool", container}};
    job.environment =
        JobEnvironment{1, "dev", 2, "default", "kubernetes", "dev", "c3", "deploy", "runOnce"};
    job.workspaceClean = "all";
    job.timeoutMinutes = 0;
    job.cancelTimeoutMinutes = 7;
    job.serverUrl = "http://127.0.0.1:8480";
    job.jobToken = "t";
    return job;
}

} // namespace

class TestProtocol : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void jobRoundTrip()
    {
        const JobMessage job = fullJob();
        const auto frame = decodeServerFrame(encode(ServerFrame(JobOffer{job})));
        QVERIFY2(frame, frame ? "" : frame.error().message.c_str());
        QVERIFY(std::get<JobOffer>(*frame).job == job);
    }

    void workerFramesRoundTrip_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("hello") << QByteArray(
            R"({"type":"hello","protocol":1,"version":"0.1","slots":2,"capabilities":[{"name":"git","value":"/usr/bin/git"}],"running":["a","b"]})");
        QTest::newRow("capabilities changed") << QByteArray(
            R"({"type":"capabilitiesChanged","capabilities":[{"name":"Agent.Unavailable","value":"no disk space"}]})");
        QTest::newRow("accepted") << QByteArray(R"({"type":"accepted","jobId":"a"})");
        QTest::newRow("refused") << QByteArray(
            R"({"type":"refused","jobId":"a","reason":"draining"})");
        QTest::newRow("renew") << QByteArray(R"({"type":"renew","jobIds":["a"]})");
        QTest::newRow("finished") << QByteArray(R"({"type":"finished","jobId":"a"})");
    }

    void workerFramesRoundTrip()
    {
        QFETCH(QByteArray, text);
        const auto frame = decodeWorkerFrame(text.toStdString());
        QVERIFY2(frame, frame ? "" : frame.error().message.c_str());
        QCOMPARE(QByteArray::fromStdString(encode(*frame)), text);
    }

    void serverFramesRoundTrip_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("welcome") << QByteArray(
            R"({"type":"welcome","leaseSeconds":60,"workerName":"w"})");
        QTest::newRow("cancelJob")
            << QByteArray(R"({"type":"cancelJob","jobId":"a","reason":"by Ada"})");
        QTest::newRow("renewed") << QByteArray(R"({"type":"renewed","jobIds":[]})");
        QTest::newRow("leaseLost") << QByteArray(R"({"type":"leaseLost","jobId":"a"})");
        QTest::newRow("drain") << QByteArray(R"({"type":"drain"})");
    }

    void serverFramesRoundTrip()
    {
        QFETCH(QByteArray, text);
        const auto frame = decodeServerFrame(text.toStdString());
        QVERIFY2(frame, frame ? "" : frame.error().message.c_str());
        QCOMPARE(QByteArray::fromStdString(encode(*frame)), text);
    }

    void bodiesRoundTrip()
    {
        RecordUpdate update;
        update.id = "r";
        update.parentId = "p";
        update.type = RecordType::Task;
        update.sequence = 1ULL << 63U;
        update.name = "Build";
        update.order = -1;
        update.state = RecordState::Completed;
        update.result = TaskResult::SucceededWithIssues;
        update.startTime = fromEpochMillis(1'700'000'000'123);
        update.issues = {{{false, "careful", {{"linenumber", "3"}}}}};
        update.warningCount = 1;
        const auto readUpdate = recordUpdateFromJson(toJson(update));
        QVERIFY2(readUpdate, readUpdate ? "" : readUpdate.error().message.c_str());
        QVERIFY(*readUpdate == update);

        const JobCompletion completion{TaskResult::Failed, "no", {{"s", "n", "v", true}}};
        const auto readCompletion = jobCompletionFromJson(toJson(completion));
        QVERIFY(readCompletion && *readCompletion == completion);

        const PushedImage image{"localhost:5000/web", {"1", "latest"}, "sha256:00", "Registry"};
        const auto readImage = pushedImageFromJson(toJson(image));
        QVERIFY(readImage && *readImage == image);

        const DeployedItem item{"Deployment", "web", "web", "r/web:1", "sha256:00", "dev"};
        const auto readItem = deployedItemFromJson(toJson(item));
        QVERIFY(readItem && *readItem == item);

        const TestRunUpload run{"Unit", "k", {{"n", "c", "s", "Failed", 12, "m", "t"}}};
        const auto readRun = testRunUploadFromJson(toJson(run));
        QVERIFY(readRun && *readRun == run);
    }

    void wrongInputIsNamed_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("error");
        QTest::newRow("empty") << QByteArray() << QByteArray("frame: not JSON");
        QTest::newRow("array") << QByteArray("[]") << QByteArray("message: expected an object");
        QTest::newRow("no type") << QByteArray("{}") << QByteArray("type: missing");
        QTest::newRow("unknown") << QByteArray(R"({"type":"x"})")
                                 << QByteArray("type: unknown frame \"x\"");
        QTest::newRow("type") << QByteArray(R"({"type":"renew","jobIds":[1]})")
                              << QByteArray("jobIds[0]: expected text");
        QTest::newRow("missing") << QByteArray(R"({"type":"accepted"})")
                                 << QByteArray("jobId: missing");
        QTest::newRow("range") << QByteArray(R"({"type":"hello","protocol":99999999999})")
                               << QByteArray("protocol: expected a whole number in range");
        QTest::newRow("fraction") << QByteArray(R"({"type":"hello","protocol":1.5})")
                                  << QByteArray("protocol: expected a whole number in range");
        QTest::newRow("slots") << QByteArray(R"({"type":"hello","protocol":1,"slots":-1})")
                               << QByteArray("slots: expected 0 to 10000");
        QTest::newRow("nested")
            << QByteArray(R"({"type":"hello","protocol":1,"capabilities":[{"name":"a"},3]})")
            << QByteArray("capabilities[1]: expected an object");
        QTest::newRow("bad UTF-8")
            << QByteArray("{\"type\":\"\xff\"}") << QByteArray("frame: not JSON");
        QTest::newRow("too long") << QByteArray(static_cast<qsizetype>(kMaxFrameBytes + 1), ' ')
                                  << QByteArray("frame of 8388609 bytes; the limit is 8388608");
    }

    void wrongInputIsNamed()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, error);
        const auto frame = decodeWorkerFrame(text.toStdString());
        QVERIFY(!frame);
        QCOMPARE(QByteArray::fromStdString(frame.error().message), error);
    }

    void deliveriesSurviveTheWay()
    {
        Delivery whole;
        RecordUpdate update;
        update.id = "r";
        update.sequence = 3;
        update.state = schema::RecordState::Completed;
        whole.records.push_back(update);
        whole.logs.push_back({"r", 7, std::string("raw \0\xff\n{}\n", 10)});
        whole.logs.push_back({"s", 0, ""});
        whole.logs.push_back({"t", 1, "x"});
        whole.completion.emplace();
        whole.completion->result = schema::TaskResult::Succeeded;
        for (const Delivery &delivery : {Delivery(), whole}) {
            const auto back = decodeDelivery(encode(delivery));
            QVERIFY2(back, back ? "" : back.error().message.c_str());
            QVERIFY(*back == delivery);
        }
        const std::string text = encode(whole);
        for (std::size_t length = 0; length < text.size(); ++length)
            QVERIFY(!decodeDelivery(text.substr(0, length)));
        QVERIFY(!decodeDelivery(text + "more"));
        const Delivered answer{{7, 0, 12}, true};
        QVERIFY(deliveredFromJson(toJson(answer)).value() == answer);
    }

    void deepNestingIsBounded()
    {
        QVERIFY(!decodeDelivery(std::string(200'000, '[')));
        const std::string deep(200'000, '[');
        QVERIFY(!decodeWorkerFrame(deep));
        QVERIFY(!decodeServerFrame(std::string(100'000, '[') + std::string(100'000, ']')));
    }

    void everyPrefixOfAFrameIsRefused()
    {
        const std::string whole = encode(ServerFrame(JobOffer{fullJob()}));
        for (std::size_t length = 0; length < whole.size(); ++length)
            QVERIFY(!decodeServerFrame(std::string_view(whole).substr(0, length)));
    }

    void everyMemberOfAJobIsTypeChecked()
    {
        const Json good = toJson(fullJob());
        for (const auto &[name, value] : good.items()) {
            Json bad = good;
            bad[name] = value.is_string() ? Json(5) : Json("text");
            const auto job = jobMessageFromJson(bad);
            QVERIFY2(!job, name.c_str());
            QVERIFY2(job.error().message.find(name) != std::string::npos,
                     job.error().message.c_str());
        }
    }

    void invalidUtf8IsReplacedNotThrown()
    {
        const auto text = encode(WorkerFrame(Refused{"a", "bad \xff byte"}));
        const auto frame = decodeWorkerFrame(text);
        QVERIFY(frame);
        QCOMPARE(std::get<Refused>(*frame).reason, std::string("bad \xEF\xBF\xBD byte"));
    }
};

QTEST_APPLESS_MAIN(TestProtocol)
#include "tst_protocol.moc"
