"""A real server and worker for the benchmarks: processes, a tiny API client, a hosted repository. Standard library only."""
import json
import os
import pathlib
import re
import resource
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


def wait_until(condition, what, seconds=30, pause=0.0005):
    """Polls a condition that has no event to wait for; fails loudly instead of hanging."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(pause)


def start_server(data, listen, ready=lambda: None, **popen):
    """Starts a server and returns it once a request was answered. It says on a pipe when to ask (then `ready` is called): asking over and
    over beside it would take the start's own time."""
    told, tell = os.pipe()
    process = subprocess.Popen([BINARY, "server", "--data", str(data), "--listen", listen, "--ready-fd", str(tell)],
                               pass_fds=[tell], **popen)
    os.close(tell)
    with open(told, "rb") as pipe:
        port = int(pipe.readline() or 0)
    if not port:
        raise RuntimeError(f"slipway server ended with status {process.wait()}")
    ready()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 200 " in s.recv(64), "GET /healthz"
    return process


def resident_kib(pid):
    """(VmRSS, Pss) of a process in KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return (int(re.search(r"VmRSS:\s+(\d+)", status)[1]), int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]))


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raise_file_limit(wanted):
    """For this process and those it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))


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
            self.start_server()
            self.token = (self.folder / "data/operator-token").read_text().strip()
            if self.with_worker:
                self.start_worker()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def start_server(self):
        log = open(self.folder / "server.log", "ab")
        self.server = start_server(self.folder / "data", f"127.0.0.1:{self.port}", stdout=log, stderr=log)
        self.processes.append(self.server)

    def stop(self):
        """Ends what runs; start_server() begins again on the same data."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
        self.processes.clear()

    def metric(self, name):
        return float(re.search(rf"^{name} (\S+)", self.get("/metrics"), re.M)[1])

    def flushes(self, work):
        """Calls of fsync and fdatasync by server and worker while `work` runs; None without strace."""
        if not shutil.which("strace"):
            return None
        output = self.folder / "strace"
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", output, "-p", str(self.server.pid),
                                   "-p", str(self.worker.pid)], stderr=subprocess.DEVNULL)
        wait_until(lambda: all("TracerPid:\t0\n" not in pathlib.Path(f"/proc/{p.pid}/status").read_text()
                               for p in (self.server, self.worker)), "strace")
        work()
        tracer.send_signal(signal.SIGINT)
        tracer.wait(30)
        return sum(1 for line in output.read_text().splitlines() if " resumed" not in line and "sync(" in line)

    def start_worker(self, name="bench"):
        pool = next(p for p in self.get("/_apis/distributedtask/pools")["value"] if p["name"] == "Default")
        token = self.post(f"/_apis/slipway/pools/{pool['id']}/registrationtokens", {})["token"]
        self.worker = self.spawn("worker", "--url", self.url, "--name", name, "--pool", "Default", "--slots", str(self.slots),
                                 "--work", str(self.folder / f"work-{name}"), SLIPWAY_WORKER_TOKEN=token)
        wait_until(lambda: any(a["name"] == name and a["status"] in ("online", 2) for a in
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

    def finished(self, project, run, seconds=60, pause=0.0005):
        """Waits for the end of a run and returns it; raises when it did not succeed."""
        build = wait_until(lambda: (b := self.get(f"{project}/_apis/build/builds/{run}"))["status"] in ("completed", 2) and b,
                           f"run {run}", seconds, pause)
        if build["result"] not in ("succeeded", 2):
            raise RuntimeError(f"run {run} ended with {build['result']}")
        return build
