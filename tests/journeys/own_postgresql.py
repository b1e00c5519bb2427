"""A PostgreSQL cluster of a test's own: what is killed and stopped there is nobody else's."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.journeys.bridge import free_port
from tests.machine import require

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")


@contextmanager
def own_postgresql() -> Iterator[str]:
    """Start a server on a port of its own, and yield the URL of its database; it is gone afterwards."""
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
        _run(tools / "pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run(tools / "pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
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
