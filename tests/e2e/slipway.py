"""What the end-to-end tests drive: `slipway up` as a process, its API, its working copy of the sample."""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SLIPWAY_BINARY", ROOT / "build/release/cli/slipway"))
# The program that works alone wherever it is copied to (docs/decisions/0004).
COMPLETE = BINARY.parent / "slipway-complete"
P = "/space-game"


def wait_until(condition, what, seconds=180, explain=None):
    """The value of `condition` as soon as it is true; fails after `seconds`, with what `explain` says."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s" + (f"\n{explain()}" if explain else ""))
        time.sleep(0.1)


def command(*arguments, check=True, cwd=None, environment=None, seconds=120):
    """Runs a program; its result, with text output."""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, cwd=cwd, timeout=seconds,
                          env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def kubectl(*arguments, **options):
    return command("kubectl", *arguments, **options).stdout


def docker(*arguments, **options):
    return command(os.environ.get("DOCKER", "docker"), *arguments, **options).stdout


def free_port():
    import socket
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def children(pid):
    """Process ids of the children of a process, with their arguments."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
        except (OSError, IndexError):
            continue
    return found


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        try:
            self.body = json.loads(body)
        except ValueError:
            self.body = {"message": body}

    @property
    def message(self):
        return self.body.get("message", "")


class Api:
    """A small client of the HTTP API, as the local operator."""

    def __init__(self, url, token):
        self.url = url
        self.token = token

    def request(self, method, path, body=None, raw=False):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                data = response.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode("utf-8", "replace")) from None
        if raw:
            return data
        return json.loads(data) if data else {}

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body):
        return self.request("POST", path, body)

    def patch(self, path, body):
        return self.request("PATCH", path, body)

    # Runs
    def runs(self, project=P):
        return self.get(f"{project}/_apis/slipway/runs?top=100")["value"]

    def run(self, run, project=P):
        return self.get(f"{project}/_apis/slipway/runs/{run}")

    def queue(self, pipeline, project=P, **body):
        pipelines = {p["name"]: p["id"] for p in self.get(f"{project}/_apis/pipelines")["value"]}
        return self.post(f"{project}/_apis/pipelines/{pipelines[pipeline]}/runs", body)["id"]

    def wait_for(self, run, condition, what, project=P, seconds=240):
        """The RunDetail as soon as condition(detail) holds; a run that ends before then is a failure."""
        def now():
            detail = self.run(run, project)
            if condition(detail):
                return detail
            if detail["status"] == "completed":
                raise AssertionError(f"run {run} is completed ({detail.get('result')}) before: {what}\n{self.story(run, project)}")
            return None
        return wait_until(now, what, seconds, lambda: self.story(run, project))

    def completed(self, run, project=P, seconds=240):
        return wait_until(lambda: (d := self.run(run, project))["status"] == "completed" and d, f"run {run} is completed", seconds,
                          lambda: self.story(run, project))

    def waiting_approval(self, run, project=P):
        """The pending approval of a run, when it waits for one."""
        def pending(detail):
            return any(a["status"] == "pending" for a in detail["approvals"])
        detail = self.wait_for(run, pending, "the run waits for an approval", project)
        return next(a for a in detail["approvals"] if a["status"] == "pending")

    def approve(self, approval, project=P, status="approved", comment=""):
        return self.patch(f"{project}/_apis/pipelines/approvals", [{"approvalId": approval["id"], "status": status, "comment": comment}])

    def logs(self, run, project=P):
        """The logs of a run's steps as one text. A job's own log repeats those of its steps."""
        detail = self.run(run, project)
        steps = [r for r in detail["records"] if r["type"] == "Task"] or detail["records"]
        ids = sorted({r["log"]["id"] for r in steps if r.get("log")})
        return "\n".join(self.request("GET", f"{project}/_apis/slipway/logs/{run}/{i}?offset=0", raw=True).decode("utf-8", "replace")
                         for i in ids)

    def issues(self, run, project=P):
        """All errors that the records of a run show, and its diagnostics."""
        detail = self.run(run, project)
        found = [i["message"] for r in detail["records"] for i in r.get("issues") or [] if i["type"] == "error"]
        return found + [d["message"] for d in detail.get("diagnostics") or []]

    def story(self, run, project=P):
        """What happened, for the message of a failed test."""
        detail = self.run(run, project)
        lines = [f"run {run}: {detail['status']} {detail.get('result')}: {detail.get('sentence')}"]
        for r in detail["records"]:
            lines.append(f"  {r['type']} {r['name']}: {r['state']} {r.get('result')} {[i['message'] for i in r.get('issues') or []]}")
        try:
            lines += ["  | " + line for line in self.logs(run, project).splitlines()[-60:]]
        except ApiError as error:
            lines.append(f"  (no logs: {error})")
        return "\n".join(lines)

    # The matrix
    def matrix(self, project=P):
        """{(service, environment): cell} of targets with a deployed version."""
        matrix = self.get(f"{project}/_apis/slipway/matrix")
        services = {s["id"]: s["key"] for s in matrix["services"]}
        environments = {e["id"]: e["name"] for e in matrix["environments"]}
        return {(services[c["serviceId"]], environments[c["environmentId"]]): c for c in matrix["cells"]}


class Up:
    """`slipway up` on a data directory of its own."""

    def __init__(self, folder, *arguments, **environment):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.arguments = [str(a) for a in arguments]
        self.environment = {k: v for k, v in {**os.environ, **environment}.items() if v is not None}
        self.process = None
        self.ready = None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.errors = self.folder / "up.err"
        with open(self.errors, "ab") as err:
            self.process = subprocess.Popen([BINARY, "up", "--data", self.data, "--port", str(free_port()), "--format", "json", *self.arguments],
                                            stdout=subprocess.PIPE, stderr=err, stdin=subprocess.DEVNULL, env=self.environment)
        # One JSON object, printed when all is ready; an end of output before it is a failed start.
        text = ""
        for line in self.process.stdout:
            text += line.decode()
            if line == b"}\n":
                break
        if not text.strip().endswith("}"):
            self.process.wait()
            raise AssertionError(f"slipway up ended with status {self.process.returncode}:\n{self.errors.read_text()}")
        self.ready = json.loads(text)
        self.api = Api(self.ready["url"], (self.data / "operator-token").read_text().strip())
        return self

    def stop(self, number=signal.SIGINT, seconds=90):
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"slipway up does not end:\n{self.errors.read_text()}") from None
        self.process.stdout.close()
        return self.process.returncode

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def running(self, name):
        """Process ids of the server or worker, of one look: two looks may see one that ends, and then none."""
        return {pid for pid, arguments in children(self.process.pid).items() if len(arguments) > 1 and arguments[1] == name.encode()}

    def child(self, name):
        """The process id of the server or worker."""
        for pid in self.running(name):
            return pid
        raise AssertionError(f"no {name} among the children of slipway up")

    def cli(self, *arguments, check=True):
        """A command of the CLI that finds server and token by the data directory."""
        return command(BINARY, *arguments, check=check, environment={"SLIPWAY_DATA": str(self.data), "SLIPWAY_URL": ""})

    def start_cli(self, *arguments):
        """`slipway ...` against this server, going on beside the test."""
        return subprocess.Popen([BINARY, *arguments, "--data", self.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def log(self, name):
        return (self.data / "log" / f"{name}.log").read_text(errors="replace")


class Sample:
    """The working copy of the sample that `slipway up` makes: edited, committed, pushed."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def git(self, *arguments, **options):
        identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))}
        return command("git", "-C", self.folder, *arguments, environment={**identity, "GIT_TERMINAL_PROMPT": "0"}, **options).stdout.strip()

    def replace(self, file, old, new):
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"'{old}' is not in {file}"
        path.write_text(text.replace(old, new))

    def write(self, file, text):
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def push(self, message, *paths):
        self.git("add", "--all", *paths)
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    @property
    def head(self):
        return self.git("rev-parse", "HEAD")


class Project:
    """A project with one hosted repository of files and one pipeline, for cases that need no sample."""

    def __init__(self, api, name, folder, reachable_at=None):
        """`reachable_at`: where the server answers from here, when it calls itself something else."""
        self.api = api
        self.name = name
        self.path = f"/{name}"
        self.folder = pathlib.Path(folder)
        api.post("/_apis/projects", {"name": name})
        repository = api.post(f"{self.path}/_apis/git/repositories", {"name": name, "defaultBranch": "refs/heads/main"})
        self.repository = repository
        remote = repository["remoteUrl"]
        if reachable_at:
            remote = re.sub("^https?://[^/]*", reachable_at, remote)
        self.sample = Sample(self.folder)
        self.folder.mkdir(parents=True)
        self.sample.git("init", "--quiet", "--initial-branch=main")
        self.sample.git("remote", "add", "origin", remote)
        credential = base64.b64encode(f"operator:{api.token}".encode()).decode()
        self.sample.git("config", "http.extraHeader", f"Authorization: Basic {credential}")

    def connection(self, name, kind, url, scheme="UsernamePassword", **parameters):
        return self.api.post(f"{self.path}/_apis/serviceendpoint/endpoints", {
            "name": name, "type": kind, "url": url, "authorization": {"scheme": scheme, "parameters": parameters}, "data": {}})

    def environment(self, name):
        return self.api.post(f"{self.path}/_apis/pipelines/environments", {"name": name})

    def run(self, files, pipeline="main", **body):
        """Pushes the files and queues the pipeline at `azure-pipelines.yml`; the id of the run."""
        for file, text in files.items():
            self.sample.write(file, text)
        self.sample.push("files of the case")
        self.api.post(f"{self.path}/_apis/pipelines", {
            "name": pipeline, "folder": "\\", "configuration": {"type": "yaml", "path": "azure-pipelines.yml",
                                                                 "repository": {"id": self.repository["id"], "type": "azureReposGit"}}})
        return self.api.queue(pipeline, self.path, **body)
