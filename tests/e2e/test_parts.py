"""The private Docker Engine of tests/parts: what it leaves behind, also when it was killed."""
import json
import os
import signal

import pytest
from slipway import ROOT, command, wait_until


def engine(action, place):
    """KEY=VALUE lines of the part's script."""
    done = command(ROOT / "tests/parts/docker", action, place)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def routes(subnet):
    return [route["dev"] for route in json.loads(command("ip", "-json", "-4", "route").stdout) if route["dst"] == subnet]


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_engine_that_ends_takes_its_bridges_along(folder, killed):
    """Its kept networks come back with their addresses; a bridge left behind would take their packets."""
    if os.geteuid() != 0:
        pytest.skip("a private Docker Engine needs root")
    place = folder / f"engine-{killed}"
    started = engine("start", place)
    docker = (started["DOCKER"], "--host", started["DOCKER_HOST"])
    try:
        command(*docker, "network", "create", "kept")
        subnet = json.loads(command(*docker, "network", "inspect", "kept").stdout)[0]["IPAM"]["Config"][0]["Subnet"]
        assert len(routes(subnet)) == 1
        number = (place / "number").read_text(encoding="utf-8")
        if killed:
            pid = int((place / "dockerd.pid").read_text(encoding="utf-8").split()[0])
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not (os.path.exists(f"/proc/{pid}/exe")), "the engine is gone")
        engine("stop", place)
        assert routes(subnet) == [], "its bridge is still there"
        engine("start", place)
        assert (place / "number").read_text(encoding="utf-8") == number
        assert subnet in command(*docker, "network", "inspect", "kept").stdout
        assert len(routes(subnet)) == 1
    finally:
        engine("stop", place)
    assert routes(subnet) == []
