"""Fixtures: the real parts (started by `./run test e2e`), and systems started once for many tests."""
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from slipway import BINARY, Up  # noqa: E402


def missing(part):
    """Why a part cannot be had on this machine, or None."""
    for line in os.environ.get("SLIPWAY_TEST_MISSING", "").splitlines():
        name, _, reason = line.partition(": ")
        if name == part:
            return reason
    return None


def need(part, variable):
    """Skips when the part cannot be had; fails when it was expected but is not there."""
    if os.environ.get(variable):
        return os.environ[variable]
    reason = missing(part)
    if reason and os.environ.get("SLIPWAY_TEST_BROKEN") != part:
        pytest.skip(f"{part}: {reason}")
    pytest.fail(f"the part {part} does not run: {reason or variable + ' is not set (start with ./run test e2e)'}")
    return None


def pytest_configure():
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not built: ./run build")


def pytest_collection_modifyitems(items):
    """The scenario first: it looks at the first run of an installation that other tests use afterwards."""
    items.sort(key=lambda item: 0 if "test_scenario" in str(item.path) else 1)


@pytest.fixture(scope="session")
def engine():
    return need("docker", "DOCKER_HOST")


@pytest.fixture(scope="session")
def registry():
    return need("registry", "SLIPWAY_TEST_REGISTRY")


@pytest.fixture(scope="session")
def cluster(engine):
    return need("kubernetes", "KUBECONFIG")


@pytest.fixture(scope="session")
def base_image(engine):
    reason = missing("base-image")
    if reason:
        pytest.skip(f"base-image: {reason}")
    return "debian:bookworm-slim"


@pytest.fixture(scope="session")
def folder():
    """A short path: sockets lie below it."""
    path = tempfile.mkdtemp(prefix="slipway-e2e-")
    yield pathlib.Path(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def on_kubernetes(engine, registry, cluster, folder):
    """`slipway up` with the sample, whose environments are namespaces of the cluster."""
    with Up(folder / "kubernetes", "--registry", registry) as up:
        yield up


@pytest.fixture(scope="session")
def on_docker(engine, registry, folder):
    """`slipway up` with the sample, whose environments are the Docker host; with a registry of its own, because runs (and so the
    tags of images) are numbered from 1 in every installation."""
    with Up(folder / "docker", KUBECONFIG=None) as up:
        yield up


@pytest.fixture(scope="session")
def plain(engine, folder):
    """`slipway up --no-sample`: server and worker, for projects that tests make themselves."""
    with Up(folder / "plain", "--no-sample", KUBECONFIG=None) as up:
        yield up
