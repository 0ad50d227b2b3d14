"""The Google Benchmark programs of the language and `slipway validate` as a process."""
import json
import statistics
import subprocess
import tempfile
import time

from server import spawn_baseline
from system import BINARY, ROOT

BASELINES = {
    "compile_1000_plain_lines": "event parse of the same bytes by yaml-cpp",
    "evaluate_condition": "the same comparison in C++",
    "expand_100_templates": "event parse of the expanded document by yaml-cpp",
}


def programs(report):
    """Every program in build/release/tests/bench; a benchmark X/baseline is that of X, X/baseline/N that of X/N."""
    for program in sorted((ROOT / "build/release/tests/bench").rglob("bench_*")):
        if not program.is_file() or program.suffix:
            continue
        output = subprocess.run([program, "--benchmark_format=json", "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true"],
                                check=True, capture_output=True, text=True).stdout
        medians = {b["run_name"]: b for b in json.loads(output)["benchmarks"] if b.get("aggregate_name") == "median"}
        for name, row in medians.items():
            name, _, size = name.partition("/")
            if size.startswith("baseline"):
                continue
            size = size and f"/{size}"
            base = medians[f"{name}/baseline{size}"]
            report.row(name + size, row["real_time"], row["time_unit"], base["real_time"], BASELINES[name])


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
