"""A real server and worker for the benchmarks: processes, a tiny API client, a hosted repository. Standard library only."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SLIPWAY_BINARY", ROOT / "build/release/cli/slipway"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, seconds=30):
    """Polls a condition that has no event to wait for; fails loudly instead of hanging."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.0005)


def answers(port):
    """True when GET /healthz is answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b" 200 " in s.recv(64)
    except OSError:
        return False


def resident_kib(pid):
    """(VmRSS, Pss) of a process in KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return (int(re.search(r"VmRSS:\s+(\d+)", status)[1]), int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]))


class System:
    """A server (and optionally a worker) on a temporary data directory; a context manager."""

    def __init__(self, worker=True, slots=1):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-bench-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes = []
        self.with_worker = worker
        self.slots = slots

    def __enter__(self):
        try:
            self.server = self.spawn("server", "--data", str(self.folder / "data"), "--listen", f"127.0.0.1:{self.port}")
            wait_until(lambda: answers(self.port), "slipway server")
            self.token = (self.folder / "data/operator-token").read_text().strip()
            if self.with_worker:
                self.start_worker()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def start_worker(self):
        pool = next(p for p in self.get("/_apis/distributedtask/pools")["value"] if p["name"] == "Default")
        token = self.post(f"/_apis/slipway/pools/{pool['id']}/registrationtokens", {})["token"]
        self.worker = self.spawn("worker", "--url", self.url, "--name", "bench", "--pool", "Default", "--slots", str(self.slots),
                                 "--work", str(self.folder / "work"), SLIPWAY_WORKER_TOKEN=token)
        wait_until(lambda: any(a["status"] in ("online", 2) for a in
                               self.get(f"/_apis/distributedtask/pools/{pool['id']}/agents")["value"]), "worker online")

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, *arguments, **environment):
        log = open(self.folder / f"{arguments[0]}.log", "ab")
        process = subprocess.Popen([BINARY, *arguments], stdout=log, stderr=log, env={**os.environ, **environment})
        self.processes.append(process)
        return process

    def request(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                data = response.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from None
        return json.loads(data) if data[:1] in (b"{", b"[") else data.decode()

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body):
        return self.request("POST", path, body)

    def pipeline(self, name, yaml):
        """Creates a project with a hosted repository that holds this pipeline; returns (project path, pipeline id)."""
        self.post("/_apis/projects", {"name": name})
        repository = self.post(f"/{name}/_apis/git/repositories", {"name": name})
        tree = self.folder / name
        tree.mkdir()
        (tree / "azure-pipelines.yml").write_text(yaml)
        git = ["git", "-C", str(tree), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        subprocess.run(git[:3] + ["init", "-q", "-b", "main"], check=True)
        subprocess.run(git + ["add", "."], check=True)
        subprocess.run(git + ["commit", "-qm", "pipeline"], check=True)
        remote = repository["remoteUrl"].replace("://", f"://bench:{urllib.parse.quote(self.token)}@")
        subprocess.run(git + ["push", "-q", remote, "main"], check=True)
        pipeline = self.post(f"/{name}/_apis/pipelines", {"name": name, "configuration": {
            "type": "yaml", "path": "/azure-pipelines.yml", "repository": {"id": repository["id"], "type": "azureReposGit"}}})
        return f"/{name}", pipeline["id"]

    def finished(self, project, run, seconds=60):
        """Waits for the end of a run and returns it; raises when it did not succeed."""
        build = wait_until(lambda: (b := self.get(f"{project}/_apis/build/builds/{run}"))["status"] in ("completed", 2) and b,
                           f"run {run}", seconds)
        if build["result"] not in ("succeeded", 2):
            raise RuntimeError(f"run {run} ended with {build['result']}")
        return build
