"""A worker that reaches the server by https only: a TLS proxy (socat) stands in front of a real server."""
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import world  # noqa: E402
from slipway import BINARY, command, free_port, wait_until  # noqa: E402

PIPELINE = """
pool: {vmImage: ubuntu-latest}
steps:
- checkout: none
- script: |
    echo "$(Build.BuildId) $(System.JobIdentifier) $(System.JobAttempt) $(System.JobId)" >>MARKS
    echo one >file.txt
    i=0
    while [ $i -lt LINES ]; do echo "line $i"; i=$((i + 1)); done
  displayName: work
- publish: file.txt
  artifact: out
- download: current
  artifact: out
- script: echo "collection $(System.CollectionUri)"; test -f "$(Pipeline.Workspace)/out/file.txt"
"""


@pytest.fixture(scope="module")
def certificates(folder):
    """Of localhost: `valid`, `expired` and a `stranger` with another key; each vouches for itself."""
    path = folder / "certificates"
    path.mkdir()

    def openssl(*arguments):
        command("openssl", *arguments, cwd=path)
    for name in ("valid", "stranger"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl("req", "-new", "-key", "valid.key", "-subj", "/CN=localhost", "-out", "request")
    openssl("x509", "-req", "-in", "request", "-signkey", "valid.key", "-days", "-1", "-out", "expired.pem")
    return path


class Endpoint:
    """https://localhost:port in front of a port of this machine."""

    def __init__(self, folder, certificate, target):
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        key = folder / ("stranger.key" if certificate == "stranger" else "valid.key")
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["socat", f"OPENSSL-LISTEN:{self.port},bind=127.0.0.1,reuseaddr,fork,verify=0,cert={folder / certificate}.pem,key={key}",
             f"TCP:127.0.0.1:{target}"], stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def test_a_worker_works_by_https_alone(certificates, tmp_path):
    tls = world.World("tls", BINARY, tmp_path, PIPELINE, 1)
    authority = certificates / "valid.pem"
    try:
        with Endpoint(certificates, "valid", tls.port) as endpoint:
            tls.begin(endpoint.url, worker_options=["--ca", authority])
            detail = tls.api.completed(tls.runs[0], tls.path)
            assert detail["result"] == "succeeded", tls.api.story(tls.runs[0], tls.path)
            log = tls.api.logs(tls.runs[0], tls.path)
            assert f"collection {endpoint.url}" in log, "jobs call the server as the worker reached it"
            # The file of authorities is kept with the registration, and a channel that broke is opened again.
            tls.worker.stop()
            tls.worker.arguments = [a for a in tls.worker.arguments if a not in ("--ca", authority)]
            tls.worker.start()
            tls.runs.append(tls.api.queue("main", tls.path))
            assert tls.api.completed(tls.runs[1], tls.path)["result"] == "succeeded"
            assert tls.problems() == []
    finally:
        tls.stop()


@pytest.mark.parametrize("certificate, authority, said", [
    ("expired", "expired", "certificate of 'localhost' is refused: it expired on 20..-..-..; renew it"),
    ("stranger", "valid", "certificate of 'localhost' is refused: self.signed certificate; add the authority"),
    ("valid", "missing", "the file of certificate authorities '.*missing.pem' does not exist"),
])
def test_a_refused_certificate_is_said(certificates, tmp_path, certificate, authority, said):
    output = tmp_path / "worker.log"
    with Endpoint(certificates, certificate, 1) as endpoint, open(output, "wb") as log:
        wait_until(lambda: command("openssl", "s_client", "-connect", f"localhost:{endpoint.port}", check=False).stdout.count("BEGIN CERTIFICATE"),
                   "the endpoint answers", 30)
        worker = subprocess.Popen([BINARY, "worker", "--url", endpoint.url, "--ca", certificates / f"{authority}.pem", "--work", tmp_path / "work",  # pylint: disable=consider-using-with
                                   "--no-tool-versions"], stdout=log, stderr=log, env={"SLIPWAY_WORKER_TOKEN": "x", "PATH": "/usr/bin:/bin"})
        try:
            wait_until(lambda: re.search(said, output.read_text()), f"the worker says: {said}", 60, output.read_text)
        finally:
            worker.terminate()
            worker.wait()
