"""docker-compose.yml: images of server and worker from this repository's Dockerfile, run by Compose."""
import json
import os
import re
import subprocess

import pytest
from slipway import ROOT, Api, Project, command, docker, free_port, wait_until

NAME = "slipway-e2e"


@pytest.fixture(scope="module")
def images(base_image):
    for target in ("server", "worker"):
        # The host's network, because package mirrors may be reachable from there only. The program is the one
        # under test; that it also compiles inside is a matter of `docker-compose build`.
        docker("build", "--network", "host", "--build-arg", "PREBUILT=yes", "--target", target, "--tag", f"slipway-{target}", ROOT,
               environment={"DOCKER_BUILDKIT": "1"}, seconds=900)


@pytest.fixture(scope="module")
def composed(images, engine, folder):
    work = folder / "compose-worker"
    environment = {"SLIPWAY_PORT": str(free_port()), "DOCKER_SOCKET": engine.removeprefix("unix://"), "SLIPWAY_WORKER_FOLDER": str(work)}

    def compose(*arguments, seconds=300):
        return command("docker-compose", "--project-name", NAME, "--file", ROOT / "docker-compose.yml", *arguments,
                       environment=environment, seconds=seconds).stdout

    compose("up", "--detach", "--no-build")
    try:
        link = wait_until(lambda: _sign_in(compose), "the server answers", 60)
        assert link.startswith("http")
        token = compose("exec", "-T", "server", "cat", "/var/lib/slipway/data/operator-token").strip()
        yield Api(f"http://127.0.0.1:{environment['SLIPWAY_PORT']}", token)
    finally:
        compose("down", "--volumes", "--timeout", "10")


def _sign_in(compose):
    try:
        return compose("exec", "-T", "server", "slipway", "signin").strip()
    except AssertionError:
        return None


def test_worker_of_compose_runs_jobs(composed, tmp_path):
    wait_until(lambda: [a for a in composed.get("/_apis/distributedtask/pools/1/agents")["value"] if a["status"] == "online"],
               "the worker is online", 60)
    project = Project(composed, "compose", tmp_path / "repository", reachable_at=composed.url)
    yaml = "pool: {vmImage: ubuntu-latest}\nsteps:\n- script: cat file && docker version --format '{{.Server.Version}}'\n"
    run = project.run({"azure-pipelines.yml": yaml, "file": "from the repository\n"})
    assert composed.completed(run, project.path)["result"] == "succeeded", composed.story(run, project.path)
    assert "from the repository" in composed.logs(run, project.path)


def test_container_jobs_of_a_worker_in_a_container(composed, tmp_path):
    """The host's engine mounts the work folder, which both know by the same path."""
    project = Project(composed, "compose-container", tmp_path / "repository", reachable_at=composed.url)
    yaml = "pool: {vmImage: ubuntu-latest}\ncontainer: debian:bookworm-slim\nsteps:\n- script: cat file && test -e /.dockerenv && echo inside\n"
    run = project.run({"azure-pipelines.yml": yaml, "file": "from the repository\n"})
    assert composed.completed(run, project.path)["result"] == "succeeded", composed.story(run, project.path)
    log = composed.logs(run, project.path)
    assert "from the repository" in log and "inside" in log


def test_a_work_folder_that_the_engine_does_not_know_is_said(images, engine, tmp_path):
    """A volume with a name: the engine would mount an empty folder of its own machine."""
    (tmp_path / "azure-pipelines.yml").write_text("container: debian:bookworm-slim\nsteps:\n- checkout: none\n- script: echo never\n")
    socket = engine.removeprefix("unix://")
    try:
        ran = command(os.environ.get("DOCKER", "docker"), "run", "--rm", "--volume", f"{socket}:/var/run/docker.sock",
                      "--volume", f"{NAME}-named:/var/lib/slipway-worker", "--volume", f"{tmp_path}:{tmp_path}", "--workdir", tmp_path,
                      "slipway-worker", "slipway", "run", "azure-pipelines.yml", "--work", "/var/lib/slipway-worker/w", check=False, seconds=300)
    finally:
        docker("volume", "rm", f"{NAME}-named")
    assert ran.returncode != 0
    said = ran.stdout + ran.stderr
    assert "the worker runs in a container itself" in said, said
    assert "--volume /var/lib/slipway-worker/w/_work:/var/lib/slipway-worker/w/_work" in said, said
    assert "never\n" not in said.replace("echo never", "")


def test_images_are_small(images):
    sizes = {name: int(docker("image", "inspect", f"slipway-{name}", "--format", "{{.Size}}")) for name in ("server", "worker")}
    base = int(docker("image", "inspect", "debian:bookworm-slim", "--format", "{{.Size}}"))
    assert sizes["server"] - base < 200 << 20, sizes


def test_server_is_not_root(composed):
    identity = docker("exec", f"{NAME}_server_1", "id", "-u").strip()
    assert identity != "0"
