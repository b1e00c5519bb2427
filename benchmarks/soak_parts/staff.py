"""The processes of an installation, each of which can be killed, stopped, woken and started again."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.bridge import free_port

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Hand:
    """One process, with those that it starts itself."""

    name: str
    words: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    begun: float = 0.0
    sizes: list[tuple[float, int]] = field(default_factory=list)
    """When, and how much memory it held then, in KiB; of the process that lives now."""

    def start(self) -> None:
        """Start it; whether it works already is for others to see."""
        program = Path(sys.executable).with_name(self.words[0])
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(program), *self.words[1:]], env=self.environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd=ROOT, start_new_session=True,
            )  # fmt: skip
        self.begun = time.monotonic()
        self.sizes.clear()

    def kill(self) -> None:
        """Take it away, with what it started: no goodbye."""
        self._signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(30)

    def pause(self) -> None:
        """Let it stand still in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on, as if no time had passed."""
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to stop."""
        assert self.process is not None
        self.process.terminate()

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        assert self.process is not None
        return self.process.wait(60)

    @property
    def is_alive(self) -> bool:
        """Tell whether it lives."""
        return self.process is not None and self.process.poll() is None

    def weigh(self) -> None:
        """Note how much memory it holds now, with what it started."""
        if self.process is not None and self.is_alive:
            size = sum(_resident(each) for each in _family(self.process.pid))
            self.sizes.append((time.monotonic(), size))

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)


@dataclass
class Staff:
    """All processes, by name."""

    hands: dict[str, Hand]
    ports: tuple[int, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the SCIM addresses of the web processes."""
        return tuple(f"http://127.0.0.1:{port}/scim/v2" for port in self.ports)

    def end(self) -> dict[str, int]:
        """Ask everybody to stop at once; return the exit codes."""
        living = {name: each for name, each in self.hands.items() if each.is_alive}
        for each in living.values():
            each.terminate()
        return {name: each.wait() for name, each in living.items()}

    def kill(self) -> None:
        """Leave nothing behind."""
        for each in self.hands.values():
            if each.is_alive:
                each.wake()
                each.kill()


def hire(home: Path, settings: dict[str, str], *, workers: int, schedulers: int, webs: int) -> Staff:
    """Return the processes of an installation; none is started yet."""
    environment = {**os.environ, **settings, "WEB_CONCURRENCY": "1"}
    ports = tuple(free_port() for _ in range(webs))
    hands = {}
    for number, port in enumerate(ports, start=1):
        words = ("gunicorn", "-c", "config/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", "scim_bridge.wsgi:app")
        hands[f"web {number}"] = Hand(f"web {number}", words, environment, home / f"web-{number}.log")
    for verb, count in (("scheduler", schedulers), ("worker", workers)):
        for number in range(1, count + 1):
            name = f"{verb} {number}"
            hands[name] = Hand(name, ("scim-bridge", verb), environment, home / f"{verb}-{number}.log")
    return Staff(hands, ports)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
