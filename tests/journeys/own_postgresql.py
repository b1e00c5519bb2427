"""A PostgreSQL cluster of a test's own: what is killed and stopped there is nobody else's."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.bridge import free_port
from tests.machine import require

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")


@dataclass(frozen=True)
class OwnServer:
    """A server of one's own: ``url`` names its database, and it may be restarted at any moment."""

    url: str
    _control: Callable[..., None]

    def restart(self) -> None:
        """Break off every connection, as a power cut would, and start again."""
        self._control("-m", "immediate", "restart")


@contextmanager
def own_postgresql() -> Iterator[str]:
    """Start a server on a port of its own, and yield the URL of its database; it is gone afterwards."""
    with own_server() as server:
        yield server.url


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Start a server on a port of its own; it is gone afterwards."""
    tools = _find_tools()
    port = free_port()
    # Not below a test's folder: the server's own user could not get in there.
    folder = Path(tempfile.mkdtemp(prefix="own-postgresql-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        _run(tools / "initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"

        def control(*words: str) -> None:
            _run(tools / "pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", *words)

        control("start")
        try:
            yield OwnServer(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres", control)
        finally:
            control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_tools() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    for pattern in PLACES:
        for place in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (place / "initdb").exists():
                return place
    return require("PostgreSQL's initdb and pg_ctl", "install the server's package, or put them on the PATH")


def _run(*words: str | Path) -> None:
    # PostgreSQL refuses to run as root.
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", timeout=120, **user
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
