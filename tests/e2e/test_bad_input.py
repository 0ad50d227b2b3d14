"""Bad input in pipelines: each ends in one clear message, with the run in the right state."""
import dataclasses
import os
import pathlib
import re
import subprocess

import pytest
from slipway import ROOT, ApiError, Project, command, free_port, kubectl, wait_until

POOL = "pool: {vmImage: ubuntu-latest}\n"
IMAGE = {"Dockerfile": "FROM scratch\nCOPY file /file\n", "file": "x\n"}
PUSH = POOL + """
steps:
- task: Docker@2
  inputs:
    command: buildAndPush
    containerRegistry: registry
    repository: bad-input/image
    tags: one
"""


def deploy(manifests, extra=""):
    return POOL + f"""
jobs:
- deployment: Release
  environment: dev
  strategy:
    runOnce:
      deploy:
        steps:
        - checkout: self
        - task: KubernetesManifest@1
          inputs:
            action: deploy
            kubernetesServiceConnection: cluster
            namespace: bad-input
            manifests: {manifests}
{extra}
"""


@pytest.fixture
def project(plain, request, tmp_path):
    name = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:50].strip("-")
    return Project(plain.api, name, tmp_path / "repository")


@pytest.fixture(scope="module")
def guarded_registry(engine, folder):
    """A registry that asks for a password."""
    path = folder / "guarded-registry"
    part = ROOT / "tests/parts/registry"
    started = command(part, "start", path, environment={"REGISTRY_USER": "ada", "REGISTRY_PASSWORD": "right"})
    yield re.search("REGISTRY=(.*)", started.stdout)[1]
    command(part, "stop", path)


def refused(project, files, *expected, **body):
    """The queue request is refused with diagnostics that say what is expected."""
    with pytest.raises(ApiError) as error:
        project.run(files, **body)
    assert error.value.status == 400, error.value
    said = error.value.message + "".join(f"\n{d['file']}:{d['line']}: {d['message']}" for d in error.value.body.get("diagnostics", []))
    for text in expected:
        assert re.search(text, said), f"'{text}' is not in: {said}"


def fails(project, files, *expected, result="failed", absent=(), **body):
    """The run ends with `result`, and its errors say what is expected, in one message."""
    run = project.run(files, **body)
    detail = project.api.completed(run, project.path)
    assert detail["result"] == result, project.api.story(run, project.path)
    issues = project.api.issues(run, project.path)
    assert any(all(re.search(text, issue) for text in expected) for issue in issues), \
        f"no error says {expected}: {issues}\n{project.api.story(run, project.path)}"
    shown = "\n".join(issues) + project.api.logs(run, project.path)
    for text in absent:
        assert text not in shown
    return detail


@dataclasses.dataclass
class Refusal:
    name: str
    yaml: str
    expected: tuple


REFUSALS = [
    Refusal("invalid YAML", "steps:\n- script: [a\n", (r"azure-pipelines.yml:\d",)),
    Refusal("tab as indentation", "steps:\n\t- script: a\n", (r"azure-pipelines.yml:2",)),
    Refusal("unknown key", POOL + "stepz:\n- script: a\n", ("azure-pipelines.yml:2", "stepz")),
    Refusal("missing template", POOL + "steps:\n- template: nowhere.yml\n", (r"nowhere\.yml",)),
    Refusal("missing service connection", PUSH, ("azure-pipelines.yml:", "registry")),
    Refusal("missing variable group", POOL + "variables:\n- group: Nowhere\nsteps:\n- script: a\n", ("Nowhere",)),
    Refusal("undeclared parameter", POOL + "steps:\n- script: echo ${{ parameters.nothing.at.all }}\n  displayNam: x\n", ("displayNam",)),
    Refusal("unknown stage in dependsOn", POOL + "stages:\n- stage: A\n  dependsOn: Z\n  jobs:\n  - job: J\n    steps:\n    - script: a\n", ("Z",)),
]


@pytest.mark.parametrize("case", REFUSALS, ids=[c.name for c in REFUSALS])
def test_refused_when_queued(project, case):
    refused(project, {"azure-pipelines.yml": case.yaml}, *case.expected)


def test_push_of_a_broken_file_is_a_failed_run(project):
    """Nobody waits for an answer to a push, so the diagnostics must stand somewhere."""
    run = project.run({"azure-pipelines.yml": POOL + "steps:\n- script: echo fine\n"})
    assert project.api.completed(run, project.path)["result"] == "succeeded"
    project.sample.write("azure-pipelines.yml", "steps:\n- script: [a\n")
    commit = project.sample.push("break it")
    broken = wait_until(lambda: [r for r in project.api.runs(project.path) if r["version"] == commit], "the push makes a run")[0]
    detail = project.api.completed(broken["id"], project.path)
    assert detail["result"] == "failed"
    assert detail["diagnostics"] and detail["diagnostics"][0]["line"] >= 2


def test_unknown_task(project):
    detail = fails(project, {"azure-pipelines.yml": POOL + "steps:\n- script: echo before\n- task: NoSuchTask@7\n"},
                   "NoSuchTask@7", r"azure-pipelines\.yml")
    assert "before" not in project.api.logs(detail["id"], project.path).split("NoSuchTask")[0], "no step may run before"


def test_repository_that_the_job_does_not_use(project):
    """The server refuses it, and says to git and to people which one it was and what to do."""
    project.api.post(f"{project.path}/_apis/git/repositories", {"name": "other"})
    project.sample.write(".gitmodules", '[submodule "part"]\n\tpath = part\n\turl = ../other\n')
    (project.folder / "part").mkdir()
    project.sample.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},part")
    detail = fails(project, {"azure-pipelines.yml": POOL + "steps:\n- checkout: self\n  submodules: true\n"},
                   f"may not read the repository .*{project.path}/_git/other", "`uses: repositories`")
    logs = project.api.logs(detail["id"], project.path)
    assert "remote: this job does not use the repository 'other': check it out, or name it under" in logs
    assert "trying again" not in logs


def test_unknown_pool(project):
    fails(project, {"azure-pipelines.yml": "pool: Nowhere\nsteps:\n- script: a\n"}, "Nowhere")


def test_failing_step(project):
    detail = fails(project, {"azure-pipelines.yml": POOL + "steps:\n- script: exit 3\n- script: echo never\n"}, "exited with code '3'")
    assert "never" not in project.api.logs(detail["id"], project.path)


def test_failing_unit_test(project):
    junit = '<testsuite name="s"><testcase classname="c" name="good"/><testcase classname="c" name="bad"><failure message="no">x</failure></testcase></testsuite>'
    steps = """
steps:
- task: PublishTestResults@2
  inputs:
    testResultsFormat: JUnit
    testResultsFiles: results.xml
    failTaskOnFailedTests: true
"""
    detail = fails(project, {"azure-pipelines.yml": POOL + steps, "results.xml": junit}, r"test failures .*\(1\)")
    tests = project.api.get(f"{project.path}/_apis/slipway/runs/{detail['id']}/tests")["value"]
    assert [(t["passed"], t["failed"]) for t in tests] == [(1, 1)]


def test_wrong_registry_password(project, guarded_registry):
    project.connection("registry", "dockerregistry", f"http://{guarded_registry}", registry=guarded_registry, username="ada", password="wr0ng-secret")
    fails(project, {"azure-pipelines.yml": PUSH, **IMAGE}, "registry", "password", absent=["wr0ng-secret"])


def test_right_registry_password(project, guarded_registry):
    project.connection("registry", "dockerregistry", f"http://{guarded_registry}", registry=guarded_registry, username="ada", password="right")
    run = project.run({"azure-pipelines.yml": PUSH, **IMAGE})
    assert project.api.completed(run, project.path)["result"] == "succeeded", project.api.story(run, project.path)


def test_registry_down(project):
    registry = f"localhost:{free_port()}"
    project.connection("registry", "dockerregistry", f"http://{registry}", registry=registry, username="", password="")
    fails(project, {"azure-pipelines.yml": PUSH, **IMAGE}, re.escape(registry), "cannot be reached", "service connection")


def test_engine_down(project):
    """The engine is looked for where nobody listens, as on a worker whose engine has ended."""
    registry = f"localhost:{free_port()}"
    project.connection("registry", "dockerregistry", f"http://{registry}", registry=registry, username="", password="")
    yaml = PUSH.replace("steps:", "variables: {DOCKER_HOST: 'unix:///nowhere/docker.sock'}\nsteps:", 1)
    fails(project, {"azure-pipelines.yml": yaml, **IMAGE}, "Docker Engine does not answer", "start it")


def test_dockerfile_that_does_not_build(project, registry):
    project.connection("registry", "dockerregistry", f"http://{registry}", registry=registry, username="", password="")
    fails(project, {"azure-pipelines.yml": PUSH, "Dockerfile": "FROM scratch\nCOPY nowhere /\n"}, "docker build failed", "nowhere")


def test_cluster_down(project):
    port = free_port()
    config = f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
users: [{{name: u, user: {{}}}}]
current-context: c
"""
    project.environment("dev")
    project.connection("cluster", "kubernetes", f"http://127.0.0.1:{port}", scheme="Kubernetes", kubeconfig=config)
    fails(project, {"azure-pipelines.yml": deploy("pod.yml"), "pod.yml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"}, str(port), "cannot be reached", "service connection")


@pytest.fixture
def cluster_project(project, cluster):
    command("kubectl", "create", "namespace", "bad-input", check=False)
    project.environment("dev")
    config = kubectl("config", "view", "--raw", "--flatten", "--minify")
    project.connection("cluster", "kubernetes", "https://kubernetes", scheme="Kubernetes", kubeconfig=config)
    yield project
    command("kubectl", "-n", "bad-input", "delete", "deployment", "--all", "--wait=false", check=False)


def test_manifest_that_the_cluster_rejects(cluster_project):
    manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: rejected}\nspec: {replicas: many}\n"
    fails(cluster_project, {"azure-pipelines.yml": deploy("bad.yml"), "bad.yml": manifest}, "bad.yml|rejected", "replicas|spec|invalid|Invalid")


def test_manifest_that_is_not_there(cluster_project):
    fails(cluster_project, {"azure-pipelines.yml": deploy("nowhere.yml")}, r"nowhere\.yml")


def test_missing_namespace(cluster_project):
    text = deploy("map.yml").replace("namespace: bad-input", "namespace: no-such-namespace")
    fails(cluster_project, {"azure-pipelines.yml": text, "map.yml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"}, "no-such-namespace")


def test_image_that_never_becomes_ready(cluster_project, registry):
    manifest = f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: never}}
spec:
  selector: {{matchLabels: {{app: never}}}}
  template:
    metadata: {{labels: {{app: never}}}}
    spec:
      containers:
      - {{name: never, image: "{registry}/no/such-image:1"}}
"""
    fails(cluster_project, {"azure-pipelines.yml": deploy("never.yml", "            rolloutStatusTimeout: 15"), "never.yml": manifest},
          "never", "such-image|ErrImagePull|ImagePullBackOff")
    matrix = cluster_project.api.matrix(cluster_project.path)
    assert not any(cell.get("version") for cell in matrix.values()), "what never ran is nowhere"


def test_environment_that_is_not_there_in_a_push(project):
    """A person may create an environment by naming it; a push may not."""
    files = {"azure-pipelines.yml": POOL + "steps:\n- script: echo fine\n"}
    project.api.completed(project.run(files), project.path)
    project.sample.write("azure-pipelines.yml", POOL + "jobs:\n- deployment: D\n  environment: nowhere\n  strategy: {runOnce: {deploy: {steps: [{script: a}]}}}\n")
    commit = project.sample.push("deploy to nowhere")
    run = wait_until(lambda: [r for r in project.api.runs(project.path) if r["version"] == commit], "the push makes a run")[0]["id"]
    detail = project.api.completed(run, project.path)
    assert detail["result"] == "failed"
    assert any("nowhere" in text for text in project.api.issues(run, project.path) + [detail["sentence"]])


def test_secret_never_reaches_a_log(project):
    project.api.post(f"{project.path}/_apis/distributedtask/variablegroups", {
        "name": "Secrets", "type": "Vsts", "variables": {"password": {"value": "s3cr3t-Value!", "isSecret": True}}})
    yaml = POOL + """
variables:
- group: Secrets
steps:
- script: |
    echo "plain $(password)"
    printf %s "$MAPPED" | base64
  env: {MAPPED: $(password)}
"""
    run = project.run({"azure-pipelines.yml": yaml})
    assert project.api.completed(run, project.path)["result"] == "succeeded"
    logs = project.api.logs(run, project.path)
    assert "plain ***" in logs
    assert "s3cr3t" not in logs and "czNjcjN0" not in logs
