"""gunicorn as the Procfile starts it, with two workers, for the bridge, the floor and the hello."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


@dataclass
class Server:
    """One gunicorn with its workers; ``highest`` is the most memory that one of them was seen with, in MiB."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    highest: float = field(default=0.0)

    @property
    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def note_memory(self) -> float:
        """Return, and remember, the resident memory of the largest worker in MiB."""
        found = max((_resident(pid) for pid in self.workers), default=0.0)
        self.highest = max(self.highest, found)
        return found

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)


def start(name: str, application: str, folder: Path, settings: Mapping[str, str] | None = None) -> Server:
    """Start one and wait until both workers answer."""
    port, log = _free_port(), folder / f"{name}.log"
    # Renewing a worker would hide what it leaks, and its start would disturb the rates: neither side does it here.
    words = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "--max-requests", "0", application]
    own = {"PORT": str(port), "WEB_HOST": "127.0.0.1", "WEB_CONCURRENCY": "2", "PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, cwd=ROOT, env={**os.environ, **own, **(settings or {})}, stdout=output, stderr=output
        )
    server = Server(name, port, process, log)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while log.read_text().count("Booting worker") < 2 or not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{name} did not start:\n{log.read_text()}")
        time.sleep(0.2)
    return server


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
