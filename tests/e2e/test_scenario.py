"""The scenario: two services from a push to production, on Kubernetes and on a Docker host."""
import json
import urllib.request

import pytest
from slipway import Sample, docker, kubectl, wait_until

SERVICES = ("leaderboard", "web")


def stage(detail, name):
    return next(s for s in detail["stages"] if s["name"] == name)


def registry_digest(registry, service, tag):
    """What the registry itself says about a tag."""
    request = urllib.request.Request(f"http://{registry}/v2/space-game/{service}/manifests/{tag}", method="HEAD",
                                     headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.headers["Docker-Content-Digest"]


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read().decode()


def check_cell(cell, run, registry, service, commit):
    assert cell["state"] == "ok"
    version = cell["version"]
    assert version["runId"] == run
    assert version["commit"] == commit
    assert version["digest"] == registry_digest(registry, service, str(run))
    assert str(run) in version["tags"] and commit in version["tags"]


def check_first_run(up):
    """From the queued first run to both services in production; the run's id."""
    api = up.api
    registry = up.ready["registry"]
    run = up.ready["firstRun"]
    commit = Sample(up.data / "sample").head
    approval = api.waiting_approval(run)
    detail = api.run(run)
    for name in ("Build", "Test", "Dev"):
        assert stage(detail, name)["result"] == "succeeded", api.story(run)
    assert stage(detail, "Production")["state"] == "waiting"
    matrix = api.matrix()
    for service in SERVICES:
        check_cell(matrix[service, "dev"], run, registry, service, commit)
        assert matrix.get((service, "production"), {}).get("version") is None
    tests = api.get(f"/space-game/_apis/slipway/runs/{run}/tests")["value"]
    assert sorted(t["title"] for t in tests) == ["leaderboard", "web"]
    assert all(t["failed"] == 0 and t["passed"] > 0 for t in tests)
    assert [a["name"] for a in detail["artifacts"]] == ["manifests"]

    listed = json.loads(up.cli("approve", "--format", "json").stdout)
    assert [a["id"] for a in listed] == [approval["id"]]
    up.cli("approve", detail["number"], "--comment", "looks right")
    done = api.completed(run)
    assert done["result"] == "succeeded", api.story(run)
    matrix = api.matrix()
    for service in SERVICES:
        check_cell(matrix[service, "production"], run, registry, service, commit)
        assert [a["comment"] for a in matrix[service, "production"]["approvedBy"]] == ["looks right"]
        assert not matrix[service, "dev"].get("approvedBy")
    where = up.cli("where").stdout
    assert where.splitlines()[0].split() == ["SERVICE", "dev", "production"]
    assert all(commit[:7] in line and " space-game " in line for line in where.splitlines()[1:])
    logs = up.cli("logs", str(run)).stdout
    assert "space-game/web" in logs
    return run


def release_leaderboard(up, first):
    """A push that touches only the leaderboard: its pipeline alone runs, and only its version moves."""
    api = up.api
    registry = up.ready["registry"]
    sample = Sample(up.data / "sample")
    before = api.matrix()
    known = {r["id"] for r in api.runs()}
    sample.replace("leaderboard/main.c", '"Comet", 8120', '"Comet", 99999')
    commit = sample.push("leaderboard: Comet flew again")

    new = wait_until(lambda: [r for r in api.runs() if r["id"] not in known], "the push triggers a run")
    run = new[0]["id"]
    approval = api.waiting_approval(run)
    api.approve(approval)
    assert api.completed(run)["result"] == "succeeded", api.story(run)
    runs = [r for r in api.runs() if r["id"] not in known]
    assert [(r["pipeline"]["name"], r["reason"], r["version"]) for r in runs] == [("leaderboard", "individualCI", commit)]

    after = api.matrix()
    for environment in ("dev", "production"):
        check_cell(after["leaderboard", environment], run, registry, "leaderboard", commit)
        assert after["web", environment]["version"] == before["web", environment]["version"]
        assert after["web", environment]["deploymentId"] == before["web", environment]["deploymentId"]
    cell = after["leaderboard", "production"]
    history = api.get(f"/space-game/_apis/slipway/history?service=leaderboard&environmentId={cell['environmentId']}"
                      f"&resourceId={cell['resourceId']}")["value"]
    assert [h["runId"] for h in history] == [run, first]
    assert history[0]["direction"] == "forward" and history[1]["direction"] == "first"
    assert [c["id"] for c in history[0]["commits"]] == [commit]
    assert history[0]["commits"][0]["author"] == "Ada"
    return run


class TestKubernetes:
    @pytest.fixture(scope="class")
    def first(self, on_kubernetes):
        return check_first_run(on_kubernetes)

    def test_first_run_reaches_production(self, on_kubernetes, first):
        assert on_kubernetes.ready["target"] == "kubernetes"
        for namespace in ("dev", "production"):
            for service in SERVICES:
                deployment = json.loads(kubectl("-n", namespace, "get", "deployment", service, "-o", "json"))
                assert deployment["status"]["readyReplicas"] == 2
                image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
                assert image.endswith(f"/space-game/{service}:{first}")

    def test_site_answers_through_its_service(self, on_kubernetes, first):
        address = kubectl("-n", "production", "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
        page = fetch(f"http://{address}/")
        assert "Andromeda" in page and f"Version {first}" in page

    def test_matrix_tells_what_the_pods_run(self, on_kubernetes, first):
        matrix = on_kubernetes.api.matrix()
        for namespace in ("dev", "production"):
            for service in SERVICES:
                pods = json.loads(kubectl("-n", namespace, "get", "pods", "-l", f"app={service}", "-o", "json"))["items"]
                digests = {s["imageID"].split("@")[1] for p in pods for s in p["status"]["containerStatuses"]}
                assert digests == {matrix[service, namespace]["version"]["digest"]}

    def test_push_to_the_leaderboard_moves_only_the_leaderboard(self, on_kubernetes, first):
        release_leaderboard(on_kubernetes, first)
        address = kubectl("-n", "production", "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
        # A rollout is complete before every node has taken the old pods out of its services.
        wait_until(lambda: "99999" in fetch(f"http://{address}/"), "the site shows what the new leaderboard says")


class TestDockerHost:
    @pytest.fixture(scope="class")
    def first(self, on_docker):
        return check_first_run(on_docker)

    def test_first_run_reaches_production(self, on_docker, first):
        assert on_docker.ready["target"] == "docker"
        for environment, port in (("dev", on_docker.ready["devWebPort"]), ("production", on_docker.ready["productionWebPort"])):
            page = fetch(f"http://127.0.0.1:{port}/")
            assert "Andromeda" in page and f"Version {first}" in page
            names = docker("ps", "--filter", f"label=com.docker.compose.project=space-game-{environment}",
                           "--format", '{{.Label "com.docker.compose.service"}}').split()
            assert sorted(names) == ["leaderboard", "web"]

    def test_push_to_the_leaderboard_moves_only_the_leaderboard(self, on_docker, first):
        web_before = docker("ps", "--quiet", "--filter", "label=com.docker.compose.project=space-game-production",
                            "--filter", "label=com.docker.compose.service=web")
        release_leaderboard(on_docker, first)
        web_after = docker("ps", "--quiet", "--filter", "label=com.docker.compose.project=space-game-production",
                           "--filter", "label=com.docker.compose.service=web")
        assert web_after == web_before, "the web container must not be touched"
        assert "99999" in fetch(f"http://127.0.0.1:{on_docker.ready['productionWebPort']}/")
