"""The worker: cost of a step, lines to the server's disk, masking, start of `slipway run`, images, artifacts. Each beside a baseline of the same run."""
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

from system import BINARY, ROOT, System, wait_until
from transfers import job_processes, peak_mib, seconds, transfers

STEPS = 1000
LINES = 1_000_000


def local_run(folder, yaml, *options):
    """Wall seconds of one `slipway run`."""
    (folder / "azure-pipelines.yml").write_text(yaml)
    begin = time.perf_counter()
    done = subprocess.run([BINARY, "run", "azure-pipelines.yml", "--work", folder / "w", *options], cwd=folder, capture_output=True, check=False)
    took = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"slipway run failed: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
    return took


def steps(report, folder):
    job = "steps:\n- checkout: none\n"
    many = job + "- script: 'true'\n" * STEPS
    runs, loops = [], []
    for _ in range(5):
        # What a run costs besides its steps is measured by the row below.
        runs.append(local_run(folder, many) - local_run(folder, job + "- script: 'true'\n"))
        begin = time.perf_counter()
        subprocess.run(["bash", "-c", f"for i in $(seq {STEPS}); do bash --noprofile --norc -c true; done"], check=True)
        loops.append(time.perf_counter() - begin)
    report.row("a job of 1,000 steps that run `true`", statistics.median(runs), "s", statistics.median(loops), "1,000 shells in a loop of a shell")


def first_command(report, folder):
    """From the start of the process to the first command of the first step."""
    stamp = folder / "stamp"
    yaml = f"steps:\n- checkout: none\n- script: date +%s%N > {stamp}\n"
    samples, baselines = [], []
    for _ in range(25):
        begin = time.time_ns()
        local_run(folder, yaml)
        samples.append((int(stamp.read_text()) - begin) / 1e6)
        begin = time.time_ns()
        subprocess.run(["bash", "-c", f"date +%s%N > {stamp}"], check=True)
        baselines.append((int(stamp.read_text()) - begin) / 1e6)
    report.row("`slipway run`: start to first command", statistics.median(samples), "ms", statistics.median(baselines), "the same command by bash")


def lines(report, folder):
    """A million lines of 100 bytes, 20 secrets known, until the server has them on disk."""
    text = folder / "lines.txt"
    text.write_text("".join(f"{i:08d} " + "x" * 90 + "\n" for i in range(LINES)))
    size = text.stat().st_size
    variables = "variables:\n" + "".join(f"  s{i}: $[ 'unused' ]\n" for i in range(20))
    marks = "".join(f"echo '##vso[task.setsecret]secret-number-{i}-0815'; " for i in range(20))
    yaml = f"trigger: none\n{variables}steps:\n- checkout: none\n- bash: \"{marks}\"\n- bash: cat {text}\n  displayName: lines\n"
    rates, peaks = [], []
    with System() as system:
        project, pipeline = system.pipeline("lines", yaml)
        for _ in range(3):
            run = system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]

            def ended(run=run):
                for pid in job_processes(system.processes[-1].pid):
                    try:
                        peaks.append(peak_mib(pid))
                    except (OSError, TypeError):
                        pass
                return system.get(f"{project}/_apis/build/builds/{run}")["status"] == "completed"
            wait_until(ended, "the run", 300)
            records = system.get(f"{project}/_apis/build/builds/{run}/timeline")["records"]
            record = next(r for r in records if r["type"] == "Task" and r["name"] == "lines")
            if record["result"] != "succeeded":
                raise SystemExit(f"the run with the lines failed: {record}")
            rates.append(size / 1e6 / (seconds(record["finishTime"]) - seconds(record["startTime"])))
        server = peak_mib(system.server.pid)
    baselines = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run(["sh", "-c", f"cat {text} | cat > {folder}/copy"], check=True)
        baselines.append(size / 1e6 / (time.perf_counter() - begin))
    report.row("1,000,000 lines of 100 bytes, 20 secrets, to the server's disk", statistics.median(rates), "MB/s", statistics.median(baselines), "cat through a pipe to a file")
    report.row("most memory of the job's process meanwhile", max(peaks), "MiB", 64, "goal")
    report.row("most memory of the server meanwhile", server, "MiB", 64, "goal")


def masking(report):
    output = subprocess.run([ROOT / "build/release/tests/bench/masking_speed", "--benchmark_format=json", "--benchmark_repetitions=5",
                             "--benchmark_report_aggregates_only=true"], check=True, capture_output=True, text=True).stdout
    medians = {b["run_name"]: b["bytes_per_second"] / 1e9 for b in json.loads(output)["benchmarks"] if b.get("aggregate_name") == "median"}
    for count in (1, 20, 100):
        report.row(f"masking alone, {count} secret{'s' if count > 1 else ''}, one core", medians[f"masking/{count}"], "GB/s", medians["copy"], "copy of the same bytes")


def worker(report):
    masking(report)
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = pathlib.Path(name)
        first_command(report, folder)
        steps(report, folder)
        lines(report, folder)
    transfers(report)


SUITES = {"worker": worker}
