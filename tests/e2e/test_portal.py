"""The portal in headless Chromium, against real servers: the scripts of tests/portal drive the browser.

Each script finds the server by SLIPWAY_URL, signs in by SLIPWAY_SIGN_IN (a one-time link), takes what else it needs from its environment
(its head comment says what), prints one line per step, and ends with status 0 when the browser showed what it must.
"""
import os
import shutil
import subprocess

import pytest
from slipway import ROOT, Api, Project, Sample

PORTAL = ROOT / "tests/portal"

# A step that writes 100,000 lines: a group that folds, a coloured line in every thousand, and two places at which it waits until the
# browser has looked.
LONG_LOG = r"""
trigger: none
parameters:
- {name: go, type: string}
pool: {vmImage: ubuntu-latest}
steps:
- checkout: none
- script: |
    lines() {
        awk -v from="$1" -v to="$2" 'BEGIN { for (i = from; i <= to; i++)
            if (i % 1000 == 0) printf "\033[1;31mred\033[0m \033[32mgreen\033[0m \033[38;5;208morange\033[0m needle %d\n", i
            else printf "line %d of the long log, with enough words to look like one\n", i }'
    }
    await() { while [ ! -e "$1" ]; do sleep 0.1; done; }
    echo "##[group]Preparing"
    for thing in first second third; do echo "prepared the $thing thing"; done
    echo "##[endgroup]"
    echo "waiting for the first file"
    await "${{ parameters.go }}.1"
    lines 1 30000
    echo "waiting for the second file"
    await "${{ parameters.go }}.2"
    lines 30001 100000
    echo "the last of the lines"
  displayName: Write a long log
"""


@pytest.fixture(scope="module")
def chromium():
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium: apt-get install chromium")
    return found


def browse(up, chromium, script, run=None, seconds=300, link=None, **environment):
    """Runs a script of tests/portal against the server; fails with all that it printed, and the story of the run. `link` signs somebody
    else than the operator in."""
    link = link or up.cli("signin").stdout.strip()
    if run is not None:
        environment["SLIPWAY_RUN"] = str(run)
    done = subprocess.run(["node", PORTAL / script], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=seconds, check=False, env={**os.environ, "CHROMIUM": chromium, "SLIPWAY_URL": up.api.url, "SLIPWAY_SIGN_IN": link, **environment})
    project = f"/{environment['SLIPWAY_PROJECT']}" if "SLIPWAY_PROJECT" in environment else "/space-game"
    assert done.returncode == 0, done.stdout + ("" if run is None else f"\n{up.api.story(run, project)}")
    return done.stdout


def test_approval_in_the_browser(on_docker, chromium):
    api = on_docker.api
    first = api.run(on_docker.ready["firstRun"])
    if first["status"] != "completed":
        api.approve(api.waiting_approval(first["id"]))
        api.completed(first["id"])
    run = api.queue("space-game", templateParameters={"target": "docker"})
    browse(on_docker, chromium, "scenario.mjs", run)
    detail = api.completed(run)
    assert detail["result"] == "succeeded", api.story(run)
    cell = api.matrix()["web", "production"]
    assert cell["version"]["runId"] == run
    assert [a["displayName"] for a in cell["approvedBy"]] == [api.get("/_apis/slipway/me")["displayName"]]


def test_release_of_one_service_in_the_browser(on_docker, chromium):
    api = on_docker.api
    first = api.run(on_docker.ready["firstRun"])
    if first["status"] != "completed":
        api.approve(api.waiting_approval(first["id"]))
    api.completed(first["id"])
    # The commit starts nothing by itself: the browser queues the run, with its parameter.
    sample = Sample(on_docker.data / "sample")
    subject = "leaderboard: a comment for the release in the browser"
    source = sample.folder / "leaderboard/scores.c"
    sample.write("leaderboard/scores.c", source.read_text() + "\n// released from the portal\n")
    commit = sample.push(f"{subject}\n\n[skip ci]")
    browse(on_docker, chromium, "release.mjs", SLIPWAY_COMMIT=commit, SLIPWAY_SUBJECT=subject)
    assert api.matrix()["leaderboard", "production"]["version"]["commit"] == commit


def test_log_of_100000_lines(plain, chromium, tmp_path):
    project = Project(plain.api, "long-log", tmp_path / "work")
    go = tmp_path / "go"
    run = project.run({"azure-pipelines.yml": LONG_LOG}, templateParameters={"go": str(go)})
    browse(plain, chromium, "log.mjs", run, SLIPWAY_PROJECT=project.name, SLIPWAY_GO=str(go))
    assert plain.api.completed(run, project.path)["result"] == "succeeded"


ONE_STEP = "trigger: none\npool: {vmImage: ubuntu-latest}\nsteps: [{checkout: none}, {script: echo done}]\n"


def test_administration_in_the_browser(plain, chromium, tmp_path):
    project = Project(plain.api, "administered", tmp_path / "work")
    plain.api.completed(project.run({"azure-pipelines.yml": ONE_STEP}), project.path)
    browse(plain, chromium, "administration.mjs", seconds=1200, SLIPWAY_PROJECT=project.name)


SINGLE_JOBS = """
trigger: none
parameters:
- {name: go, type: string}
pool: {vmImage: ubuntu-latest}
jobs:
- job: Again
  displayName: Try again
  steps:
  - checkout: none
  - script: if [ -e "${{ parameters.go }}" ]; then echo "it is there"; else echo "it is not there yet"; exit 1; fi
    displayName: Wait for the file
- job: Long
  steps:
  - checkout: none
  - script: while true; do sleep 1; done
- job: Demanding
  pool: {name: Default, demands: hovercraft}
  steps: [{checkout: none}, {script: echo never}]
"""


def test_single_jobs_in_the_browser(plain, chromium, tmp_path):
    project = Project(plain.api, "single-jobs", tmp_path / "work")
    go = tmp_path / "go"
    run = project.run({"azure-pipelines.yml": SINGLE_JOBS}, templateParameters={"go": str(go)})
    try:
        browse(plain, chromium, "jobs.mjs", run, SLIPWAY_PROJECT=project.name, SLIPWAY_GO=str(go))
    finally:
        # A job that never ends would keep the only slot from the tests that follow.
        if plain.api.run(run, project.path)["status"] != "completed":
            plain.api.patch(f"{project.path}/_apis/build/builds/{run}", {"status": "cancelling"})
            plain.api.completed(run, project.path)


# One test that fails when it is told so, and an artifact with a text, a picture and bytes.
RESULTS = r"""
trigger: none
parameters:
- {name: broken, type: boolean, default: false}
pool: {vmImage: ubuntu-latest}
steps:
- checkout: none
- script: |
    mkdir notes
    printf '# Notes\n- Shows the top ten\n' > notes/notes.md
    printf '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="teal"/></svg>' > notes/picture.svg
    head -c 300 /dev/zero > notes/numbers.dat
    if [ "${{ parameters.broken }}" = True ]; then failure='<failure message="expected 10 entries, got 9">scores_test.c:41</failure>'; fi
    cat > results.xml <<X
    <testsuite name="scores" tests="2"><testcase classname="scores" name="keeps_top_ten" time="0.4">$failure</testcase><testcase classname="scores" name="counts_ties" time="0.02"/></testsuite>
    X
  displayName: Make the files
- publish: notes
  artifact: notes
- task: PublishTestResults@2
  inputs: {testResultsFormat: JUnit, testResultsFiles: results.xml, testRunTitle: Unit tests, failTaskOnFailedTests: true}
"""


def test_results_in_the_browser(plain, chromium, tmp_path):
    api = plain.api
    project = Project(api, "results", tmp_path / "work")
    api.completed(project.run({"azure-pipelines.yml": RESULTS}), project.path)
    run = api.queue("main", project.path, templateParameters={"broken": "true"})
    assert api.completed(run, project.path)["result"] == "failed"
    browse(plain, chromium, "results.mjs", run, SLIPWAY_PROJECT=project.name)


def test_pages_of_somebody_without_rights(plain, chromium, tmp_path):
    api = plain.api
    project = Project(api, "read-only", tmp_path / "work")
    run = project.run({"azure-pipelines.yml": "pool: {vmImage: ubuntu-latest}\nsteps:\n- script: echo it works\n"})
    api.completed(run, project.path)
    environment = project.environment("production")["id"]
    project.connection("registry", "dockerregistry", "http://images.example.com", registry="images.example.com", username="", password="")
    group = api.post(f"{project.path}/_apis/distributedtask/variablegroups", {"name": "Release", "type": "Vsts", "variables": {"a": {"value": "b"}}})["id"]
    kim = api.post("/_apis/slipway/identities", {"uniqueName": "kim@read-only.example", "displayName": "Kim", "isAdmin": False})["id"]
    token = api.post(f"/_apis/slipway/identities/{kim}/tokens", {"name": "the browser"})["token"]
    link = Api(api.url, token).post("/_apis/slipway/signinlinks", {})["url"]
    browse(plain, chromium, "reader.mjs", run, link=link, SLIPWAY_PROJECT=project.name, SLIPWAY_ENVIRONMENT=str(environment), SLIPWAY_GROUP=str(group))


# A run that goes on while one of its jobs waits for what no worker has.
GOES_ON = r"""
trigger: none
pool: {vmImage: ubuntu-latest}
jobs:
- job: Long
  displayName: Goes on
  steps:
  - checkout: none
  - script: while true; do echo "still there"; sleep 1; done
- job: Demanding
  pool: {name: Default, demands: hovercraft}
  steps: [{checkout: none}, {script: echo never}]
"""


def test_every_page_in_the_browser(plain, chromium, tmp_path):
    api = plain.api
    project = Project(api, "every-page", tmp_path / "work")
    run = project.run({"azure-pipelines.yml": RESULTS, "goes-on.yml": GOES_ON}, templateParameters={"broken": "true"})
    api.completed(run, project.path)
    api.post(f"{project.path}/_apis/pipelines", {"name": "goes on", "configuration": {
        "type": "yaml", "path": "goes-on.yml", "repository": {"id": project.repository["id"], "type": "azureReposGit"}}})
    live = api.queue("goes on", project.path)
    project.environment("production")
    try:
        browse(plain, chromium, "pages.mjs", run, seconds=900, SLIPWAY_PROJECT=project.name, SLIPWAY_LIVE=str(live))
    finally:
        api.patch(f"{project.path}/_apis/build/builds/{live}", {"status": "cancelling"})
        api.completed(live, project.path)
