"""
What this process counts of its requests, and what all web processes of one gunicorn counted together.

With several processes each writes its numbers to files in PROMETHEUS_MULTIPROC_DIR (`config/gunicorn.conf.py` makes
one for each start), and whichever is asked adds them up.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
ENDED = "ended"
METHODS = frozenset({"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"})
DOORS = (
    ("/scim/v2", "scim"),
    ("/api/v1", "api"),
    ("/healthz", "health"),
    ("/readyz", "health"),
    ("/metrics", "health"),
)
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OWN = CollectorRegistry()
REQUESTS = Counter("scim_bridge_requests", "Requests that were answered.", ("door", "method", "status"), registry=OWN)
SECONDS = Histogram("scim_bridge_request_seconds", "How long answers took.", ("door",), buckets=BOUNDS, registry=OWN)


class Metered:
    """Counts every request that goes through to the application, and how long it took."""

    def __init__(self, beyond: "WSGIApplication") -> None:
        self._beyond = beyond

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        began = perf_counter()
        seen = ["500"]

        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            seen[0] = status[:3]
            return start_response(status, headers, *rest)  # type: ignore[arg-type]

        try:
            return self._beyond(environ, start)  # type: ignore[arg-type]
        finally:
            door = door_of(environ.get("PATH_INFO", ""))
            method = environ.get("REQUEST_METHOD", "")
            REQUESTS.labels(door, method if method in METHODS else "other", seen[0]).inc()
            SECONDS.labels(door).observe(perf_counter() - began)


def door_of(path: str) -> str:
    """Return which door an address belongs to; an address that anybody invents has no name of its own."""
    return next((door for prefix, door in DOORS if path == prefix or path.startswith(f"{prefix}/")), "pages")


@contextmanager
def request_numbers() -> Iterator[CollectorRegistry]:
    """Lend what is counted of requests: by all processes where there are several, else by this one."""
    folder = os.environ.get(FOLDER)
    if not folder:
        yield OWN
        return
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    with _locked(Path(folder), fcntl.LOCK_SH):
        yield registry


def forget_process(pid: int) -> None:
    """
    Add what a process counted that has ended to that of all that ended before, and take its files away.

    Workers are renewed again and again: without this there would be more files for ever.
    """
    folder = Path(os.environ[FOLDER])
    with _locked(folder, fcntl.LOCK_EX):
        for kind in ("counter", "histogram"):
            left = folder / f"{kind}_{pid}.db"
            if left.is_file():
                _add(folder / f"{kind}_{ENDED}.db", left)
                left.unlink()


def _add(total: Path, part: Path) -> None:
    files: Any = MmapedDict
    sums = files(str(total))
    for key, value, at, _ in files.read_all_values_from_file(str(part)):
        before, _ = sums.read_value(key)
        sums.write_value(key, before + value, at)
    sums.close()


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    # Who reads while numbers move from one file to another would count them twice, or not at all.
    with (folder / "lock").open("a") as stream:
        fcntl.flock(stream, how)
        yield
