"""
A real kube-apiserver with its etcd: no controllers, no nodes, loopback only, gone when it is stopped.

A plain class, so that benchmarks and demonstrations can start one too.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import urllib3
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.kube.client import ADMIN, KubeClient

BRIDGE = "bridge"
ALICE = "oidc:alice@example.com"
BOB = "oidc:bob@example.com"
STRANGER = "oidc:stranger@example.com"
PEOPLE = (ALICE, BOB, STRANGER)
GROUPS = {ADMIN: ("system:masters",), BOB: ("oidc:platform",)}
STARTS = 3
READY_SECONDS = 90


class ServerMissing(Exception):
    """The binaries are not on this machine; the message says how to get them."""


class ServerFailed(Exception):
    """It did not start; the message ends with what it logged."""


def find_binaries() -> tuple[Path, Path]:
    """Return kube-apiserver and etcd, looked for where envtest looks; raises ServerMissing."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    found = []
    for name in ("kube-apiserver", "etcd"):
        own = os.environ.get(f"TEST_ASSET_{name.upper().replace('-', '_')}")
        path = Path(own) if own else Path(assets or "/nowhere") / name
        if not os.access(path, os.X_OK):
            raise ServerMissing(
                "name a folder with kube-apiserver and etcd in KUBEBUILDER_ASSETS (setup-envtest fetches one), or "
                "each of them in TEST_ASSET_KUBE_APISERVER and TEST_ASSET_ETCD"
            )
        found.append(path)
    return found[0], found[1]


class KubeServer:
    """One API server; ``url``, ``authority`` (PEM) and a token for each user are known once it runs."""

    def __init__(self, users: Iterable[str] = PEOPLE, groups: Mapping[str, Iterable[str]] = GROUPS) -> None:
        self._users = (ADMIN, BRIDGE, *users)
        self._groups = groups
        self._processes: list[subprocess.Popen[bytes]] = []
        self._etcd = self.url = self.authority = ""
        self._folder = Path()
        self._command: tuple[Path | str, ...] = ()

    def __enter__(self) -> "KubeServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start both and wait until it is ready; raises ServerMissing or ServerFailed."""
        binaries = find_binaries()
        for attempt in range(1, STARTS + 1):
            # A port that was free a moment ago may be taken: then everything is begun anew.
            try:
                self._folder = Path(tempfile.mkdtemp(prefix="kube-"))
                self._run(*binaries)
                return
            except ServerFailed:
                self.stop()
                if attempt == STARTS:
                    raise

    def stop(self) -> None:
        """End both processes, by their ids, and delete their files."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def pause(self) -> None:
        """Let the API server stand still as it is: connections are taken and nothing is answered."""
        self._processes[-1].send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._processes[-1].send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Take the API server away at once; what etcd has stays."""
        process = self._processes.pop()
        process.kill()
        process.wait()

    def start_again(self) -> None:
        """Start the API server that was killed, with all it had, and wait until it is ready."""
        self._launch(*self._command)
        self._wait_until_ready()

    def token_of(self, user: str) -> str:
        """Return the token that this user signs in with."""
        assert user in self._users, f"{user} is not in the token file"
        return f"token-{self._users.index(user)}-of-this-test-server"

    def client(self, user: str = ADMIN) -> KubeClient:
        """Return a client that sends what it is told to, as this user."""
        return KubeClient(self.url, self.token_of(user), self.authority)

    def compact(self) -> None:
        """Forget all states but the present one, as etcd does every five minutes."""
        answer = _post(f"{self._etcd}/v3/kv/range", {"key": "AA=="})
        _post(f"{self._etcd}/v3/kv/compaction", {"revision": answer["header"]["revision"], "physical": True})

    def _run(self, apiserver: Path, etcd: Path) -> None:
        client_port, peer_port, port = _free_ports(3)
        self._etcd, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
        self.url = f"https://127.0.0.1:{port}"
        self._launch(
            etcd, f"--data-dir={self._folder / 'etcd'}", "--unsafe-no-fsync",
            f"--listen-client-urls={self._etcd}", f"--advertise-client-urls={self._etcd}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        )  # fmt: skip
        self._write_files()
        options = [
            "--bind-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={self._folder}",
            f"--etcd-servers={self._etcd}", "--authorization-mode=RBAC",
            f"--token-auth-file={self._folder / 'tokens.csv'}", "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._folder / 'sa.key'}",
            f"--service-account-signing-key-file={self._folder / 'sa.key'}",
            "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
        ]  # fmt: skip
        if _takes_insecure_port(apiserver):
            options.append("--insecure-port=0")
        self._command = (apiserver, *options)
        self._launch(*self._command)
        self._wait_until_ready()

    def _launch(self, binary: Path | str, *options: Path | str) -> None:
        with (self._folder / f"{Path(binary).name}.log").open("ab") as log:
            process = subprocess.Popen([binary, *options], stdout=log, stderr=log, cwd=self._folder)
        self._processes.append(process)

    def _write_files(self) -> None:
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (self._folder / "sa.key").write_bytes(pem)
        lines = []
        for user in self._users:
            groups = ",".join(self._groups.get(user, ()))
            lines.append(f'{self.token_of(user)},{user},{user},"{groups}"\n')
        (self._folder / "tokens.csv").write_text("".join(lines))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._processes):
                break
            certificate = self._folder / "apiserver.crt"
            if certificate.exists() and "END CERT" in certificate.read_text():
                self.authority = certificate.read_text()
                if self._is_ready():
                    return
            time.sleep(0.2)
        logs = [(log.name, log.read_text(errors="replace")[-1500:]) for log in self._folder.glob("*.log")]
        raise ServerFailed(f"the test API server did not become ready: {logs}")

    def _is_ready(self) -> bool:
        try:
            # Its own roles are made after the port is open; readyz waits for them.
            return self.client().send("GET", "/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False


def _takes_insecure_port(apiserver: Path) -> bool:
    """Tell whether it is older than 1.24, which has no such option any more."""
    said = subprocess.run([apiserver, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    major, minor = said.partition("v")[2].split(".")[:2]
    return (int(major), int(minor)) < (1, 24)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def _post(url: str, body: Mapping[str, object]) -> dict[str, dict[str, str]]:
    answer = urllib3.request("POST", url, body=json.dumps(body).encode(), timeout=10)
    assert answer.status == 200, answer.data
    found = json.loads(answer.data)
    assert isinstance(found, dict)
    return found
