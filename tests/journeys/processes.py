"""Processes of the bridge as the Procfile starts them, and clusters of manifests that can hang."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from typing import IO

import sqlalchemy as sa
import yaml

from scim_bridge.clusters.manifests import prepare_folder
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.schema import lease
from scim_bridge.sync.turns import pass_lease
from tests.sync.clockwork import PATIENCE, add_cluster
from tests.sync.worlds import World, make_world

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Process:
    """One process and what it said so far."""

    process: "subprocess.Popen[str]"
    lines: "Queue[str]" = field(default_factory=Queue)
    said: list[str] = field(default_factory=list)

    def hear(self, words: str, seconds: float = PATIENCE * 3) -> str:
        """Wait for a line with these words; whatever was said before is passed over."""
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except Empty:
                raise AssertionError(f"{words!r} was never said; what was: {''.join(self.said)}") from None
            self.said.append(line)
            if words in line:
                return line

    def terminate(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE * 3)

    def kill(self) -> None:
        """Take it away in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def started(*words: str, home: Path, url: str, **settings: str) -> Iterator[Process]:
    """Start a program of the bridge's environment; at the end it is killed if it still lives."""
    program = Path(sys.executable).with_name(words[0])
    own = {"SCIM_BRIDGE_HOME": str(home), "SCIM_BRIDGE_DATABASE_URL": url}
    made = Process(
        subprocess.Popen(
            [str(program), *words[1:]],
            env={**os.environ, **own, **{f"SCIM_BRIDGE_{name.upper()}": value for name, value in settings.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
    )
    assert made.process.stdout is not None
    threading.Thread(target=_read, args=(made.process.stdout, made.lines), daemon=True).start()
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.kill()
        made.process.stdout.close()


def _read(stream: IO[str], lines: "Queue[str]") -> None:
    try:
        for line in stream:
            lines.put(line)
    except ValueError:
        # The test closed it.
        return


def living_world(url: str) -> World:
    """Make an organization whose rows are of today, as other processes will see them."""
    database = Database(url)
    migrations.upgrade(database)
    made = make_world(database)
    made.at = datetime.now(UTC)
    return made


def add_folder(world: World, name: str, folder: Path) -> ClusterId:
    """Register a folder of manifests as a cluster."""
    made = add_cluster(world, name, str(folder))
    prepare_folder(folder, made)
    return made


def subjects(folder: Path) -> set[str]:
    """Return everybody who is in a manifest of the folder."""
    found: set[str] = set()
    for file in folder.glob("_cluster/*.yaml"):
        if file.is_file():
            found |= {each["name"] for each in (yaml.safe_load(file.read_text()) or {}).get("subjects", [])}
    return found


def make_hang(world: World, folder: Path) -> Path:
    """Put a file there that never answers a read, as the disk of a dead server; whoever reads it waits for ever."""
    with world.database.read() as connection:
        instance = instance_id(connection)
    (folder / "_cluster").mkdir(exist_ok=True)
    made = folder / "_cluster" / f"scimb-{instance[:12]}-hangs.yaml"
    os.mkfifo(made)
    return made


def holder_of_pass(world: World, cluster_id: ClusterId) -> int | None:
    """Return the id of the process that works on a cluster now."""
    query = sa.select(lease.c.holder).where(lease.c.name == pass_lease(cluster_id), lease.c.until > datetime.now(UTC))
    with world.database.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    return None if found is None else int(found.split(":")[1])
