"""The load of a soak: runs with logs, artifacts and deployments; readers; streams and workers that come and go."""
import collections
import json
import random
import re
import socket
import struct
import threading
import time

from client import Http, Swarm

LINES = 120
PIPELINE = f"""trigger: none
stages:
- stage: Build
  jobs:
  - job: make
    steps:
    - checkout: none
    - bash: |
        echo "first $EPOCHREALTIME"
        for i in $(seq {LINES}); do echo "line $i of run $(Build.BuildId)"; done
        mkdir out
        echo "$(Build.BuildId)" >out/id
        head -c 65536 /dev/zero >out/same
      displayName: make
    - publish: out
      artifact: product
- stage: Deploy
  jobs:
  - deployment: place
    environment: soak
    strategy:
      runOnce:
        deploy:
          steps:
          - bash: cat "$(Pipeline.Workspace)/product/id"
            displayName: place
"""
KEPT_RUNS = 300


class Load:
    """Threads that work on one system until `stop`; what they measured and what went wrong is collected here."""

    def __init__(self, system, seed, interval):
        self.system, self.seed, self.interval = system, seed, interval
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.first_command = []  # (time, seconds from queueing)
        self.reads = []  # (time, seconds, kind)
        self.problems = collections.Counter()
        self.counts = collections.Counter()
        self.open = {}  # run: time of queueing
        self.known = collections.deque(maxlen=KEPT_RUNS)  # finished runs that are still there
        self.threads = []

    def start(self):
        self.project, self.pipeline = self.system.pipeline("soak", PIPELINE)
        self.system.post(f"{self.project}/_apis/pipelines/environments", {"name": "soak"})
        self.threads = [threading.Thread(target=self.guarded, args=(work,), daemon=True)
                        for work in (self.queue, self.follow, self.read, self.stream, self.passing_worker)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        """No new runs; waits until those that were queued have ended."""
        self.ended.set()
        for thread in self.threads:
            thread.join(300)
        end = time.monotonic() + 300
        while self.open and time.monotonic() < end:
            self.look(Http(self.system.port, self.system.token))
            time.sleep(0.5)
        for run in self.open:
            self.problem(f"run {run} did not end")

    def problem(self, text):
        with self.lock:
            self.problems[text] += 1

    def guarded(self, work):
        while not self.ended.is_set():
            try:
                work()
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.problem(f"{work.__name__}: {type(error).__name__}: {error}")
                self.ended.wait(1)

    def queue(self):
        http = Http(self.system.port, self.system.token)
        chance = random.Random(self.seed)
        while not self.ended.wait(chance.uniform(0.5, 1.5) * self.interval):
            begin = time.time()
            run = http.post(f"{self.project}/_apis/pipelines/{self.pipeline}/runs", {})["id"]
            with self.lock:
                self.open[run] = begin
            self.counts["runs"] += 1

    def follow(self):
        http = Http(self.system.port, self.system.token)
        while not self.ended.wait(1):
            self.look(http)

    def look(self, http):
        """Takes the runs that have ended out of `open`; deletes old ones, as retention would."""
        with self.lock:
            waiting = dict(self.open)
        for run, begin in waiting.items():
            detail = http.get(f"{self.project}/_apis/slipway/runs/{run}")
            if detail["status"] != "completed":
                continue
            if detail["result"] != "succeeded":
                self.problem(f"run ended with {detail['result']}: {detail['sentence']}")
            self.check(http, run, begin, detail)
            with self.lock:
                del self.open[run]
                oldest = self.known[0] if len(self.known) == KEPT_RUNS else None
                self.known.append((run, detail))
            if oldest:
                status, _ = http.raw("DELETE", f"{self.project}/_apis/build/builds/{oldest[0]}")
                if status != 204:
                    self.problem(f"DELETE of a run: {status}")
                self.counts["deleted runs"] += 1

    def check(self, http, run, begin, detail):
        record = next((r for r in detail["records"] if r["name"] == "make" and r["type"] == "Task" and r.get("log")), None)
        if not record:
            self.problem("no log of the step 'make'")
            return
        text = http.get(f"{self.project}/_apis/slipway/logs/{run}/{record['log']['id']}?offset=0")
        first = re.search(r"first (\d+\.\d+)", text)
        if first:
            self.first_command.append((begin, float(first[1]) - begin))
        if len(re.findall(rf"line \d+ of run {run}\b", text)) != LINES:
            self.problem("a log does not have its lines")

    def read(self):
        http = Http(self.system.port, self.system.token)
        chance = random.Random(self.seed + 1)
        while not self.ended.wait(0.2):
            with self.lock:
                known = list(self.known)[-KEPT_RUNS // 2:]
            if not known:
                continue
            run, detail = chance.choice(known)
            log = next(r["log"]["id"] for r in detail["records"] if r.get("log"))
            kind, path = chance.choice([
                ("list", f"{self.project}/_apis/slipway/runs?top=50"), ("run", f"{self.project}/_apis/slipway/runs/{run}"),
                ("timeline", f"{self.project}/_apis/build/builds/{run}/timeline"), ("matrix", f"{self.project}/_apis/slipway/matrix"),
                ("lines", f"{self.project}/_apis/slipway/logs/{run}/{log}/lines?from=0&count=50"),
                ("file", f"{self.project}/_apis/slipway/runs/{run}/artifacts/product/files/id"),
                ("search", f"{self.project}/_apis/slipway/logs?search=of%20run%20{run}&top=5")])
            begin = time.time()
            tick = time.perf_counter()
            status, _ = http.raw("GET", path)
            self.reads.append((begin, time.perf_counter() - tick, kind))
            self.counts["reads"] += 1
            if status != 200:
                self.problem(f"GET {kind}: {status}")

    def stream(self):
        """A tab that is opened, watched for some seconds and closed; every second time without a word."""
        chance = random.Random(self.seed + 2)
        while not self.ended.is_set():
            with socket.create_connection(("127.0.0.1", self.system.port), timeout=60) as s:
                s.sendall((f"GET /_apis/slipway/events?project=soak HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.system.token}\r\n"
                           "Accept: text/event-stream\r\n\r\n").encode())
                end = time.monotonic() + chance.uniform(1, 30)
                while time.monotonic() < end and not self.ended.is_set():
                    if not s.recv(65536):
                        self.problem("an event stream ended by itself")
                        break
                if chance.random() < 0.5:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.counts["event streams"] += 1

    def passing_worker(self):
        """A worker of another pool that connects, says hello, and is gone again."""
        http = Http(self.system.port, self.system.token)
        pools = {p["name"]: p["id"] for p in http.get("/_apis/distributedtask/pools")["value"]}
        pool = pools.get("Passing") or http.post("/_apis/distributedtask/pools", {"name": "Passing"})["id"]
        token = http.post(f"/_apis/slipway/pools/{pool}/registrationtokens", {})["token"]
        made = http.post("/_apis/slipway/workers", {"token": token, "name": f"passing-{self.counts['passing workers']}", "pool": "Passing",
                                                    "version": "0", "slots": 1, "capabilities": []})

        class One(Swarm):
            def register(self):
                yield made["id"], made["secret"]

        chance = random.Random(self.seed + 3)
        while not self.ended.is_set():
            swarm = One(self.system, 1, "Passing")
            swarm.connect()
            end = time.monotonic() + chance.uniform(1, 20)
            while time.monotonic() < end and not self.ended.is_set():
                swarm.poll(0.5)
            swarm.close()
            self.counts["passing workers"] += 1
