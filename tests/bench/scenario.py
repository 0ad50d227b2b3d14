"""The whole sample through Slipway against a plain shell script that does the same work, alternating."""
import importlib.util
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from system import ROOT, wait_until


def end_to_end():
    """The driver of the end-to-end tests: `slipway up` as a process."""
    spec = importlib.util.spec_from_file_location("e2e_slipway", ROOT / "tests/e2e/slipway.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["e2e_slipway"] = module
    spec.loader.exec_module(module)
    return module


def through_slipway(api):
    """Seconds from queueing to the end of production; the approval is given the moment it is asked for."""
    begin = time.perf_counter()
    run = api.queue("space-game")
    decided = set()

    def done():
        detail = api.run(run)
        for approval in detail["approvals"]:
            if approval["status"] == "pending" and approval["id"] not in decided:
                decided.add(approval["id"])
                api.approve(approval)
        return detail["status"] == "completed" and detail
    detail = wait_until(done, f"run {run}", 300)
    seconds = time.perf_counter() - begin
    if detail["result"] != "succeeded":
        raise RuntimeError(api.story(run))
    return seconds


def through_script(copy, registry, tag):
    begin = time.perf_counter()
    subprocess.run([ROOT / "tests/bench/plain-script", copy, registry, tag], check=True)
    return time.perf_counter() - begin


def measure(report, times=5):
    e2e = end_to_end()
    registry = os.environ["SLIPWAY_TEST_REGISTRY"]
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        with e2e.Up(pathlib.Path(folder) / "up", "--registry", registry) as up:
            first = up.ready["firstRun"]
            up.api.approve(up.api.waiting_approval(first))
            up.api.completed(first)
            ours, plain = [], []
            for index in range(times):
                ours.append(through_slipway(up.api))
                plain.append(through_script(up.data / "sample", registry, f"plain{index}"))
    report.row("the sample on Kubernetes, from queueing to production", statistics.median(ours), "s", statistics.median(plain), "plain shell script")


def scenario(report):
    """Runs itself again below the real parts, unless they are there."""
    if "SLIPWAY_TEST_REGISTRY" in os.environ:
        measure(report)
        return
    code = ("import sys; sys.path.insert(0, 'tests/bench'); import json, scenario\n"
            "class R:\n    def row(self, *a): print('ROW ' + json.dumps(a), flush=True)\n"
            "scenario.measure(R())")
    import json
    output = subprocess.run([ROOT / "tests/bench/with-parts", sys.executable, "-c", code], cwd=ROOT, check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    for line in output.splitlines():
        if line.startswith("ROW "):
            report.row(*json.loads(line[4:]))


SUITES = {"scenario": scenario}
