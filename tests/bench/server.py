"""Start time, idle memory and latency of the server and worker, beside baselines of the same run."""
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

from system import BINARY, System, answers, free_port, resident_kib, wait_until

NOOP = """trigger: none
steps:
- checkout: none
- bash: echo "first $EPOCHREALTIME"
"""


def milliseconds(samples):
    return statistics.median(samples) * 1000


def spawn_baseline(times=30):
    """Starting and ending one bash: what the machine charges for a process."""
    samples = []
    for _ in range(times):
        begin = time.perf_counter()
        subprocess.run(["bash", "-c", "true"], check=True)
        samples.append(time.perf_counter() - begin)
    return milliseconds(samples)


def start(report, times=15):
    baseline = spawn_baseline()
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        samples = {"empty data directory": [], "existing data directory": []}
        for kind in samples:
            for index in range(times):
                data = os.path.join(folder, f"{index}" if kind.startswith("empty") else "0")
                port = free_port()
                begin = time.perf_counter()
                with subprocess.Popen([BINARY, "server", "--data", data, "--listen", f"127.0.0.1:{port}"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
                    wait_until(lambda: answers(port), "slipway server")
                    samples[kind].append(time.perf_counter() - begin)
                    server.terminate()
        for kind, values in samples.items():
            report.row(f"`slipway server` to the first answered request, {kind}", milliseconds(values), "ms", baseline,
                       "start of one bash")


def memory(report):
    shell = subprocess.Popen(["bash", "-c", "read -r line"], stdin=subprocess.PIPE)
    with System() as system:
        time.sleep(3)  # "idle" is a state that is reached by waiting; nothing is synchronised by it
        base = resident_kib(shell.pid)[0] / 1024
        for name, process in (("server", system.server), ("worker", system.worker)):
            rss, pss = resident_kib(process.pid)
            report.row(f"idle {name}, resident", rss / 1024, "MiB", base, "one idle bash")
            report.row(f"idle {name}, proportional set", pss / 1024, "MiB", base, "one idle bash")
    shell.communicate()


def first_line(system, project, run):
    """Time at which the log with the first command's line could be read, and the command's own time stamp."""
    def look():
        timeline = system.get(f"{project}/_apis/build/builds/{run}/timeline")
        for record in timeline["records"] if isinstance(timeline, dict) else []:
            if record["type"] == "Task" and record.get("log"):
                text = system.get(f"{project}/_apis/slipway/logs/{run}/{record['log']['id']}?offset=0")
                text = text if isinstance(text, str) else ""
                for line in text.splitlines():
                    words = line.split()
                    if len(words) >= 2 and words[-2] == "first":
                        return time.time(), float(words[-1])
        return None
    return wait_until(look, "first log line", 30)


def latency(report, times=40):
    baseline = spawn_baseline()
    command, readable = [], []
    with System() as system:
        project, pipeline = system.pipeline("latency", NOOP)
        for _ in range(times):
            begin = time.time()
            run = system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            seen, executed = first_line(system, project, run)
            command.append(executed - begin)
            readable.append(seen - begin)
            system.finished(project, run)
    for name, samples in (("queue a run to the first command executing", command),
                          ("queue a run to its first log line readable through the API", readable)):
        report.row(f"{name}, p50", milliseconds(samples), "ms", baseline, "start of one bash")
        report.row(f"{name}, p95", sorted(samples)[int(len(samples) * 0.95)] * 1000, "ms", baseline, "start of one bash")


def throughput(report, jobs=60):
    yaml = "trigger: none\njobs:\n" + "".join(
        f"- job: J{i}\n  steps:\n  - checkout: none\n  - bash: 'true'\n" for i in range(jobs))
    baseline = 1000 / spawn_baseline()
    with System(slots=2) as system:
        project, pipeline = system.pipeline("throughput", yaml)
        samples = []
        for _ in range(3):
            begin = time.perf_counter()
            run = system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            system.finished(project, run, 120)
            samples.append(jobs / (time.perf_counter() - begin))
    report.row("no-op jobs with two slots", statistics.median(samples), "jobs/s", baseline, "bash starts, one after the other")


SUITES = {"start": start, "memory": memory, "latency": latency, "throughput": throughput}
