"""A server and a worker as real processes on a real disk, some load for them, and what must hold afterwards.

`crash` kills them; `faults` does worse. Both look for the same things at the end (World.problems).
"""
import collections
import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import slipway  # noqa: E402

LINES = 20
OPEN_RUNS = 6


class Part:
    """A server or worker that is started again after each kill."""

    def __init__(self, arguments, log, environment=None):
        self.arguments = arguments
        self.environment = {**os.environ, **(environment or {})}
        self.log = open(log, "ab")  # pylint: disable=consider-using-with
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,  # pylint: disable=consider-using-with
                                        env=self.environment)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ended(self):
        """The exit status of a part that went by itself, else nothing."""
        return self.process.poll() if self.process else None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


def answers(api):
    try:
        return api.get("/_apis/slipway/me")
    except (OSError, slipway.ApiError):
        return None


class World:
    """`pipeline`: text in which MARKS is the file that each execution appends a line to ("run identifier
    attempt jobId") and LINES the number of lines that each step called "work" prints; `jobs` of them."""

    def __init__(self, name, binary, folder, pipeline, jobs):
        self.name = name
        self.path = f"/{name}"
        self.binary = binary
        self.folder = folder
        self.pipeline = pipeline
        self.jobs = jobs
        self.data = folder / "data"
        self.work = folder / "work"
        self.marks = folder / "marks"
        self.marks.touch()
        self.data.mkdir(exist_ok=True)
        self.work.mkdir(exist_ok=True)
        self.port = slipway.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = Part([binary, "server", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"], folder / "server.log")
        self.worker = None
        self.api = None
        self.project = None
        self.runs = []
        self.slowest = 0.0

    def begin(self, worker_url=None, slots=3, environment=None, worker_options=()):
        """Starts both and queues the first run. `worker_url`: where the worker finds the server, when not at its own address."""
        self.server.start()
        token = self.data / "operator-token"
        slipway.wait_until(lambda: self.server.ended() is not None or (token.exists() and token.read_text().strip()),
                           "the server wrote its token")
        if self.server.ended() is not None:
            raise AssertionError(f"the server ended with status {self.server.ended()}")
        self.api = slipway.Api(self.url, token.read_text().strip())
        slipway.wait_until(lambda: answers(self.api), "the server answers")
        pool = self.api.get("/_apis/distributedtask/pools")["value"][0]
        registration = self.api.post(f"/_apis/slipway/pools/{pool['id']}/registrationtokens", {"expiresInMinutes": 600})
        self.worker = Part([self.binary, "worker", "--url", worker_url or self.url, "--name", "w", "--slots", str(slots), "--work", self.work,
                            "--no-tool-versions", *worker_options],
                           self.folder / "worker.log", {"SLIPWAY_WORKER_TOKEN": registration["token"], **(environment or {})})
        self.worker.start()
        self.project = slipway.Project(self.api, self.name, self.folder / "repository")
        text = self.pipeline.replace("MARKS", str(self.marks)).replace("LINES", str(LINES))
        self.runs.append(self.project.run({"azure-pipelines.yml": text}))

    def open_runs(self):
        try:
            rows = self.api.get(f"{self.path}/_apis/slipway/runs?top=50")["value"]
        except (OSError, slipway.ApiError):
            return OPEN_RUNS
        return sum(row["status"] != "completed" for row in rows)

    def load(self):
        while self.open_runs() < OPEN_RUNS:
            try:
                self.runs.append(self.api.queue("main", self.path))
            except (OSError, slipway.ApiError):
                return  # not acknowledged: nobody may rely on it

    def log(self, run, record):
        return self.api.request("GET", f"{self.path}/_apis/slipway/logs/{run}/{record['log']['id']}?offset=0", raw=True).decode("utf-8", "replace")

    def ended_runs(self, found):
        """The details of all acknowledged runs at their ends; one that does not end is a problem."""
        ended = {}
        for run in self.runs:
            try:
                ended[run] = slipway.wait_until(lambda: (d := self.api.run(run, self.path))["status"] == "completed" and d,  # pylint: disable=cell-var-from-loop
                                                f"run {run} ends", 400, lambda: self.api.story(run, self.path))  # pylint: disable=cell-var-from-loop
            except (AssertionError, slipway.ApiError) as error:
                found.append(f"run {run}: {error}")
        return ended

    def problems(self):
        """What is wrong, in words."""
        found = []
        ended = self.ended_runs(found)
        marks = collections.Counter(self.marks.read_text().splitlines())
        found += [f"ran {count} times: {mark}" for mark, count in marks.items() if count > 1]
        results = collections.Counter()
        for run, detail in ended.items():
            results[detail["result"]] += 1
            mine = sum(mark.startswith(f"{run} ") for mark in marks)
            steps = 0
            for record in detail["records"]:
                if record["type"] != "Task" or record["name"] != "work":
                    continue
                steps += 1
                if not record.get("log"):
                    if record.get("result") == "succeeded":
                        found.append(f"run {run}: a step succeeded without a log")
                    continue
                numbers = [int(n) for n in re.findall(r"^(?:\S+Z )?line (\d+)$", self.log(run, record), re.M)]
                whole = list(range(LINES))
                if numbers != (whole if record.get("result") == "succeeded" else whole[:len(numbers)]):
                    found.append(f"run {run}, {record['name']}: lines {numbers}")
            if detail["result"] == "succeeded" and (steps != self.jobs or mine != self.jobs):
                found.append(f"run {run} succeeded: {steps} steps recorded, {mine} begun, {self.jobs} planned")
            found += self.more_problems(run, detail, marks)
        print(f"{self.name}: {len(self.runs)} runs: {dict(results)}; {sum(marks.values())} steps begun; "
              f"server back after at most {self.slowest:.2f} s", flush=True)
        return found

    def more_problems(self, _run, _detail, _marks):
        """What a kind of world checks besides."""
        return []

    def stop(self):
        for part in (self.worker, self.server):
            if part:
                part.stop()

    def tell(self, found, lines=40):
        """Prints the problems, and with them the ends of the processes' own logs."""
        for problem in found[:20]:
            print(f"{self.name}: {problem}", flush=True)
        if found:
            for name in ("server.log", "worker.log"):
                if (self.folder / name).exists():
                    print(f"--- {name}\n" + "".join((self.folder / name).read_text(errors="replace").splitlines(True)[-lines:]), flush=True)
