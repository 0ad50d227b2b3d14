"""`slipway up` itself: what it refuses, what it says, and that it leaves nothing behind."""
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import urllib.request

import pytest
from slipway import BINARY, COMPLETE, Project, Sample, Up, children, command, wait_until


def processes_with(text):
    """Processes that have the text among their arguments, without this one."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if str(text).encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                continue
    return found


def up_fails(*arguments, **environment):
    """Standard error of a `slipway up` that must end with status 2."""
    environment = {k: v for k, v in {**os.environ, **environment}.items() if v is not None}
    done = subprocess.run([BINARY, "up", *map(str, arguments)], capture_output=True, text=True, timeout=120, env=environment,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2, done.stderr
    return done.stderr


def message(stderr):
    """The one line that says what is wrong."""
    lines = [line for line in stderr.splitlines() if line.startswith("slipway: ")]
    assert len(lines) == 1, stderr
    return lines[0]


def test_second_on_the_same_data_is_refused(plain):
    text = message(up_fails("--data", plain.data, "--no-sample"))
    assert str(plain.data) in text and str(plain.process.pid) in text and "--data" in text
    assert plain.api.get("/_apis/slipway/me")["isAdmin"], "the first one must go on"


def test_port_that_is_taken(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        text = message(up_fails("--data", tmp_path / "data", "--no-sample", "--port", port))
    assert str(port) in text and "--port" in text


def test_data_from_a_newer_version(folder):
    up = Up(folder / "newer", "--no-sample").start()
    up.stop()
    databases = [p for p in up.data.rglob("*") if p.is_file() and p.read_bytes()[:15] == b"SQLite format 3"]
    assert len(databases) == 1, databases
    with sqlite3.connect(databases[0]) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        assert version > 0
        database.execute(f"PRAGMA user_version = {version + 1000}")
    text = message(up_fails("--data", up.data, "--no-sample"))
    assert "newer" in text and str(up.data) in text


def test_data_that_cannot_be_written(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting a read-only file system needs root")
    place = tmp_path / "read-only"
    place.mkdir()
    command("mount", "-t", "tmpfs", "-o", "ro", "none", place)
    try:
        text = message(up_fails("--data", place / "data", "--no-sample"))
    finally:
        command("umount", place)
    assert str(place) in text and "--data" in text


def test_no_disk_space(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    command("mount", "-t", "tmpfs", "-o", "size=8m", "none", place)
    try:
        text = message(up_fails("--data", place / "data", "--no-sample"))
    finally:
        command("umount", place)
    assert "MiB" in text and str(place) in text


def test_no_docker_and_no_root():
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    # Not tmp_path: pytest closes its folders to other users.
    with tempfile.TemporaryDirectory(prefix="slipway-e2e-") as name:
        place = pathlib.Path(name)
        place.chmod(0o777)
        binary = place / "slipway"
        shutil.copy(COMPLETE, binary)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary, "up", "--data", place / "data"],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
                              env={"PATH": os.environ["PATH"], "HOME": name, "DOCKER_HOST": f"unix://{name}/none.sock"})
    assert done.returncode == 2
    text = message(done.stderr)
    assert "Docker" in text and "root" in text and "--no-sample" in text


def test_sign_in_link_works_once(plain):
    link = plain.cli("signin").stdout.strip()

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(NoRedirect)

    def follow():
        try:
            return opener.open(link, timeout=30)
        except urllib.error.HTTPError as answer:
            return answer

    first = follow()
    assert first.status == 302 or first.status == 303
    cookie = first.headers["Set-Cookie"]
    assert "slipway_session=" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    second = follow()
    assert second.status >= 400 and "Set-Cookie" not in second.headers


def test_stop_and_second_start(folder):
    """Ctrl-C ends everything that was started and nothing else; the next start goes on with the data."""
    other = subprocess.Popen(["sleep", "600"])
    try:
        up = Up(folder / "again", "--no-sample").start()
        up.api.post("/_apis/projects", {"name": "kept"})
        started = children(up.process.pid)
        assert len(started) == 2
        assert up.stop(signal.SIGINT) == 0
        assert processes_with(up.data) == []
        assert other.poll() is None
        up.start()
        assert "kept" in [p["name"] for p in up.api.get("/_apis/projects")["value"]]
        assert up.stop(signal.SIGTERM) == 0
    finally:
        other.kill()
        other.wait()


def test_killed_up_leaves_no_process(folder):
    up = Up(folder / "killed", "--no-sample").start()
    up.process.kill()
    up.process.wait()
    wait_until(lambda: processes_with(up.data) == [], "server and worker end with their parent")
    up.start()
    assert up.stop() == 0


def test_private_engine_and_registry(folder):
    """Without any engine or registry `up` starts its own, and stops them."""
    if os.geteuid() != 0:
        pytest.skip("a private Docker Engine needs root")
    place = folder / "own"
    up = Up(place, DOCKER_HOST=f"unix://{place}/none.sock", KUBECONFIG=None).start()
    try:
        assert up.ready["dockerHost"].startswith(f"unix://{up.data}/")
        assert up.ready["registry"].startswith("localhost:")
        assert up.ready["target"] == "docker"
        run = up.ready["firstRun"]
        api = up.api
        api.approve(api.waiting_approval(run))
        assert api.completed(run)["result"] == "succeeded", api.story(run)
        registry = up.ready["registry"]
        up.stop()
        assert processes_with(up.data) == []
        up.start()
        assert up.ready["registry"] == registry, "images are named after it"
        assert up.ready["firstRun"] == run, "the sample is imported once"
        where = up.cli("where").stdout
        assert all(service in where for service in ("leaderboard", "web"))
    finally:
        up.stop()
    assert processes_with(up.data) == []


def test_commands_without_a_server(tmp_path):
    for arguments in (["where"], ["status"], ["queue", "x"], ["logs"], ["approve"], ["signin"], ["pool", "list"]):
        done = command(BINARY, *arguments, "--data", tmp_path, "--url", "http://127.0.0.1:1", check=False)
        assert done.returncode == 2 and "no server answers at http://127.0.0.1:1" in done.stderr, done.stderr


def test_commands_with_wrong_usage():
    for arguments in (["queue"], ["logs", "--nonsense"], ["nonsense"], ["where", "--format", "xml"]):
        assert command(BINARY, *arguments, check=False).returncode == 2


def test_every_command_has_help():
    text = command(BINARY, "--help").stdout
    names = [line.split()[0] for line in text[text.index("Subcommands:"):].splitlines()[1:] if line.startswith("  ") and line[2] != " "]
    for needed in ("up", "server", "worker", "validate", "preview", "run", "queue", "logs", "approve", "where"):
        assert needed in names
    for name in names:
        assert command(BINARY, name, "--help").stdout


def test_json_answers(plain, tmp_path):
    project = Project(plain.api, "json-answers", tmp_path / "work")
    run = str(project.run({"azure-pipelines.yml": "pool: {vmImage: ubuntu-latest}\nsteps:\n- script: echo it works\n"}))
    of = ["--project", project.name, "--format", "json"]
    assert json.loads(plain.cli("logs", run, "-f", *of).stdout)
    for arguments in (["status"], ["status", run], ["where"], ["approve"], ["explain", run], ["logs", run], ["signin"], ["pool", "list"],
                      ["pipeline", "list"], ["retention", "show"], ["task", "list"], ["queue", "main", "--wait"]):
        assert json.loads(plain.cli(*arguments, *of).stdout) is not None, arguments
    # What is refused says so on standard error alone.
    refused = plain.cli("queue", "nowhere", *of, check=False)
    assert refused.returncode == 2 and refused.stdout == "" and "there is no pipeline 'nowhere'; there are: 'main'" in refused.stderr


def test_answers_of_the_language_as_json(tmp_path):
    (tmp_path / "azure-pipelines.yml").write_text("steps:\n- script: echo it works\n")
    assert json.loads(command(BINARY, "validate", "--format", "json", cwd=tmp_path).stdout) is not None
    assert len(json.loads(command(BINARY, "preview", "--format", "json", cwd=tmp_path).stdout)["stages"]) == 1
    done = command(BINARY, "run", "--format", "json", "--work", tmp_path / "work", cwd=tmp_path)
    assert json.loads(done.stdout)["result"] == "succeeded" and "it works" in done.stderr
    doctor = json.loads(command(BINARY, "worker", "doctor", "--format", "json", "--work", tmp_path / "work", check=False).stdout)
    assert {one["subject"] for one in doctor["findings"]} and isinstance(doctor["able"], bool)


def test_where_names_what_there_is(plain, tmp_path):
    project = Project(plain.api, "where-names", tmp_path / "work")
    project.environment("dev")
    for option, noun, known in (("--environment", "environment", "'dev'"), ("--service", "service", "none")):
        done = plain.cli("where", option, "nowhere", "--project", project.name, check=False)
        assert done.returncode == 2 and f"there is no {noun} 'nowhere'; there are: {known}" in done.stderr, done.stderr
    chosen = json.loads(plain.cli("where", "--environment", "dev", "--project", project.name, "--format", "json").stdout)
    assert [one["name"] for one in chosen["environments"]] == ["dev"]
