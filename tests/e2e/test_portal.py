"""The portal in headless Chromium: tests/portal/scenario.mjs signs in, watches the run, approves production and reads the matrix.

The script gets SLIPWAY_URL, SLIPWAY_SIGN_IN (a one-time link) and SLIPWAY_RUN (a run of the sample that waits, or will wait, for the
approval of production) in its environment, and ends with status 0 when the browser showed what it must.
"""
import os
import shutil
import subprocess

import pytest
from slipway import ROOT

SCENARIO = ROOT / "tests/portal/scenario.mjs"


@pytest.fixture(scope="module")
def chromium():
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium: apt-get install chromium")
    return found


def test_approval_in_the_browser(on_docker, chromium):
    api = on_docker.api
    first = api.run(on_docker.ready["firstRun"])
    if first["status"] != "completed":
        api.approve(api.waiting_approval(first["id"]))
        api.completed(first["id"])
    run = api.queue("space-game", templateParameters={"target": "docker"})
    link = on_docker.cli("signin").stdout.strip()
    done = subprocess.run(["node", SCENARIO], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=300, check=False, env={**os.environ, "CHROMIUM": chromium, "SLIPWAY_URL": api.url,
                                                         "SLIPWAY_SIGN_IN": link, "SLIPWAY_RUN": str(run)})
    assert done.returncode == 0, f"{done.stdout}\n{api.story(run)}"
    detail = api.completed(run)
    assert detail["result"] == "succeeded", api.story(run)
    cell = api.matrix()["web", "production"]
    assert cell["version"]["runId"] == run
    assert [a["displayName"] for a in cell["approvedBy"]] == [api.get("/_apis/slipway/me")["displayName"]]
