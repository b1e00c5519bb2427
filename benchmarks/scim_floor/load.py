"""
The load: a process of its own, one thread, one selector, raw sockets; it must never be what is measured.

Each connection follows a script: a generator that yields requests and is sent the answers.
"""

import multiprocessing
import random
import selectors
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

CONNECTIONS = 8
WARM_UP_SECONDS = 0.25
MOST_ATTEMPTS = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes


Script = Generator[bytes, Answer, None]


@dataclass(frozen=True, slots=True)
class Job:
    """``script`` is called with the connection's number and a source of chance, in the load's process."""

    port: int
    workers: list[int]
    seconds: float
    script: Callable[[int, random.Random], Script]
    seed: int = 0


@dataclass(slots=True)
class Result:
    """What was answered, and the error that ended the run early."""

    count: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    error: str | None = None

    @property
    def rate(self) -> float:
        """Return the answers in a second."""
        return self.count / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return the milliseconds that this share of the answers took at most."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else 0.0


class Load:
    """The load's process, given one job after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()

    def run(self, job: Job) -> Result:
        """Load a server for some seconds; raises SystemExit when it answers with an error."""
        self._pipe.send(job)
        result = self._pipe.recv()
        if not isinstance(result, Result) or result.error:
            raise SystemExit(f"the load on port {job.port} ended: {getattr(result, 'error', result)}")
        return result

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()


class _Wire:
    """One keep-alive connection and its script."""

    def __init__(self, connection: socket.socket, script: Script) -> None:
        self.socket = connection
        self._script = script
        self._received = bytearray()
        self._needed = 0
        self._head = 0
        self.sent_at = 0.0

    def begin(self) -> None:
        """Send the first request."""
        self._send(next(self._script))

    def go_on(self, answer: Answer) -> None:
        """Send the next request."""
        self._send(self._script.send(answer))

    def receive(self) -> Answer | None:
        """Read what there is, and return the answer once it is whole."""
        part = self.socket.recv(262_144)
        if not part:
            raise ConnectionError("the server closed the connection")
        self._received += part
        if not self._head:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return None
            self._head = end + 4
            self._needed = self._head + _length(bytes(self._received[:end]))
        if len(self._received) < self._needed:
            return None
        answer = Answer(int(self._received[9:12]), bytes(self._received[self._head : self._needed]))
        self._received.clear()
        self._head = 0
        return answer

    def _send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    if at < 0:
        return 0
    return int(head[at + 15 :].split(b"\r\n", 1)[0])


def _serve(pipe: Connection) -> None:
    while (job := pipe.recv()) is not None:
        try:
            pipe.send(_run(job))
        except (OSError, RuntimeError, StopIteration) as error:
            pipe.send(Result(error=repr(error)))


def _run(job: Job) -> Result:
    wires = [
        _Wire(each, job.script(number, random.Random(f"{job.seed}-{number}")))
        for number, each in enumerate(_connect(job))
    ]
    result = Result()
    with selectors.DefaultSelector() as selector:
        for wire in wires:
            selector.register(wire.socket, selectors.EVENT_READ, wire)
            wire.begin()
        begin = time.perf_counter() + WARM_UP_SECONDS
        end = begin + job.seconds
        now = 0.0
        waiting = len(wires)
        while waiting:
            for key, _ in selector.select(30) or _silent():
                wire = key.data
                answer = wire.receive()
                if answer is None:
                    continue
                now = time.perf_counter()
                if answer.status >= 400:
                    raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
                if begin <= now < end:
                    result.count += 1
                    result.latencies.append(now - wire.sent_at)
                if now < end:
                    wire.go_on(answer)
                else:
                    # The last answers are waited for, so that the next run finds an idle server.
                    waiting -= 1
                    selector.unregister(wire.socket)
                    wire.socket.close()
    result.seconds = job.seconds
    return result


def _silent() -> list[tuple[selectors.SelectorKey, int]]:
    raise RuntimeError("no answer for 30 s")


def _connect(job: Job) -> list[socket.socket]:
    """Open the connections, as many to each worker: which of them accepts is chance, and would be in every figure."""
    share = CONNECTIONS // len(job.workers)
    kept: dict[int, list[socket.socket]] = {pid: [] for pid in job.workers}
    for _ in range(MOST_ATTEMPTS):
        if all(len(each) == share for each in kept.values()):
            break
        connection = socket.create_connection(("127.0.0.1", job.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        owner = _owner(connection, job)
        if owner is None or len(kept[owner]) >= share:
            connection.close()
        else:
            kept[owner].append(connection)
    found = [each for connections in zip(*kept.values(), strict=True) for each in connections]
    if len(found) < CONNECTIONS:
        raise RuntimeError("a worker accepts no connections")
    return found


def _owner(connection: socket.socket, job: Job) -> int | None:
    ours = connection.getsockname()[1]
    for _ in range(200):
        inode = _inode(job.port, ours)
        for pid in job.workers if inode else ():
            for each in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if str(each.readlink()) == f"socket:[{inode}]":
                        return pid
                except OSError:
                    continue
        time.sleep(0.002)
    return None


def _inode(local: int, remote: int) -> str | None:
    wanted = f":{local:04X}", f":{remote:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(wanted[0]) and fields[2].endswith(wanted[1]):
            return fields[9] if fields[9] != "0" else None
    return None
