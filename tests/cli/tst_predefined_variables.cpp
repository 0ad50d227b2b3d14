// The predefined variables (pipeline-language 17): every row of the table against what a step of a
// job reads that the real scheduler made and the worker's job runner carries out, and against the
// table of docs/compatibility.md.

#include "pipelines/base/text.h"
#include "pipelines/compile/predefined_variables.h"
#include "schema/base/guid.h"
#include "tests/server/support/world.h"
#include "tests/support/source_tree.h"
#include "tests/worker/support/recording_sink.h"

#include <QFile>
#include <QTest>

#include <functional>
#include <map>
#include <sstream>

using namespace tests;
using pipelines::KnownAt;
using pipelines::predefinedVariables;

namespace {

/// Any text but an empty one and `$(name)`.
constexpr const char *kAnything = "*";

QByteArray documentedRow(const pipelines::PredefinedVariable &variable)
{
    constexpr const char *kKnown[] = {"its value", "`$(name)`", ""};
    return "| `" + QByteArray::fromStdString(std::string(variable.name)) + "` | " +
           kKnown[static_cast<int>(variable.known)] + " | " +
           (variable.absent.empty()
                ? QByteArray("set")
                : "not set: " + QByteArray::fromStdString(std::string(variable.absent))) +
           " |\n";
}

schema::Step stepOf(const char *task, const char *version, schema::TextMap inputs)
{
    schema::Step step;
    step.id = schema::nameGuid("step", task);
    step.name = step.displayName = "s";
    step.task = task;
    step.taskVersion = version;
    step.inputs = std::move(inputs);
    return step;
}

/// A deployment for a pull request whose stage Bob starts; its only step that runs says `text`.
schema::RunPlan deploymentSaying(const std::string &text)
{
    schema::Job deploy = deployment("Deploy", "production", "web");
    auto checkout = stepOf(schema::kCheckoutTaskId, "1",
                           {{"repository", "self"}, {"clean", "true"}, {"submodules", "true"}});
    auto download = stepOf(schema::kDownloadTaskId, "1", {{"alias", "none"}});
    checkout.condition = download.condition = "false";
    deploy.hooks.front().steps = {checkout, download, stepOf("CmdLine", "2", {{"script", text}})};
    schema::RunPlan made = plan({stage("Production", {deploy})});
    made.stages.front().manualTrigger = true;
    return made;
}

} // namespace

class TestPredefinedVariables : public QObject
{
    Q_OBJECT

    std::map<std::string, std::string, pipelines::LessIgnoringCase> m_seen;
    std::string m_work;

private Q_SLOTS:

    /// Runs the job whose script prints every variable of the table.
    void initTestCase()
    {
        std::string text = "cat <<'END'\n";
        for (const auto &variable : predefinedVariables())
            text.append(variable.name).append("=$(").append(variable.name).append(")\n");
        text += "END\necho \"TF_BUILD=$TF_BUILD\"\n";

        World world;
        const auto worker = world.addWorker("w1");
        world.connect(worker);
        const std::string ann = world.addIdentity("ann");
        const std::string bob = world.addIdentity("bob");
        server::environments::Environment production;
        production.projectId = world.projectId;
        production.name = "production";
        const auto environment = world.environments->create(production);
        QVERIFY(environment);
        server::environments::Resource resource;
        resource.environmentId = environment->id;
        resource.name = "web";
        resource.type = "dockerHost";
        const auto added = world.environments->addResource(resource);
        QVERIFY2(added, added ? "" : added.error().message.c_str());

        server::scheduler::NewRun run;
        run.pipelineId = world.pipelineId;
        run.plan = deploymentSaying(text);
        run.finalYaml = "stages: []\n";
        run.number = "20261121.1";
        run.sourceBranch = "refs/pull/7/merge";
        run.sourceVersion = "c1";
        run.commitMessage = "Merge\n\nbody";
        run.commitAuthor = "Carl";
        run.reason = schema::RunReason::PullRequest;
        run.requestedBy = ann;
        run.variables = {{"System.Debug", "false"}};
        // What pull requests, schedules and finished runs give a run: tst_pull_requests,
        // tst_schedules, tst_resource_triggers.
        for (const auto &variable : predefinedVariables()) {
            const std::string name(variable.name);
            if ((name.starts_with("System.PullRequest.") && variable.absent.empty() &&
                 !name.ends_with("SourceRepositoryUri")) ||
                name.starts_with("Build.TriggeredBy.") || name == "Build.CronSchedule.DisplayName")
                run.triggerVariables.emplace_back(name, "given");
        }
        const auto id = world.runs->createRun(std::move(run));
        QVERIFY2(id, id ? "" : id.error().message.c_str());
        QVERIFY(world.runs->startStage(*id, "Production", bob));

        worker::test::JobRun job(world.accept(worker));
        m_work = job.options.work.string();
        const auto completion = job.go();
        QVERIFY2(completion.result == schema::TaskResult::Succeeded, job.jobText().c_str());
        std::istringstream lines(job.stepText(job.message.steps.size() - 1));
        for (std::string line; std::getline(lines, line);) {
            if (const auto equals = line.find('='); equals != std::string::npos)
                m_seen.insert_or_assign(line.substr(0, equals), line.substr(equals + 1));
        }
    }

    void everyRowIsSetOrSaysWhyNot_data()
    {
        QTest::addColumn<QString>("expected");
        std::map<std::string, std::string, std::less<>> expected;
        const auto set = [&](const char *name, std::string value) {
            expected[name] = std::move(value);
        };
        const std::string workspace = m_work + "/1";
        const std::string url = "http://server:8480/space-game/_git/space-game";
        set("Agent.BuildDirectory", workspace);
        set("Agent.HomeDirectory", m_work.substr(0, m_work.rfind('/')));
        set("Agent.Id", "1");
        set("Agent.JobName", "Deploy");
        set("Agent.JobStatus", "Succeeded");
        set("Agent.Name", "test-worker");
        set("Agent.OS", "Linux");
        set("Agent.ToolsDirectory", m_work + "/_tool");
        set("Agent.WorkFolder", m_work);
        set("Build.ArtifactStagingDirectory", workspace + "/a");
        set("Build.BinariesDirectory", workspace + "/b");
        set("Build.BuildNumber", "20261121.1");
        set("Build.CronSchedule.DisplayName", "given");
        set("Build.DefinitionName", "space-game");
        set("Build.DefinitionVersion", "1");
        set("Build.QueuedBy", "ann");
        set("Build.Reason", "PullRequest");
        set("Build.Repository.Clean", "True");
        set("Build.Repository.Git.SubmoduleCheckout", "True");
        set("Build.Repository.LocalPath", workspace + "/s");
        set("Build.Repository.Name", "space-game");
        set("Build.Repository.Provider", "TfsGit");
        set("Build.RequestedFor", "ann");
        set("Build.RequestedForEmail", "ann");
        set("Build.SourceBranch", "refs/pull/7/merge");
        set("Build.SourceBranchName", "merge");
        set("Build.SourcesDirectory", workspace + "/s");
        set("Build.SourceVersion", "c1");
        set("Build.SourceVersionAuthor", "Carl");
        set("Build.SourceVersionMessage", "Merge");
        set("Build.StageRequestedBy", "bob");
        set("Build.StageRequestedForId", schema::nameGuid("identity", "bob"));
        set("Build.StagingDirectory", workspace + "/a");
        set("Common.TestResultsDirectory", workspace + "/TestResults");
        set("Environment.Name", "production");
        set("Environment.ResourceName", "web");
        set("Pipeline.Workspace", workspace);
        set("Resources.TriggeringAlias", "");
        set("Resources.TriggeringCategory", "");
        set("Strategy.CycleName", "Iteration");
        set("Strategy.Name", "runOnce");
        set("System.AccessToken", "***");
        set("System.CollectionUri", "http://server:8480/");
        set("System.Debug", "false");
        set("System.DefaultWorkingDirectory", workspace + "/s");
        set("System.HostType", "build");
        set("System.IsTriggeringRepository", "True");
        set("System.JobIdentifier", "Production.Deploy.deploy");
        set("System.JobParallelismTag", "Private");
        set("System.JobPositionInPhase", "1");
        set("System.PhaseName", "Deploy");
        set("System.PullRequest.SourceRepositoryUri", url);
        set("System.StageAttempt", "1");
        set("System.StageName", "Production");
        set("System.TeamFoundationCollectionUri", "http://server:8480/");
        set("System.TeamProject", "space-game");
        set("System.TotalJobsInPhase", "1");
        set("TF_BUILD", "True");
        // Of jobs with containers only: tst_containers.
        set("Agent.ContainerMapping", "$(Agent.ContainerMapping)");
        // Hosted: the address that the worker reaches the server by.
        set("Build.Repository.Uri", url);
        set("Build.DefinitionFolderPath", "\\");
        for (const auto &variable : predefinedVariables()) {
            const std::string name(variable.name);
            const auto found = expected.find(name);
            std::string value = kAnything;
            if (!variable.absent.empty())
                value = "$(" + name + ")";
            else if (found != expected.end())
                value = found->second;
            QTest::newRow(name.c_str()) << QString::fromStdString(value);
        }
    }

    void everyRowIsSetOrSaysWhyNot()
    {
        QFETCH(QString, expected);
        const std::string name = QTest::currentDataTag();
        const auto seen = m_seen.find(name);
        QVERIFY2(seen != m_seen.end(), "the step printed no such line");
        if (expected == QLatin1String(kAnything)) {
            QVERIFY2(!seen->second.empty() && !seen->second.starts_with("$("),
                     seen->second.c_str());
            return;
        }
        QCOMPARE(QString::fromStdString(seen->second), expected);
    }

    void documentSaysTheSame()
    {
        QFile file(QString::fromStdString(::test::sourceTree("docs/compatibility.md")));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray document = file.readAll();
        QByteArray table = "| Name | `${{ }}` finds | In a run |\n|---|---|---|\n";
        for (const auto &variable : predefinedVariables())
            table += documentedRow(variable);
        QVERIFY2(document.contains(table), table.constData());
    }

    void namesIgnoreCase()
    {
        const auto *const row = pipelines::predefinedVariable("system.ACCESSTOKEN");
        QVERIFY(row != nullptr && row->known == KnownAt::Reference);
        QVERIFY(pipelines::predefinedVariable("System.AccessToke") == nullptr);
    }
};

QTEST_GUILESS_MAIN(TestPredefinedVariables)
#include "tst_predefined_variables.moc"
