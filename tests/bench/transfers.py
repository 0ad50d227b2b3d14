"""The worker: images through Docker@2 and artifacts of gigabytes, each beside the plain programs that do the same."""
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

from system import ROOT, System

PIECE = 64 << 20
ARTIFACT = 2 << 30
LAYER = 64 << 20
TIMES = 7


def seconds(stamp):
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))


def peak_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024


def job_processes(worker):
    """The worker's children: one per job."""
    return [int(pid) for pid in pathlib.Path(f"/proc/{worker}/task/{worker}/children").read_text().split()]


def random_file(path, size):
    """Bytes that no compression makes smaller."""
    with open(path, "wb") as out:
        for begin in range(0, size, PIECE):
            out.write(os.urandom(min(PIECE, size - begin)))


class Parts:
    """A private Docker Engine with the base image, and a registry: those of the environment where there are some."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []

    def __enter__(self):
        try:
            if "DOCKER_HOST" not in os.environ:
                os.environ.update(self.start("docker"))
            self.start("base-image")
            self.registry = os.environ.get("SLIPWAY_TEST_REGISTRY") or self.start("registry")["REGISTRY"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, name):
        done = subprocess.run([ROOT / "tests/parts" / name, "start", self.folder / name], stdout=subprocess.PIPE, text=True, check=False)
        self.started.append(name)
        if done.returncode != 0:
            raise SystemExit(f"the part {name} cannot be had here (see above)")
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def __exit__(self, *_):
        for name in reversed(self.started):
            subprocess.run([ROOT / "tests/parts" / name, "stop", self.folder / name], check=False)
            if name == "docker":
                del os.environ["DOCKER_HOST"]


def step_seconds(system, project, run, name):
    records = system.get(f"{project}/_apis/build/builds/{run}/timeline")["records"]
    record = next(r for r in records if r["type"] == "Task" and r["name"] == name)
    if record["result"] != "succeeded":
        raise SystemExit(f"the step {name} ended with {record['result']}: {record.get('issues')}")
    return seconds(record["finishTime"]) - seconds(record["startTime"])


def images(report, folder, times=TIMES, layer=LAYER):
    """An image of three layers of which the last two are new each time, by Docker@2 and by hand, alternating."""
    context = folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM debian:bookworm-slim\nCOPY bytes /bytes\nRUN sha256sum /bytes > /sum\n")
    ours, bare = [], []
    # Debian's client before any other, as the parts take it: a newer one may lack BuildKit. The worker takes the first on PATH.
    os.environ["PATH"] = f"/usr/bin:{os.environ['PATH']}"
    with Parts(folder / "parts") as parts, System() as system:
        image = f"{parts.registry}/bench/app"
        docker = "docker"
        # The builder that the task finds, for both.
        built_in = subprocess.run([docker, "build", "--help"], env={**os.environ, "DOCKER_BUILDKIT": "1"}, capture_output=True, check=False).returncode
        environment = {**os.environ, "DOCKER_BUILDKIT": "0" if built_in else "1"}
        yaml = (f"trigger: none\nsteps:\n- checkout: none\n- task: Docker@2\n  displayName: image\n  inputs:\n    command: buildAndPush\n"
                f"    repository: {image}\n    tags: ours\n    Dockerfile: {context}/Dockerfile\n    buildContext: {context}\n")
        project, pipeline = system.pipeline("image", yaml)
        for index in range(times + 1):  # the first round warms the caches of both
            random_file(context / "bytes", layer)
            run = system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            system.finished(project, run, 600, 0.05)
            took = step_seconds(system, project, run, "image")
            random_file(context / "bytes", layer)
            begin = time.perf_counter()
            subprocess.run([docker, "build", "-t", f"{image}:bare", context], env=environment, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=True)
            subprocess.run([docker, "push", f"{image}:bare"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            if index > 0:
                ours.append(took)
                bare.append(time.perf_counter() - begin)
    report.row("`Docker@2` buildAndPush, 64 MB new of an image", statistics.median(ours), "s", statistics.median(bare), "docker build, then docker push")


class Peaks(threading.Thread):
    """The most memory of the server and of the job processes, until it is told to end."""

    def __init__(self, system):
        super().__init__(daemon=True)
        self.system = system
        self.server = self.job = 0.0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            self.server = max(self.server, peak_mib(self.system.server.pid))
            for pid in job_processes(self.system.worker.pid):
                try:
                    self.job = max(self.job, peak_mib(pid))
                except (OSError, TypeError):
                    continue  # it has just ended


def artifacts(report, folder, size=ARTIFACT, times=3):
    """One file that cannot be compressed, through the server and back, and copied by cp in the same job, before the download and after it in
    turn. A virtual machine gives back memory that it has not used for seconds: who writes first takes what the job before has left, who
    writes then has to get his. What is published, first of all, is on the server's disk before the task ends."""
    source = folder / "published"
    source.mkdir()
    random_file(source / "bytes", size)
    publish = f"- task: PublishPipelineArtifact@1\n  displayName: publish\n  inputs:\n    targetPath: {source}\n    artifact: big\n"
    copy = (f"- bash: cp --reflink=never {source}/bytes $(Pipeline.Workspace)/copy\n  displayName: copy\n"
            "- bash: sync $(Pipeline.Workspace)/copy\n  displayName: flush\n")
    download = ("- task: DownloadPipelineArtifact@2\n  displayName: download\n  inputs:\n    artifact: big\n"
                "    path: $(Pipeline.Workspace)/back\n")
    rest = (f"- bash: cmp $(Pipeline.Workspace)/back/bytes {source}/bytes\n"
            "- bash: rm -rf $(Pipeline.Workspace)/back $(Pipeline.Workspace)/copy\n")
    head = "trigger: none\nsteps:\n- checkout: none\n" + publish
    first, then, up, durable = {"copy": [], "download": []}, {"copy": [], "download": []}, [], []
    with System() as system:
        pipelines = [system.pipeline("copy-first", head + copy + download + rest), system.pipeline("copy-last", head + download + copy + rest)]
        peaks = Peaks(system)
        peaks.start()
        for index, (project, pipeline) in enumerate(pipelines * (times + 1)):
            run = system.post(f"{project}/_apis/pipelines/{pipeline}/runs", {})["id"]
            system.finished(project, run, 1200, 0.05)
            took = {name: step_seconds(system, project, run, name) for name in ("publish", "download", "copy", "flush")}
            copy_first = index % 2 == 0
            if index >= 2:  # the first of each finds nothing left
                up.append(size / 1e6 / took["publish"])
                (first if copy_first else then)["copy"].append(size / 1e6 / took["copy"])
                (then if copy_first else first)["download"].append(size / 1e6 / took["download"])
                if copy_first:
                    durable.append(size / 1e6 / (took["copy"] + took["flush"]))
            system.request("DELETE", f"{project}/_apis/build/builds/{run}")
        peaks.ended.set()
        peaks.join()
    what = f"an artifact of {size / (1 << 30):.3g} GiB"
    report.row(f"upload of {what}", statistics.median(up), "MB/s", statistics.median(durable), "cp and sync of the same bytes")
    for rates, where in ((first, "into memory at hand"), (then, "into memory to be got first")):
        report.row(f"download of {what}, {where}", statistics.median(rates["download"]), "MB/s", statistics.median(rates["copy"]),
                   "cp of the same bytes there")
    report.row("most memory of the job's process meanwhile", peaks.job, "MiB", 64, "goal")
    report.row("most memory of the server meanwhile", peaks.server, "MiB", 64, "goal")


def transfers(report):
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = pathlib.Path(name)
        artifacts(report, folder)
        images(report, folder)
