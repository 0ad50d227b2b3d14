"""Packaged tasks from the server's store to a worker: installed, chosen by version, checked, removed."""
import pathlib
import shutil
import subprocess
import urllib.request

import pytest
from slipway import BINARY, ROOT, ApiError, Project, wait_until

TASKS = ROOT / "tests/task-lib/tasks"
POOL = "pool: {vmImage: ubuntu-latest}\n"


@pytest.fixture(scope="module")
def store(plain):
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    plain.cli("task", "install", TASKS / "Echo/v2.0")
    plain.cli("task", "install", TASKS / "Echo/v2.10")
    return plain


def story(project, yaml, result):
    run = project.run({"azure-pipelines.yml": POOL + yaml})
    detail = project.api.completed(run, project.path)
    assert detail["result"] == result, project.api.story(run, project.path)
    return project.api.logs(run, project.path) + "\n".join(project.api.issues(run, project.path))


def test_worker_fetches_the_version_that_is_asked_for(store, tmp_path):
    project = Project(store.api, "tasks-versions", tmp_path / "repository")
    listed = store.cli("task", "list").stdout
    assert "2.0.0" in listed and "2.10.0" in listed
    text = story(project, "steps:\n- task: Echo@2\n- task: Echo@2.0.0\n", "succeeded")
    assert "Downloading the task Echo (2.10.0)" in text
    assert text.index("Echo 2.10\n") < text.index("Echo 2.0\n")


def test_wrong_checksum_runs_nothing(store, tmp_path):
    """The package on the server's disk is damaged after its checksum was taken."""
    project = Project(store.api, "tasks-checksum", tmp_path / "repository")
    folder = tmp_path / "Damaged"
    shutil.copytree(TASKS / "Echo/v2.0", folder)
    text = (folder / "task.json").read_text().replace("7f3d5b1e-2a44", "7f3d5b1e-2a45").replace('"Echo"', '"Damaged"')
    (folder / "task.json").write_text(text)
    store.cli("task", "install", folder)
    package = next(pathlib.Path(store.data).rglob("7f3d5b1e-2a45*/*/package.zip"))
    package.write_bytes(package.read_bytes()[:-1] + b"x")
    said = story(project, "steps:\n- task: Damaged@2\n", "failed")
    assert "has a wrong checksum" in said
    assert "Echo 2.0\n" not in said


def test_file_with_another_checksum_is_refused(store, tmp_path):
    archive = tmp_path / "task.zip"
    shutil.make_archive(str(archive.with_suffix("")), "zip", TASKS / "Echo/v2.10")
    refused = store.cli("task", "install", archive, "--sha256", "0" * 64, check=False)
    assert refused.returncode == 2
    assert "wrong checksum" in refused.stderr
    digest = subprocess.run(["sha256sum", archive], capture_output=True, text=True, check=True).stdout.split()[0]
    # Another packer's bytes of a version that is there: said, not silently taken.
    assert "installed with other content" in store.cli("task", "install", archive, "--sha256", digest, check=False).stderr


def test_removed_task_is_unknown(store, tmp_path):
    project = Project(store.api, "tasks-removed", tmp_path / "repository")
    store.cli("task", "remove", "Echo@2")
    said = story(project, "steps:\n- task: Echo@2\n", "failed")
    assert "slipway task install" in said


@pytest.fixture
def signing_task(store, tmp_path):
    """A task of our own on the unmodified libraries: it fetches a secure file and demands a capability."""
    modules = ROOT / "tests/task-lib/node_modules"
    if not (modules / "azure-pipelines-tasks-securefiles-common").exists():
        pytest.skip("the task libraries are not installed: npm ci in tests/task-lib")
    folder = tmp_path / "SecureFile"
    shutil.copytree(TASKS / "SecureFile", folder)
    (folder / "node_modules").symlink_to(modules)
    store.cli("task", "install", folder)
    return folder


def test_secure_file_and_demands_of_a_package(store, signing_task, tmp_path):
    """The job waits for a worker that has what the task demands; there the task fetches the file by its ticket."""
    project = Project(store.api, "tasks-secure", tmp_path / "repository")
    content = b"-----the signing key-----"
    files = f"{project.path}/_apis/distributedtask/securefiles"
    request = urllib.request.Request(f"{store.api.url}{files}?name=signing.pem", data=content, headers={
        "Authorization": f"Bearer {store.api.token}", "Content-Type": "application/octet-stream"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
    file = store.api.get(files)["value"][0]["id"]
    run = project.run({"azure-pipelines.yml": POOL + """steps:
- task: SecureFile@1
  inputs: {file: signing.pem}
- script: |
    echo "there: $(cat '$(pathOfSecureFile)')"
    echo "mode: $(stat --format %a '$(Agent.TempDirectory)')"
"""})

    def sentences():
        return [one["sentence"] for one in store.api.get(f"{project.path}/_apis/slipway/runs/{run}/explain")["waiting"]]

    lacks = "lacks: slipway-test-signing"
    wait_until(lambda: any(lacks in one for one in sentences()), f"the job waits: {lacks}", explain=lambda: str(sentences()))
    token = store.cli("pool", "token").stdout.strip().splitlines()[-1]
    with open(tmp_path / "worker.log", "wb") as log, subprocess.Popen(
            [BINARY, "worker", "--url", store.api.url, "--work", tmp_path / "work", "--name", "signer", "--once",
             "--capability", "slipway-test-signing=yes"], stdout=log, stderr=log,
            env={**store.environment, "SLIPWAY_WORKER_TOKEN": token}) as worker:
        try:
            detail = store.api.completed(run, project.path)
        finally:
            worker.terminate()
    said = store.api.logs(run, project.path)
    assert detail["result"] == "succeeded", store.api.story(run, project.path) + said
    assert f"id {file}" in said and "name signing.pem" in said
    assert "ticket ***." in said
    assert f"content {content.decode()}" in said and f"there: {content.decode()}" in said
    assert "removed true" in said
    assert not list((tmp_path / "work").rglob("signing.pem"))
    # Nobody else fetches it: not the operator, and not without a ticket.
    with pytest.raises(ApiError) as refused:
        store.api.request("GET", f"{files}/{file}?download=true", raw=True)
    assert refused.value.status == 401
