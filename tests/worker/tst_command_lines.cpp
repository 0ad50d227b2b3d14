// The command lines that tasks make of their inputs (worker-and-tasks 8, 9, 10). A program that
// writes down how it was called stands in for the tool; the tools themselves are met in
// tst_docker, tests/deployment and tests/e2e.
#include "support/recording_sink.h"
#include "worker/base/text.h"

#include <QRegularExpression>
#include <QTest>

using namespace worker;
using namespace worker::test;
using schema::TaskResult;

namespace {

/// Prints the file of ANSWERS that is named after its program and first two arguments, if any.
constexpr const char *kRecorder = R"sh(#!/bin/sh
printf '%s' "$(basename "$0")" >>"$CALLS"
for word; do printf ' %s' "$word" >>"$CALLS"; done
echo >>"$CALLS"
case $(basename "$0") in kompose) : >"$5" ;; esac
answer=$ANSWERS/$(basename "$0")_$1_$(printf %s "$2" | tr / _)
if [ -f "$answer" ]; then cat "$answer"; fi
case " $* " in *" -o json "*) [ -f "$answer" ] || case $2 in pods) echo '{"items":[]}' ;; esac ;; esac
)sh";

constexpr const char *kDeployment = R"({"apiVersion": "apps/v1", "kind": "Deployment",
 "metadata": {"name": "web", "uid": "1", "labels": {"app": "web"}},
 "spec": {"replicas": 4, "selector": {"matchLabels": {"app": "web"}},
 "template": {"metadata": {"labels": {"app": "web"}},
  "spec": {"containers": [{"name": "web", "image": "reg/web:1"}]}}}, "status": {"replicas": 4}})";

schema::TextMap inputsOf(const QByteArray &text)
{
    schema::TextMap out;
    for (const auto &part :

         text.split('|')) {
        const auto equals = part.indexOf('=');
        if (equals > 0)
            out.emplace_back(part.left(equals).trimmed().toStdString(),
                             QByteArray(part.mid(equals + 1)).replace("\\n", "\n").toStdString());
    }

    return out;
} // namespace

} // namespace

class TestCommandLines : public QObject
{
    Q_OBJECT

    static void row(const char *name, const char *task, const char *inputs, const char *calls,
                    const char *answers = "")
    {
        QTest::newRow(name) << QByteArray(task) << QByteArray(inputs) << QByteArray(calls)
                            << QByteArray(answers);
    }

    static void kubernetesManifest()
    {
        const char *const deploy = "kubectl apply -f T/Deployment_web_1.json --namespace ns\n"
                                   "kubectl rollout status Deployment/web --timeout=5s "
                                   "--namespace "
                                   "ns\n"
                                   "kubectl annotate -f T/Deployment_web_1.json NOTES "
                                   "--namespace "
                                   "ns\n";
        row("manifest: deploy", "KubernetesManifest@0",
            "action=deploy|namespace=ns|manifests=web.json", deploy);
        row("manifest: the time for a rollout", "KubernetesManifest@1",
            "action=deploy|namespace=ns|manifests=web.json|"
            "rolloutStatusTimeout=3",
            "--timeout=3s");
        row("manifest: canary without a stable one", "KubernetesManifest@1",
            "action=deploy|strategy=canary|percentage=25|namespace=ns|"
            "manifests=web.json",
            "kubectl get Deployment/web -o json --ignore-not-found "
            "--namespace ns\n"
            "kubectl apply -f T/Deployment_web-canary_1.json "
            "--namespace ns\n"
            "kubectl rollout status Deployment/web-canary --timeout=5s "
            "--namespace ns\n");
        row("manifest: canary with baseline", "KubernetesManifest@1",
            "action=deploy|strategy=canary|percentage=25|namespace=ns|"
            "manifests=web.json",
            "kubectl apply -f "
            "T/Deployment_web-canary_1.json,T/"
            "Deployment_web-baseline_2.json "
            "--namespace ns\n"
            "kubectl rollout status Deployment/web-canary --timeout=5s "
            "--namespace ns\n"
            "kubectl rollout status Deployment/web-baseline "
            "--timeout=5s --namespace ns\n",
            "kubectl_get_Deployment_web");
        row("manifest: promote", "KubernetesManifest@1",
            "action=promote|strategy=canary|namespace=ns|manifests=web."
            "json",
            "kubectl get Deployment/web-canary -o json "
            "--ignore-not-found --namespace ns\n"
            "kubectl get Deployment/web-baseline -o json "
            "--ignore-not-found --namespace ns\n"
            "kubectl delete Deployment web-canary --namespace ns\n",
            "kubectl_get_Deployment_web-canary");
        row("manifest: reject", "KubernetesManifest@1",
            "action=reject|strategy=canary|namespace=ns|manifests=web."
            "json",
            "kubectl delete Deployment web-canary web-baseline "
            "--namespace ns\n",
            "kubectl_get_Deployment_web-canary "
            "kubectl_get_Deployment_web-baseline");
        row("manifest: scale", "KubernetesManifest@1",
            "action=scale|kind=deployment|name=web|replicas=3|"
            "namespace=ns",
            "kubectl scale deployment/web --replicas=3 --namespace ns\n"
            "kubectl get deployment/web -o json --ignore-not-found "
            "--namespace ns\n"
            "kubectl rollout status Deployment/web --timeout=5s "
            "--namespace ns\n"
            "kubectl annotate deployment/web NOTES --namespace ns\n",
            "kubectl_get_deployment_web");
        row("manifest: patch by name", "KubernetesManifest@1",
            "action=patch|resourceToPatch=name|kind=deployment|name="
            "web|patch={}|namespace=ns",
            "kubectl patch deployment web --type=strategic -p {} "
            "--namespace ns\n");
        row("manifest: patch by file", "KubernetesManifest@1",
            "action=patch|resourceFileToPatch=web.json|mergeStrategy="
            "merge|patch={}|namespace=ns",
            "kubectl patch -f S/web.json --type=merge -p {} "
            "--namespace ns\n");
        row("manifest: delete", "KubernetesManifest@1",
            "action=delete|arguments=deployment web "
            "--wait|namespace=ns",
            "kubectl delete deployment web --wait --namespace ns\n");
        row("manifest: secret", "KubernetesManifest@1",
            "action=createSecret|secretType=generic|secretName=s|"
            "secretArguments=--from-literal=a="
            "b|namespace=ns",
            "kubectl delete secret s --ignore-not-found --namespace "
            "ns\n"
            "kubectl create -f - --namespace ns\n");
        row("manifest: bake with helm", "KubernetesManifest@1",
            "action=bake|renderType=helm|helmChart=chart|releaseName="
            "rel|namespace=ns|"
            "overrideFiles=v.yaml|overrides=a:1\\nb.c:x:y",
            "helm template rel S/chart --namespace ns -f S/v.yaml "
            "--set a=1 --set b.c=x:y\n");
        row("manifest: bake with kustomize", "KubernetesManifest@1",
            "action=bake|renderType=kustomize|kustomizationPath=k", "kubectl kustomize S/k\n");
        row("manifest: bake with kompose", "KubernetesManifest@1",
            "action=bake|renderType=kompose|dockerComposeFile=c.yml",
            "kompose convert -f S/c.yml -o T/G.yaml\n");
    }

    static void kubernetes()
    {
        row("kubectl: get", "Kubernetes@1", "command=get|namespace=ns1|arguments=pods -l app=web",
            "kubectl get -n ns1 pods -l app=web -o json\n");
        row("kubectl: a format of its own", "Kubernetes@1",
            "command=get|namespace=ns|arguments=pods -o yaml", "kubectl get -n ns pods -o yaml\n");
        row("kubectl: no format", "Kubernetes@1",
            "command=get|namespace=ns|arguments=pods|outputFormat=none",
            "kubectl get -n ns pods\n");
        row("kubectl: file", "Kubernetes@1",
            "command=apply|namespace=ns|useConfigurationFile=true|"
            "configuration=web.json",
            "kubectl apply -n ns -f S/web.json -o json\n");
        row("kubectl: inline", "Kubernetes@1",
            "command=apply|namespace=ns|useConfigurationFile=true|"
            "configurationType=inline|inline={"
            "}",
            "kubectl apply -n ns -f T/G.yaml -o json\n");
        for (const char *verb : {"delete", "exec", "logs", "rollout", "top"})
            row(verb, "Kubernetes@1",
                QByteArray("command=").append(verb).append("|namespace=ns|arguments=x").constData(),
                QByteArray("kubectl ").append(verb).append(" -n ns x\n").constData());
        for (const char *verb : {"create", "expose", "run", "set"})
            row(verb, "Kubernetes@0",
                QByteArray("command=").append(verb).append("|namespace=ns|arguments=x").constData(),
                QByteArray("kubectl ").append(verb).append(" -n ns x -o json\n").constData());
        row("kubectl: config map and secret", "Kubernetes@1",
            "namespace=ns|configMapName=m|configMapArguments=--from-"
            "literal=a=b|"
            "forceUpdateConfigMap=true|secretName=s|secretType=generic|"
            "secretArguments=--from-"
            "literal=k=v",
            "kubectl delete -n ns secret s --ignore-not-found\nkubectl "
            "create -n ns -f -\n"
            "kubectl delete -n ns configmap m "
            "--ignore-not-found\nkubectl create -n ns -f -\n");
    }

    static void helm()
    {
        row("helm: install", "HelmDeploy@0",
            "command=install|namespace=ns|chartName=repo/"
            "x|version=1.2.3|updatedependency=true|"
            "waitForExecution=false",
            "helm install --namespace ns --dependency-update "
            "--generate-name repo/x --version "
            "1.2.3\n");
        row("helm: upgrade", "HelmDeploy@1",
            "command=upgrade|namespace=ns|chartType=FilePath|chartPath="
            "chart|releaseName=rel|"
            "overrideValues=a=1\\nb=2|valueFile=v.yaml|resetValues="
            "true|force=true|arguments=--"
            "timeout 5m",
            "helm upgrade --namespace ns --install --reset-values "
            "--force --values S/v.yaml --set "
            "a=1,b=2 --wait --timeout 5m rel S/chart\nhelm get "
            "manifest rel --namespace ns\n");
        row("helm: upgrade without a name", "HelmDeploy@1",
            "command=upgrade|namespace=ns|chartName=x|install=false|"
            "publishPipelineMetadata=false",
            "helm upgrade --namespace ns --wait 20261121.1 x\n");
        row("helm: package", "HelmDeploy@1",
            "command=package|chartPath=chart|destination=out|version=1."
            "0.0|updatedependency=true",
            "helm package --dependency-update --version 1.0.0 "
            "--destination S/out S/chart\n");
        row("helm: uninstall", "HelmDeploy@1",
            "command=uninstall|namespace=ns|releaseName=rel|arguments=-"
            "-keep-history",
            "helm uninstall rel --namespace ns --keep-history\n");
        row("helm: delete", "HelmDeploy@0", "command=delete|namespace=ns|releaseName=rel",
            "helm delete rel --namespace ns\n");
        row("helm: rollback", "HelmDeploy@1",
            "command=rollback|namespace=ns|releaseName=rel|arguments=1|"
            "publishPipelineMetadata="
            "false",
            "helm rollback rel --namespace ns --wait 1\n");
        row("helm: create", "HelmDeploy@1", "command=create|chartName=web", "helm create web\n");
        row("helm: lint", "HelmDeploy@1", "command=lint|arguments=chart", "helm lint chart\n");
        row("helm: ls", "HelmDeploy@1", "namespace=ns", "helm ls --namespace ns\n");
        row("helm: get", "HelmDeploy@1", "command=get|namespace=ns|arguments=values rel",
            "helm get --namespace ns values rel\n");
    }

private Q_SLOTS:

    void lines_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("inputs");
        QTest::addColumn<QByteArray>("calls");
        QTest::addColumn<QByteArray>("answers");
        kubernetesManifest();
        kubernetes();
        helm();
    }

    void lines()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, inputs);
        QFETCH(QByteArray, calls);
        QFETCH(QByteArray, answers);
        JobRun run(job({task(name.toStdString(), inputsOf(inputs))}));
        const auto made = callsOf(run, answers);
        QVERIFY2(run.stepResult(0) == "succeeded", run.stepText(0).c_str());
        QVERIFY2(made.contains(QString::fromUtf8(calls)), qPrintable(made));
    }

    void refused_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("inputs");
        QTest::addColumn<QByteArray>("why");
        const auto add = [](const char *row, const char *task, const char *inputs,
                            const char *why) {
            QTest::newRow(row) << QByteArray(task) << QByteArray(inputs) << QByteArray(why);
        };
        add("no manifests", "KubernetesManifest@1", "namespace=ns", "'manifests' is empty");
        add("nothing matches", "KubernetesManifest@1", "manifests=none/*.yml",
            "no file matches the input 'manifests'");
        add("unknown action", "KubernetesManifest@1", "action=bounce", "must be deploy, promote");
        add("unknown strategy", "KubernetesManifest@1", "strategy=blue|manifests=web.json",
            "must be none or canary");
        add("no percentage", "KubernetesManifest@1",
            "strategy=canary|percentage=101|manifests=web.json", "from 0 to 100");
        add("service mesh", "KubernetesManifest@1",
            "strategy=canary|trafficSplitMethod=smi|manifests=web.json", "only 'pod' is");
        add("promote without canary", "KubernetesManifest@1", "action=promote|manifests=web.json",
            "needs the strategy 'canary'");
        add("reject without canary", "KubernetesManifest@1", "action=reject|manifests=web.json",
            "needs the strategy 'canary'");
        add("cloud", "KubernetesManifest@1", "connectionType=azureResourceManager",
            "'azureResourceManager' is not available");
        add("scale without a name", "KubernetesManifest@1", "action=scale|kind=deployment",
            "'kind', 'name' and 'replicas'");
        add("patch without a name", "KubernetesManifest@1", "action=patch|resourceToPatch=name",
            "'kind' and 'name'");
        add("delete without arguments", "KubernetesManifest@1", "action=delete",
            "'arguments' is required");
        add("bake of what", "KubernetesManifest@1", "action=bake|renderType=jsonnet",
            "must be helm, kompose or kustomize");
        add("bake of no chart", "KubernetesManifest@1", "action=bake", "'helmChart' is empty");
        add("override without colon", "KubernetesManifest@1",
            "action=bake|helmChart=chart|overrides=a", "expected name:value");
        add("secret arguments", "KubernetesManifest@1",
            "action=createSecret|secretType=generic|secretName=s|"
            "secretArguments=--dry-run",
            "may hold --from-literal");
        add("helm without a release", "HelmDeploy@1", "command=uninstall",
            "'releaseName' is empty");
        add("helm without a chart", "HelmDeploy@1", "command=install", "'chartName' is empty");
        add("helm with a bad version", "HelmDeploy@1", "command=install|chartName=x|version=1 2",
            "is no version");
        add("helm in the cloud", "HelmDeploy@1",
            "connectionType=Azure Resource Manager|azureSubscription=x", "is not available");
    }

    void refused()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, inputs);
        QFETCH(QByteArray, why);
        JobRun run(job({task(name.toStdString(), inputsOf(inputs))}));
        callsOf(run, {});
        QCOMPARE(run.stepResult(0), std::string("failed"));
        QVERIFY2(run.stepText(0).find(why.toStdString()) != std::string::npos,
                 run.stepText(0).c_str());
    }

private:
    /// Runs the job with recorders on its PATH; what they wrote, with T
    /// for the temp folder, S for the sources, G for a GUID and NOTES
    /// for the annotations.
    static QString callsOf(JobRun &run, const QByteArray &answers)
    {
        const fs::path root = run.folder.path().toStdString();
        const auto bin = root / "bin";
        const auto said = root / "answers";
        fs::create_directories(bin);
        fs::create_directories(said);
        for (const char *tool : {"kubectl", "helm", "kompose", "docker"})
            [&] { QVERIFY(writeFile(bin / tool, kRecorder, 0755)); }();
        for (const auto &answer : listEntries(answers.toStdString(), " "))
            [&] { QVERIFY(writeFile(said / answer, kDeployment)); }();
        const auto sources = run.options.work / "1" / "s";
        fs::create_directories(sources / "chart");
        [&] { QVERIFY(writeFile(sources / "web.json", kDeployment)); }();
        auto path = bin.string();
        if (const auto *own = findEnvironment(run.options.environment, "PATH"))
            path += ":" + *own;
        setEnvironment(run.options.environment, "PATH", path);
        setEnvironment(run.options.environment, "CALLS", (root / "calls").string());
        setEnvironment(run.options.environment, "ANSWERS", said.string());
        setEnvironment(run.options.environment, "KUBECONFIG", (root / "kubeconfig").string());
        run.go();
        auto calls = QString::fromStdString(readFile(root / "calls").value_or(""));
        calls.replace(QString::fromStdString((run.options.work / "_temp").string()),
                      QStringLiteral("T"));
        calls.replace(QString::fromStdString(sources.string()), QStringLiteral("S"));
        calls.replace(
            QRegularExpression(QStringLiteral("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
            QStringLiteral("G"));
        calls.replace(QStringLiteral("T/G/"), QStringLiteral("T/")); // the job's own folder
        calls.replace(QRegularExpression(QStringLiteral("azure-pipelines/.*--overwrite")),
                      QStringLiteral("NOTES"));
        return calls;
    }
};

QTEST_GUILESS_MAIN(TestCommandLines)
#include "tst_command_lines.moc"
