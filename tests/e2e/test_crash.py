"""Server and worker killed in the middle of the scenario: the run goes on, and nothing is lost or doubled."""
import os
import re
import signal

import pytest
from slipway import Project, docker, wait_until

POOL = "pool: {vmImage: ubuntu-latest}\n"
LINES = 60


def numbered_lines(api, project, run):
    """The numbers of the lines `line N` in the order of the log."""
    return [int(n) for n in re.findall(r"^(?:\S+Z )?line (\d+)$", api.logs(run, project), re.M)]


def job_yaml(marker, after=""):
    """A step that writes numbered lines for some seconds and leaves a mark for each start of it."""
    return POOL + f"""
steps:
- checkout: none
- script: |
    echo started >>{marker}
    i=0
    while [ $i -lt {LINES} ]; do
      echo "line $i"
      i=$((i + 1))
      sleep 0.1
    done
{after}
"""


def running_lines(api, project, run):
    return lambda: len(numbered_lines(api, project, run)) >= 5


@pytest.mark.parametrize("name", ["server", "worker"])
def test_killed_while_a_step_runs(plain, tmp_path, name):
    project = Project(plain.api, f"crash-{name}", tmp_path / "repository")
    marker = tmp_path / "started"
    run = project.run({"azure-pipelines.yml": job_yaml(marker)})
    wait_until(running_lines(plain.api, project.path, run), "the step has written lines")
    follower = plain.start_cli("logs", "--follow", str(run), "--project", project.path.strip("/"))
    first = follower.stdout.readline()
    before = plain.child(name)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: plain.running(name) - {before}, f"the {name} is started again")
    wait_until(lambda: answers(plain.api), "the server answers")
    detail = plain.api.completed(run, project.path)
    assert detail["result"] == "succeeded", plain.api.story(run, project.path)
    assert numbered_lines(plain.api, project.path, run) == list(range(LINES)), "each line once, in order"
    assert marker.read_text().splitlines() == ["started"], "the step ran once"
    followed, said = follower.communicate(timeout=60)
    assert follower.returncode == 0, said
    assert [int(n) for n in re.findall(r"line (\d+)$", first + followed, re.M)] == list(range(LINES)), "who follows the log missed nothing"


def answers(api):
    try:
        return api.get("/_apis/slipway/me")
    except OSError:
        return None


@pytest.mark.parametrize("name", ["server", "worker"])
@pytest.mark.parametrize("moment", ["Build", "Dev", "Production"])
def test_killed_in_a_stage_of_the_scenario(on_docker, name, moment):
    """At the beginning of each stage of the sample; the matrix must tell what the host really runs."""
    api = on_docker.api
    if api.run(on_docker.ready["firstRun"])["status"] != "completed":
        api.approve(api.waiting_approval(on_docker.ready["firstRun"]))
        api.completed(on_docker.ready["firstRun"])
    run = api.queue("space-game", templateParameters={"target": "docker"})

    def started(stage):
        return next(s for s in api.run(run)["stages"] if s["name"] == stage)["state"] in ("inProgress", "completed")

    if moment == "Production":
        api.approve(api.waiting_approval(run))
    wait_until(lambda: started(moment), f"{moment} has started", explain=lambda: api.story(run))
    before = on_docker.child(name)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: answers(api), "the server answers")
    if moment != "Production":
        api.approve(api.waiting_approval(run))
    detail = api.completed(run)
    assert detail["result"] == "succeeded", api.story(run)
    matrix = api.matrix()
    for environment in ("dev", "production"):
        for service in ("leaderboard", "web"):
            cell = matrix[service, environment]
            assert cell["version"]["runId"] == run and cell["state"] == "ok"
            image = docker("ps", "--filter", f"label=com.docker.compose.project=space-game-{environment}",
                           "--filter", f"label=com.docker.compose.service={service}", "--format", "{{.Image}}").strip()
            assert image.endswith(f"/space-game/{service}:{run}")


def test_killed_while_an_approval_waits(on_docker):
    api = on_docker.api
    run = api.queue("space-game", templateParameters={"target": "docker"})
    approval = api.waiting_approval(run)
    for name in ("server", "worker"):
        os.kill(on_docker.child(name), signal.SIGKILL)
        wait_until(lambda: answers(api), "the server answers")
        wait_until(lambda: on_docker.running("server") and on_docker.running("worker"), "both run again")
    assert api.waiting_approval(run)["id"] == approval["id"]
    before = api.matrix()["web", "production"]["version"]["runId"]
    assert before != run, "nothing is deployed without the approval"
    api.approve(approval, status="rejected", comment="not today")
    detail = api.completed(run)
    # A rejected stage is not executed, which is no failure of the others (as in Azure Pipelines).
    assert [s["result"] for s in detail["stages"] if s["name"] == "Production"] == ["skipped"]
    assert api.matrix()["web", "production"]["version"]["runId"] == before


CONTAINER_JOB = POOL + """
resources:
  containers:
  - {container: box, image: 'debian:bookworm-slim'}
  - {container: aside, image: 'debian:bookworm-slim', options: '--tty --interactive'}
container: box
services: {aside: aside}
steps:
- checkout: none
- script: |
    echo "line 0"
    sleep 1000
"""


@pytest.mark.parametrize("killed", ["worker", "job process", "both"])
def test_containers_of_a_killed_job_are_gone(plain, base_image, tmp_path, killed):
    """kill -9 while a job container and a service container run."""
    project = Project(plain.api, f"crash-containers-{killed.replace(' ', '-')}", tmp_path / "repository")
    run = project.run({"azure-pipelines.yml": CONTAINER_JOB})
    wait_until(lambda: numbered_lines(plain.api, project.path, run) == [0], "the step runs in its container",
               explain=lambda: plain.api.story(run, project.path))
    files = list(plain.data.rglob("_jobs/*/pid"))
    assert len(files) == 1, files
    label = f"label=slipway.job={files[0].parent.name}"

    def left():
        return docker("ps", "--all", "--quiet", "--filter", label) + docker("network", "ls", "--quiet", "--filter", label)
    assert len(left().split()) == 3, "two containers and a network"
    job = int(files[0].read_text().split()[0])
    before = plain.child("worker")
    if killed != "job process":
        os.kill(before, signal.SIGKILL)
    if killed != "worker":
        os.kill(job, signal.SIGKILL)
    if killed == "worker":
        # The job goes on, and nothing was removed under it; canceled, it tidies up itself.
        wait_until(lambda: plain.running("worker") - {before}, "the worker is started again")
        assert len(left().split()) == 3
        plain.api.patch(f"{project.path}/_apis/build/builds/{run}", {"status": "cancelling"})
    detail = plain.api.completed(run, project.path)
    assert detail["result"] == ("canceled" if killed == "worker" else "failed"), plain.api.story(run, project.path)
    wait_until(lambda: not left(), "no container and no network is left", explain=left)
    wait_until(lambda: not files[0].parent.exists(), "the job's folder is gone")
    assert not list(plain.data.rglob(f"_containers/{files[0].parent.name}")), "nor its engine's configuration"
