"""The bridge in a process of its own, as an operator starts it: started, stopped, killed, and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
import yaml

PATIENCE_SECONDS = 60.0


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE_SECONDS) -> None:
    """Wait for something to become true; a machine in trouble gets a minute, and then a sentence."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for {what}"
        time.sleep(0.05)


@dataclass
class Bridge:
    """One installation: its folder, its database, and the process while it runs."""

    home: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def scim_url(self) -> str:
        return f"{self.url}/scim/v2"

    @property
    def environment(self) -> dict[str, str]:
        own = {"SCIM_BRIDGE_HOME": str(self.home), "SCIM_BRIDGE_BASE_URL": self.url}
        return {**os.environ, **own, **self.settings}

    def start(self) -> None:
        """Start `scim-bridge run` and wait until it is ready."""
        words = [sys.executable, "-m", "scim_bridge", "run", "--port", str(self.port)]
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "log").open("ab") as log:
            # A session of its own: a kill takes gunicorn's worker too, as a power cut would.
            self.process = subprocess.Popen(
                words, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        wait_until(self._is_ready, f"the bridge to start; its log: {self.home / 'log'}")

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(PATIENCE_SECONDS)
        self.process = None
        return code

    def kill(self) -> None:
        """Take everything away at once: kill -9, no goodbye."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)
        self.process = None

    def command(self, *words: str, code: int = 0) -> Any:
        """Run a verb with --json against this installation and return what it printed."""
        done = self.try_command(*words, "--json")
        assert done.returncode == code, f"{words}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def try_command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a verb, whatever comes of it."""
        return subprocess.run(
            [sys.executable, "-m", "scim_bridge", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS * 2,
        )

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "log").read_text()
        try:
            with urllib3.PoolManager(retries=False, timeout=2) as pool:
                return bool(pool.request("GET", f"{self.url}/readyz").status == 200)
        except urllib3.exceptions.HTTPError:
            return False


@contextmanager
def installed(home: Path, **settings: str) -> Iterator[Bridge]:
    """Prepare an installation that is gone with the block; keys are settings' names without the prefix."""
    named = {f"SCIM_BRIDGE_{name.upper()}": value for name, value in settings.items()}
    bridge = Bridge(home, free_port(), named)
    bridge.command("db", "upgrade")
    try:
        yield bridge
    finally:
        if bridge.process is not None:
            bridge.kill()


def subjects_in(folder: Path) -> dict[tuple[str, str], set[str]]:
    """Return whom the manifests of a folder bind, by (namespace or nothing, role)."""
    found: dict[tuple[str, str], set[str]] = {}
    for file in folder.rglob("*.yaml"):
        document = yaml.safe_load(file.read_text())
        if isinstance(document, dict) and document.get("kind") in ("ClusterRoleBinding", "RoleBinding"):
            place = (document["metadata"].get("namespace", ""), document["roleRef"]["name"])
            found.setdefault(place, set()).update(each["name"] for each in document.get("subjects") or [])
    return found
