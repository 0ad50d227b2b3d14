"""Start, memory, latency, throughput, crowds, logs and history of the server and worker, beside baselines of the same run."""
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time

from client import Http, Swarm
from system import ROOT, System, cpu_seconds, raise_file_limit, resident_kib, start_server, wait_until

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
        kinds = "empty data directory", "existing data directory"
        samples = {f"{until}, {kind}": [] for kind in kinds for until in ("ready", "the first answered request")}
        for kind in kinds:
            for index in range(times):
                data = os.path.join(folder, f"{index}" if kind.startswith("empty") else "0")
                begin = time.perf_counter()
                ready = []
                with start_server(data, "127.0.0.1:0", lambda done=ready: done.append(time.perf_counter()), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as server:
                    samples[f"the first answered request, {kind}"].append(time.perf_counter() - begin)
                    samples[f"ready, {kind}"].append(ready[0] - begin)
                    server.terminate()
        for what, values in samples.items():
            report.row(f"`slipway server` to {what}", milliseconds(values), "ms", baseline,
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


def first_line(http, project, run):
    """Time at which the log with the first command's line could be read, and the command's own time stamp."""
    def look():
        timeline = http.get(f"{project}/_apis/build/builds/{run}/timeline")
        for record in timeline["records"] if isinstance(timeline, dict) else []:
            if record["type"] == "Task" and record.get("log"):
                text = http.get(f"{project}/_apis/slipway/logs/{run}/{record['log']['id']}?offset=0")
                text = text if isinstance(text, str) else ""
                for line in text.splitlines():
                    words = line.split()
                    if len(words) >= 2 and words[-2] == "first":
                        return time.time(), float(words[-1])
        return None
    return wait_until(look, "first log line", 30)


def percentile(samples, share):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latency(report, times=60):
    baseline = spawn_baseline()
    command, readable = [], []
    with System() as system:
        project, pipeline = system.pipeline("latency", NOOP)
        http = Http(system.port, system.token)
        for index in range(times + 3):
            begin = time.time()
            run = http.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            seen, executed = first_line(http, project, run)
            if index >= 3:  # the first ones load what every later one finds loaded
                command.append(executed - begin)
                readable.append(seen - begin)
            system.finished(project, run)
    for name, samples in (("queue a run to the first command executing", command),
                          ("queue a run to its first log line readable through the API", readable)):
        report.row(f"{name}, p50", milliseconds(samples), "ms", baseline, "start of one bash")
        report.row(f"{name}, p95", percentile(samples, 0.95) * 1000, "ms", baseline, "start of one bash")


def noop_jobs(jobs):
    return "trigger: none\njobs:\n" + "".join(
        f"- job: J{i}\n  steps:\n  - checkout: none\n  - bash: 'true'\n" for i in range(jobs))


def throughput(report, jobs=200):
    baseline = 1000 / spawn_baseline()
    with System(slots=2) as system:
        project, pipeline = system.pipeline("throughput", noop_jobs(jobs))
        rates, cpu, commits = [], [], []
        for index in range(4):
            used, flushed = cpu_seconds(system.server.pid), system.metric("slipway_database_commits_total")
            begin = time.perf_counter()
            run = system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            system.finished(project, run, 300, pause=0.02)
            if index:
                rates.append(jobs / (time.perf_counter() - begin))
                cpu.append((cpu_seconds(system.server.pid) - used) / jobs * 1000)
                commits.append((system.metric("slipway_database_commits_total") - flushed) / jobs)
        flushes = system.flushes(lambda: system.finished(
            project, system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"], 600, pause=0.02))
    shell = spawn_baseline()
    report.row("no-op jobs with two slots", statistics.median(rates), "jobs/s", baseline, "bash starts, one after the other")
    report.row("server CPU a job", statistics.median(cpu), "ms", shell, "start of one bash")
    report.row("commits a job", statistics.median(commits), "", 1, "one each")
    if flushes is not None:
        report.row("fsync and fdatasync of server and worker a job (strace)", flushes / jobs, "", 1, "one each")


def queue(report, jobs=10_000, measured=600):
    """The cost of a job with 10,000 of them queued in one run, beside that with few."""
    with System(slots=2) as system:
        http = Http(system.port, system.token)
        costs, rates = {}, {}
        for name, count, share in (("few", measured, measured), ("many", jobs, measured)):
            project, pipeline = system.pipeline(name, noop_jobs(count))
            begin = time.perf_counter()
            run = http.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            queued = time.perf_counter() - begin
            commits = system.metric("slipway_jobs_completed_total")
            used, begin = cpu_seconds(system.server.pid), time.perf_counter()
            wait_until(lambda: system.metric("slipway_jobs_completed_total") >= commits + share, f"{share} jobs", 600, 0.05)
            done = system.metric("slipway_jobs_completed_total") - commits
            rates[name] = done / (time.perf_counter() - begin)
            costs[name] = (cpu_seconds(system.server.pid) - used) / done * 1000
            if count > share:
                http.call("PATCH", f"{project}/_apis/build/builds/{run}", {"status": "cancelling"})
            wait_until(lambda: http.get(f"{project}/_apis/build/builds/{run}")["status"] == "completed", "end of the run", 600, 0.05)
    report.row(f"a run of {jobs:,} jobs, from the request to all of them queued", queued, "s", costs["few"] * jobs / 1000, "CPU of as many jobs of a short queue")
    report.row(f"server CPU a job with {jobs:,} queued", costs["many"], "ms", costs["few"], f"with {measured}")
    report.row(f"jobs a second with {jobs:,} queued", rates["many"], "jobs/s", rates["few"], f"with {measured}")


def restart(report, jobs=5000, workers=50, times=5):
    """Killed with many jobs on workers: from the start to the first request that finds all of them running."""
    def killed(system):
        system.server.kill()
        system.server.wait()
        begin = time.perf_counter()
        system.start_server()
        wait_until(lambda: Http(system.port, system.token).raw("GET", "/readyz")[0] == 200, "a server that is ready")
        return time.perf_counter() - begin

    with System(worker=False) as system:
        project, pipeline = system.pipeline("restart", noop_jobs(jobs))
        idle = [killed(system) for _ in range(times)]
        crowd = Swarm(system, workers, slots=jobs // workers)
        crowd.connect()
        http = Http(system.port, system.token)
        run = http.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
        for _ in range(jobs):
            http.deliver(crowd.offer()[1])  # its first words: it runs
        samples = []
        for _ in range(times):
            samples.append(killed(system))
            running = sum(1 for record in Http(system.port, system.token).get(f"{project}/_apis/build/builds/{run}/timeline")["records"]
                          if record["type"] == "Job" and record["state"] == "inProgress")
            assert running == jobs, f"{running} of {jobs} jobs run after the restart"
        crowd.close()
    report.row(f"`kill -9` with {jobs:,} running jobs, from the new start to ready", milliseconds(samples), "ms", milliseconds(idle),
               "the same without jobs")


def swarm(report, workers=5000, runs=300):
    """Workers that only wait, and how long one of them waits for a job."""
    raise_file_limit(2 * workers + 500)
    with System(worker=False) as system:
        base = resident_kib(system.server.pid)[0] / 1024
        project, pipeline = system.pipeline("swarm", NOOP)
        crowd = Swarm(system, workers)
        crowd.connect()
        resident = resident_kib(system.server.pid)[0] / 1024
        http = Http(system.port, system.token)
        waits = []
        for _ in range(runs):
            begin = time.time()
            http.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})
            arrived, job = crowd.offer()
            waits.append(arrived - begin)
            http.deliver(job, completion="succeeded")
        crowd.close()
    report.row(f"server with {workers:,} connected idle workers, resident", resident, "MiB", base, "without workers")
    plain = []
    with System(worker=False) as system:
        project, pipeline = system.pipeline("swarm", NOOP)
        crowd = Swarm(system, 1)
        crowd.connect()
        http = Http(system.port, system.token)
        for _ in range(runs):
            begin = time.time()
            http.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})
            arrived, job = crowd.offer()
            plain.append(arrived - begin)
            http.deliver(job, completion="succeeded")
            crowd.send(crowd.sockets[0], {"type": "finished", "jobId": job["jobId"]})
        crowd.close()
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        report.row(f"queue a run to its offer at one of {workers:,} workers, {name}", percentile(waits, share) * 1000, "ms",
                   percentile(plain, share) * 1000, "at the only worker")


def log_lines(first, count):
    return b"".join(b"2026-11-21T10:%02d:%02d.%07dZ line %09d of a log that a build tool might have printed here, as they do\n"
                    % (i // 60000 % 60, i // 1000 % 60, i % 1000 * 10000, i) for i in range(first, first + count))


def logs(report, writers=4, lines=250_000):
    """How fast logs come in, and how fast any line of them is found."""
    piece_lines = 20_000
    pieces = [log_lines(at, piece_lines) for at in range(0, 1_000_000, piece_lines)]
    with tempfile.TemporaryFile() as file:
        begin = time.perf_counter()
        for piece in pieces:
            file.write(piece)
            file.flush()
            os.fdatasync(file.fileno())
        plain = 1_000_000 / (time.perf_counter() - begin)
    with System(worker=False) as system:
        project, pipeline = system.pipeline("logs", NOOP)
        crowd = Swarm(system, writers + 1)
        crowd.connect()
        http = Http(system.port, system.token)
        jobs = []
        for _ in range(writers + 1):
            run = http.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            job = crowd.offer()[1]
            record = f"00000000-0000-0000-0000-{len(jobs):012}"
            http.deliver(job, records=[{"id": record, "parentId": job["recordId"], "type": "Task", "sequence": 1, "name": "print"}])
            jobs.append((run, job, record))

        def upload(index, count):
            own = Http(system.port, system.token)
            run, job, record = jobs[index]
            offset = 0
            for piece in pieces[:count // piece_lines]:
                own.deliver(job, logs=[(record, offset, piece)])
                offset += len(piece)

        begin = time.perf_counter()
        threads = [threading.Thread(target=upload, args=(i, lines)) for i in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        report.row(f"log lines taken in, {writers} jobs at once", writers * lines / (time.perf_counter() - begin), "lines/s", plain,
                   "the same bytes into a file, flushed as often")
        upload(writers, 1_000_000)
        run, job, _ = jobs[writers]
        log = f"{project}/_apis/slipway/logs/{run}/1/lines"
        for state in ("live", "ended"):
            if state == "ended":
                http.deliver(job, completion="succeeded")
            rest = (time.perf_counter(), [])
            for index in range(100):
                line = (index * 7919 * 131) % 999_900
                begin = time.perf_counter()
                page = http.get(f"{log}?from={line}&count=100")
                rest[1].append(time.perf_counter() - begin)
                if not page["lines"][0].split()[2] == f"{line:09}":
                    raise RuntimeError(f"line {line} is {page['lines'][0]}")
            ping = [timed(lambda: http.get("/healthz")) for _ in range(100)]
            for share, name in ((0.5, "p50"), (0.95, "p95")):
                report.row(f"100 lines anywhere in a log of 1,000,000 ({state}), {name}", percentile(rest[1], share) * 1000, "ms",
                           percentile(ping, share) * 1000, "GET /healthz")
        whole = log_lines(0, 1_000_000)
        begin = time.perf_counter()
        if whole.find(b"no such text") >= 0:
            raise RuntimeError("found")
        find = (time.perf_counter() - begin) * 1000
        report.row("search for what is not in 1,000,000 lines", timed(lambda: http.get(f"{log}?search=no+such+text")) * 1000, "ms", find,
                   "find() over the same bytes in memory")
        stored = sum(f.stat().st_size for f in (system.folder / "data/logs").rglob("*.zst"))
        report.row("files of those logs", stored / (1 << 20), "MiB", (writers * lines + 1_000_000) * len(pieces[0]) / piece_lines / (1 << 20),
                   "without compression")
        crowd.close()


def timed(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


FIVE_STEPS = "trigger: none\nsteps:\n- checkout: none\n" + "".join(f"- bash: echo step {i}\n" for i in range(4))


def lists(report, project, http, run, what):
    ping = [timed(lambda: http.raw("GET", "/healthz")) for _ in range(200)]
    for name, path in (("list of 20 runs", f"{project}/_apis/slipway/runs?top=20"),
                       ("list of 20 builds", f"{project}/_apis/build/builds?$top=20"),
                       ("get of a build", f"{project}/_apis/build/builds/{run}"),
                       ("get of a timeline", f"{project}/_apis/build/builds/{run}/timeline")):
        http.get(path)
        # The bytes alone: reading their JSON is the client's time.
        samples = [timed(lambda p=path: http.raw("GET", p)) for _ in range(200)]
        for share, label in ((0.5, "p50"), (0.95, "p95")):
            report.row(f"{name} after {what}, {label}", percentile(samples, share) * 1000, "ms", percentile(ping, share) * 1000, "GET /healthz")


def history(report, few=2000, many=1_000_000):
    """Reading, starting and disk space with a long history: copies of one run that this server and a worker made."""
    shell = spawn_baseline()
    with System() as system:
        project, pipeline = system.pipeline("history", FIVE_STEPS)
        run = system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
        system.finished(project, run)
        database = system.folder / "data/slipway.db"
        sizes = {}
        for copies, what in ((few - 1, f"{few:,} runs"), (many - few, f"{many:,} runs and {10 * many:,} timeline records")):
            system.stop()
            subprocess.run([ROOT / "build/release/tests/bench/fill_history", database, str(run), str(copies)], check=True)
            sizes[what] = database.stat().st_size
            starts = []
            for _ in range(7):
                begin = time.perf_counter()
                system.start_server()
                starts.append(time.perf_counter() - begin)
                system.stop()
            system.start_server()
            http = Http(system.port, system.token)
            lists(report, project, http, run, what)
            report.row(f"`slipway server` to the first answered request, {what}", milliseconds(starts), "ms", shell, "start of one bash")
        grown = list(sizes.values())
        report.row("disk space a job (one job, 10 records and its logs a run)", (grown[1] - grown[0]) / (many - few) / 1024, "KiB", 2, "goal")


SUITES = {"start": start, "memory": memory, "latency": latency, "throughput": throughput, "queue": queue, "restart": restart, "swarm": swarm, "logs": logs,
          "history": history}
