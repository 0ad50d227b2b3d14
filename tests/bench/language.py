"""The Google Benchmark programs of the language and `slipway validate` as a process."""
import json
import statistics
import subprocess
import tempfile
import time

from server import spawn_baseline
from system import BINARY, ROOT


def programs(report):
    """Every program in build/release/tests/bench; a benchmark named X/baseline is the baseline of X."""
    for program in sorted((ROOT / "build/release/tests/bench").rglob("bench_*")):
        if not program.is_file() or program.suffix:
            continue
        output = subprocess.run([program, "--benchmark_format=json", "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true"],
                                check=True, capture_output=True, text=True).stdout
        medians = {b["run_name"]: b for b in json.loads(output)["benchmarks"] if b.get("aggregate_name") == "median"}
        for name, row in medians.items():
            if name.endswith("/baseline"):
                continue
            base = medians.get(name + "/baseline", row)
            unit = row["time_unit"]
            report.row(name, row["real_time"], unit, base["real_time"], "its baseline" if base is not row else "itself")


def language(report):
    programs(report)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("trigger: none\nsteps:\n" + "".join(f"- script: echo {i}\n  displayName: Step {i}\n" for i in range(49)))
        file.flush()
        samples = []
        for _ in range(25):
            begin = time.perf_counter()
            subprocess.run([BINARY, "validate", file.name], check=True, capture_output=True)
            samples.append(time.perf_counter() - begin)
    report.row("`slipway validate`, 100 lines, as a process", statistics.median(samples) * 1000, "ms", spawn_baseline(), "start of one bash")


SUITES = {"language": language}
