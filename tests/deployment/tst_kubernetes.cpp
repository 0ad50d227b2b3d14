// KubernetesManifest@1, Kubernetes@1 and HelmDeploy@1 on a real cluster, registry and helm
// (./run test deployment starts them).
#include "tests/worker/support/part.h"
#include "tests/worker/support/recording_sink.h"
#include "worker/base/text.h"

#include <QProcess>
#include <QTest>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

#define VERIFY_CONTAINS(text, part) QVERIFY2((text).find(part) != std::string::npos, (text).c_str())

namespace {

constexpr const char *kManifest = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: web, image: 'REG/pause'}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
)";

constexpr const char *kChart = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ .Release.Name }}-api'}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: api, image: '{{ .Values.image }}'}]
)";

} // namespace

class TestKubernetes : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void initTestCase()
    {
        m_registry = qgetenv("SLIPWAY_TEST_REGISTRY").toStdString();
        m_dockerHost = qgetenv("DOCKER_HOST").toStdString();
        m_kubeconfig = readFile(qgetenv("KUBECONFIG").toStdString()).value_or("");
        if (m_registry.empty() || m_dockerHost.empty() || m_kubeconfig.empty())
            QSKIP("no cluster, registry and Docker Engine are named (./run test deployment starts "
                  "them)");
        m_namespace = "tasks-" + std::to_string(QCoreApplication::applicationPid());
        kubectl({"create", "namespace", m_namespace}, false);
        makeImages();
    }

    void cleanupTestCase()
    {
        if (!m_namespace.empty())
            kubectl({"delete", "namespace", m_namespace, "--wait=false"}, false);
    }

    void deployRecordsWhatRuns()
    {
        JobRun run(job({manifest({{"containers", m_registry + "/pause:1"}})}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.stepText(0).c_str());
        QCOMPARE(run.sink.deployed.size(), std::size_t(1));
        QCOMPARE(run.sink.deployed[0].image, m_registry + "/pause:1");
        QCOMPARE(run.sink.deployed[0].digest, m_digests[0]);
        QCOMPARE(run.sink.deployed[0].kubernetesNamespace, m_namespace);
        const auto note =
            kubectl({"get", "pods", "-l", "app=web", "-o",
                     "jsonpath={.items[0].metadata.annotations.azure-pipelines/run}"});
        QCOMPARE(note, std::string("20261121.1"));
    }

    void canaryBesideTheStableOne()
    {
        JobRun run(job({manifest({{"containers", m_registry + "/pause:2"},
                                  {"strategy", "canary"},
                                  {"percentage", "25"}})}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.stepText(0).c_str());
        QCOMPARE(images(), "web " + m_registry + "/pause:1 4\n" + "web-baseline " + m_registry +
                               "/pause:1 1\n" + "web-canary " + m_registry + "/pause:2 1");
        QVERIFY(run.sink.deployed.empty()); // on trial only
    }

    void rejectedCanaryIsGone()
    {
        JobRun run(job({manifest({{"action", "reject"}, {"strategy", "canary"}})}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.stepText(0).c_str());
        QCOMPARE(images(), "web " + m_registry + "/pause:1 4");
    }

    void promotedCanaryTakesOver()
    {
        JobRun run(job({manifest({{"containers", m_registry + "/pause:2"},
                                  {"strategy", "canary"},
                                  {"percentage", "50"}}),
                        manifest({{"containers", m_registry + "/pause:2"},
                                  {"strategy", "canary"},
                                  {"action", "promote"}})}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.stepText(1).c_str());
        QCOMPARE(images(), "web " + m_registry + "/pause:2 4");
        QCOMPARE(run.sink.deployed.size(), std::size_t(1));
        QCOMPARE(run.sink.deployed[0].name, std::string("web"));
        QCOMPARE(run.sink.deployed[0].digest, m_digests[1]);
    }

    void scalePatchAndDelete()
    {
        JobRun run(
            job({task("KubernetesManifest@1", {{"action", "scale"},
                                               {"kubernetesServiceConnection", "Cluster"},
                                               {"kind", "deployment"},
                                               {"name", "web"},
                                               {"replicas", "1"}}),
                 task("KubernetesManifest@1",
                      {{"action", "patch"},
                       {"kubernetesServiceConnection", "Cluster"},
                       {"resourceToPatch", "name"},
                       {"kind", "deployment"},
                       {"name", "web"},
                       {"patch",
                        R"({"spec":{"template":{"spec":{"containers":[{"name":"web","image":")" +
                            m_registry + R"(/pause:1"}]}}}})"}}),
                 task("KubernetesManifest@1", {{"action", "delete"},
                                               {"kubernetesServiceConnection", "Cluster"},
                                               {"arguments", "service web"}})}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.stepText(1).c_str());
        QCOMPARE(images(), "web " + m_registry + "/pause:1 1");
        QCOMPARE(run.sink.deployed.back().digest, m_digests[0]);
        QCOMPARE(kubectl({"get", "service", "-o", "name"}), std::string());
    }

    void secretsStayOutOfArguments()
    {
        const auto get =
            task("Kubernetes@1", {{"kubernetesServiceConnection", "Cluster"},
                                  {"command", "get"},
                                  {"arguments", "secret/made configmap/map secret/pull"},
                                  {"outputFormat", "name"}});
        JobRun run(
            job({task("Kubernetes@1", {{"kubernetesServiceConnection", "Cluster"},
                                       {"secretName", "made"},
                                       {"secretType", "generic"},
                                       {"secretArguments", "--from-literal=key=hidden-value"},
                                       {"configMapName", "map"},
                                       {"configMapArguments", "--from-literal=mode=fast"}}),
                 task("KubernetesManifest@1", {{"action", "createSecret"},
                                               {"kubernetesServiceConnection", "Cluster"},
                                               {"secretName", "pull"},
                                               {"dockerRegistryEndpoint", "Registry"}}),
                 get}));
        prepare(run);
        QVERIFY2(run.go().result == TaskResult::Succeeded, run.stepText(0).c_str());
        QVERIFY(run.stepText(0).find("hidden-value") == std::string::npos);
        VERIFY_CONTAINS(run.stepText(2), "secret/made\nconfigmap/map\nsecret/pull\n");
        QCOMPARE(decodeBase64(kubectl({"get", "secret", "made", "-o", "jsonpath={.data.key}"})),
                 std::string("hidden-value"));
        VERIFY_CONTAINS(decodeBase64(kubectl({"get", "secret", "pull", "-o",
                                              "jsonpath={.data.\\.dockerconfigjson}"})),
                        "registry-pw");
    }

    void kubectlSaysWhatIsWrong()
    {
        JobRun run(job({task("Kubernetes@1", {{"kubernetesServiceConnection", "Cluster"},
                                              {"command", "get"},
                                              {"arguments", "pod none-such"}})}));
        prepare(run);
        QCOMPARE(toString(run.go().result), toString(TaskResult::Failed));
        VERIFY_CONTAINS(run.stepText(0), "kubectl get failed with exit code 1");
    }

    void helmRelease()
    {
        const auto helm = findHelm();
        if (helm.empty())
            QSKIP("helm is not there (tests/parts/helm)");
        const auto chart = [this](const char *command, const char *values) {
            return task("HelmDeploy@1", {{"connectionType", "Kubernetes Service Connection"},
                                         {"kubernetesServiceConnection", "Cluster"},
                                         {"command", command},
                                         {"chartType", "FilePath"},
                                         {"chartPath", "chart"},
                                         {"releaseName", "shop"},
                                         {"overrideValues", "image=" + m_registry + values}});
        };
        const auto other = [](const char *command, const char *arguments) {
            return task("HelmDeploy@1", {{"connectionType", "Kubernetes Service Connection"},
                                         {"kubernetesServiceConnection", "Cluster"},
                                         {"command", command},
                                         {"chartPath", "chart"},
                                         {"releaseName", "shop"},
                                         {"destination", "."},
                                         {"arguments", arguments}});
        };
        JobRun run(job({script("mkdir -p chart/templates; printf 'apiVersion: v2\\nname: "
                               "shop\\nversion: 1.0.0\\n' > chart/Chart.yaml; printf 'image: x\\n' "
                               "> chart/values.yaml; cp template.yaml chart/templates/"),
                        other("lint", "chart"), other("package", ""), chart("install", "/pause:1"),
                        chart("upgrade", "/pause:2"), other("ls", ""), other("rollback", "1"),
                        other("uninstall", "")}));
        prepare(run);
        put(run, "template.yaml", kChart);
        const auto *path = findEnvironment(run.options.environment, "PATH");
        setEnvironment(run.options.environment, "PATH",
                       fs::path(helm).parent_path().string() + ":" + *path);
        QVERIFY2(run.go().result == TaskResult::Succeeded, allText(run).c_str());
        VERIFY_CONTAINS(run.stepText(5), "shop");
        QCOMPARE(run.sink.deployed.size(), std::size_t(3)); // install, upgrade, rollback
        QCOMPARE(run.sink.deployed[0].digest, m_digests[0]);
        QCOMPARE(run.sink.deployed[1].digest, m_digests[1]);
        QCOMPARE(run.sink.deployed[1].name, std::string("shop-api"));
        QCOMPARE(run.sink.deployed[2].digest, m_digests[0]);
    }

    void bakedChartIsDeployed()
    {
        const auto helm = findHelm();
        if (helm.empty())
            QSKIP("helm is not there (tests/parts/helm)");
        auto bake = task("KubernetesManifest@1", {{"action", "bake"},
                                                  {"renderType", "helm"},
                                                  {"helmChart", "chart"},
                                                  {"releaseName", "baked"},
                                                  {"overrides", "image:" + m_registry + "/pause"},
                                                  {"containers", m_registry + "/pause:1"}});
        bake.name = "bake";
        JobRun run(job({script("mkdir -p chart/templates; printf 'apiVersion: v2\\nname: "
                               "shop\\nversion: 1.0.0\\n' > chart/Chart.yaml; cp template.yaml "
                               "chart/templates/"),
                        bake,
                        task("KubernetesManifest@1", {{"kubernetesServiceConnection", "Cluster"},
                                                      {"manifests", "$(bake.manifestsBundle)"}})}));
        prepare(run);
        put(run, "template.yaml", kChart);
        const auto *path = findEnvironment(run.options.environment, "PATH");
        setEnvironment(run.options.environment, "PATH",
                       fs::path(helm).parent_path().string() + ":" + *path);
        QVERIFY2(run.go().result == TaskResult::Succeeded, allText(run).c_str());
        QCOMPARE(run.sink.deployed.at(0).name, std::string("baked-api"));
        QCOMPARE(run.sink.deployed.at(0).digest, m_digests[0]);
    }

private:
    static std::string findHelm() { return qgetenv("SLIPWAY_TEST_HELM").toStdString(); }

    static std::string allText(const JobRun &run)
    {
        std::string out = run.jobText();
        for (std::size_t i = 0; i < run.message.steps.size(); ++i)
            out += run.stepText(i);
        return out;
    }

    static schema::Step manifest(schema::TextMap inputs)
    {
        inputs.emplace_back("kubernetesServiceConnection", "Cluster");
        inputs.emplace_back("manifests", "web.yml");
        inputs.emplace_back("rolloutStatusTimeout", "120");
        return task("KubernetesManifest@1", std::move(inputs));
    }

    static void put(const JobRun &run, const char *name, const std::string &text)
    {
        const auto folder = run.options.work / "1" / "s";
        fs::create_directories(folder);
        QVERIFY(writeFile(folder / name, text));
    }

    void prepare(JobRun &run) const
    {
        schema::protocol::ServiceConnection cluster;
        cluster.id = cluster.name = "Cluster";
        cluster.type = "kubernetes";
        cluster.parameters = {{"kubeconfig", m_kubeconfig}};
        schema::protocol::ServiceConnection registry;
        registry.id = registry.name = "Registry";
        registry.type = "dockerregistry";
        registry.url = "http://" + m_registry;
        registry.parameters = {{"username", "u"}, {"password", "registry-pw"}};
        run.message.connections = {cluster, registry};
        schema::protocol::JobEnvironment environment;
        environment.name = "dev";
        environment.resourceType = "kubernetes";
        environment.kubernetesNamespace = m_namespace;
        environment.connection = "Cluster";
        run.message.environment = environment;
        put(run, "web.yml", replaceAll(kManifest, "REG", m_registry));
    }

    /// Two images that differ, pushed so that they have digests.
    void makeImages()
    {
        QTemporaryDir folder;
        const auto root = folder.path().toStdString();
        QProcess compiler;
        QVERIFY(writeFile(root + "/p.c", "#include <unistd.h>\nint main(void){for(;;)pause();}"));
        compiler.start(QStringLiteral("gcc"),
                       {QStringLiteral("-static"), QStringLiteral("-O"), QStringLiteral("-o"),
                        folder.filePath(QStringLiteral("p")),
                        folder.filePath(QStringLiteral("p.c"))});
        QVERIFY(compiler.waitForFinished() && compiler.exitCode() == 0);
        for (const char *tag : {"1", "2"}) {
            QVERIFY(writeFile(root + "/Dockerfile", std::string("FROM scratch\nCOPY p /p\nENV V=") +
                                                        tag + "\nCMD [\"/p\"]\n"));
            const auto name = QString::fromStdString(m_registry + "/pause:" + tag);
            dockerSays(m_dockerHost,
                       {QStringLiteral("build"), QStringLiteral("-t"), name, folder.path()});
            dockerSays(m_dockerHost, {QStringLiteral("push"), name});
            const auto digest =
                dockerSays(m_dockerHost, {QStringLiteral("inspect"), QStringLiteral("--format"),
                                          QStringLiteral("{{index .RepoDigests 0}}"), name});
            QVERIFY2(digest.find('@') != std::string::npos, digest.c_str());
            m_digests.push_back(digest.substr(digest.find('@') + 1));
        }
    }

    std::string kubectl(const std::vector<std::string> &arguments, bool inNamespace = true) const
    {
        QStringList list;
        for (const auto &argument : arguments)
            list.append(QString::fromStdString(argument));
        if (inNamespace)
            list += {QStringLiteral("-n"), QString::fromStdString(m_namespace)};
        QProcess process;
        process.start(QStringLiteral("kubectl"), list);
        process.waitForFinished();
        return trimmed(process.readAllStandardOutput().toStdString());
    }

    /// "name image replicas", one per deployment of the service web.
    std::string images() const
    {
        return kubectl({"get", "deployments", "-o",
                        "jsonpath={range .items[*]}{.metadata.name} "
                        "{.spec.template.spec.containers[0].image} {.spec.replicas}{'\\n'}{end}"});
    }

    std::string m_registry, m_dockerHost, m_kubeconfig, m_namespace;
    std::vector<std::string> m_digests;
};

QTEST_GUILESS_MAIN(TestKubernetes)
#include "tst_kubernetes.moc"
