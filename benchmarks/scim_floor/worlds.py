"""What is measured: organizations of a known size, written into the tables in bulk, and the floor's own copy."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import psycopg
from psycopg import sql
from pydantic import SecretStr

from benchmarks.scim_floor import databases, documents
from scim_bridge.app import open_runtime, upgrade_database
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.keys import fold
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import directories, organizations
from scim_bridge.scim.attributes import USER
from scim_bridge.scim.documents import read_document
from scim_bridge.settings import Settings
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.users import canonical, extensions

SERVER = os.environ.get("BENCH_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
# People in no group: those who are added to one and removed again.
SPARE = 400
SMALL_GROUPS = 40
ACTOR = Actor(ActorKind.CLI, "benchmark")
PLACEHOLDER = "8675309"


@dataclass(frozen=True, slots=True)
class Sample:
    """What the load has to know of one side: names and ids of what is there."""

    token: str
    people: tuple[str, ...]
    spare: tuple[str, ...]
    groups: dict[int, str]
    small_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """One database with its sample; ``url`` as the bridge, or the floor, wants it."""

    url: str
    sample: Sample


@contextmanager
def databases_in(kind: str, folder: Path, count: int) -> Iterator[list[str]]:
    """Make so many empty databases of a kind, and take them away at the end."""
    if kind == "sqlite":
        yield [f"sqlite:///{folder / f'bench{number}.sqlite3'}" for number in range(count)]
        return
    names = [f"bridge_bench_{uuid4().hex[:12]}" for _ in range(count)]
    with psycopg.connect(SERVER, autocommit=True, connect_timeout=5) as connection:
        for name in names:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield [SERVER.rpartition("/")[0] + f"/{name}" for name in names]
        finally:
            for name in names:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def seed_bridge(url: str, home: Path, people: int, sizes: Sequence[int]) -> World:
    """Install the bridge on a database, with so many people and groups of these sizes."""
    settings = Settings(home=home, database_url=SecretStr(url))
    upgrade_database(settings)
    runtime = open_runtime(settings)
    try:
        owner = organizations.create(runtime.database, ACTOR, "bench")
        made = directories.create(runtime.database, ACTOR, "bench", "entra", DirectoryKind.ENTRA)
    finally:
        runtime.database.dispose()
    assert made.token is not None
    seeding = _Seeding(owner.id, made.directory.id, people, sizes)
    with _writing(url) as write:
        for table, rows in seeding.tables():
            write(table, rows)
    return World(url, seeding.sample(made.token.text))


def seed_floor(url: str, people: int, sizes: Sequence[int]) -> World:
    """Fill the floor's own tables with as much."""
    place = url.removeprefix("sqlite:///")
    ids = [str(uuid4()) for _ in range(people + SPARE)]
    teams = [(str(uuid4()), ids[:size]) for size in (*sizes, *[10] * SMALL_GROUPS)]
    rows = (
        (each, documents.user_name(number), True, 1, orjson.dumps({"id": each, **documents.user(number)}).decode())
        for number, each in enumerate(ids)
    )
    databases.fill(place, rows, teams)
    groups = {size: team for size, (team, _) in zip(sizes, teams, strict=False)}
    small = tuple(team for team, _ in teams[len(sizes) :])
    return World(place, Sample("none", tuple(ids[:people]), tuple(ids[people:]), groups, small))


class _Seeding:
    """The rows of an organization."""

    def __init__(self, organization: str, directory: str, people: int, sizes: Sequence[int]) -> None:
        self._own = {"organization_id": organization, "directory_id": directory}
        self._of = {"organization_id": organization}
        self._at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._people = people
        self._users = [new_id() for _ in range(people + SPARE)]
        self._members = [new_id() for _ in self._users]
        self._sizes = [*sizes, *[10] * SMALL_GROUPS]
        self._groups = [new_id() for _ in self._sizes]
        self._exact = len(sizes)

    def sample(self, token: str) -> Sample:
        """Return what the load has to know."""
        groups = dict(zip(self._sizes[: self._exact], self._groups, strict=False))
        people, spare = self._users[: self._people], self._users[self._people :]
        return Sample(token, tuple(people), tuple(spare), groups, tuple(self._groups[self._exact :]))

    def tables(self) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
        """Return the rows of each table, in the order in which they refer to each other."""
        yield "member", self._member_rows()
        yield "fact", self._fact_rows()
        yield "scim_user", self._user_rows()
        yield "user_group", self._group_rows()
        yield "membership", self._membership_rows()

    def _names(self, number: int) -> dict[str, Any]:
        name = documents.user_name(number)
        return {
            "user_name": name,
            "email_key": fold(name),
            "external_id": f"external-{number}",
            "display_name": f"Ada Person {number}",
        }

    def _member_rows(self) -> Iterator[dict[str, Any]]:
        for number, each in enumerate(self._members):
            names = self._names(number)
            state = {"state": "active", "source": "scim", "created_at": self._at, "email": names["user_name"]}
            yield {"id": each, **self._own, **names, **state}

    def _fact_rows(self) -> Iterator[dict[str, Any]]:
        for each in self._members:
            fact = {"noun": "member", "object_id": each, "attribute": "state", "value": "active"}
            yield {"id": new_id(), **self._of, **fact, "valid_from": self._at}

    def _user_rows(self) -> Iterator[dict[str, Any]]:
        document = read_document(documents.user(PLACEHOLDER), USER)
        text, named = canonical(document), orjson.dumps(extensions(document)).decode()
        for number, (each, member) in enumerate(zip(self._users, self._members, strict=True)):
            names = self._names(number)
            stored = {"document": text.replace(PLACEHOLDER, str(number)), "active": True, "version": 1}
            stored |= {"extensions": named}
            times = {"created_at": self._at, "updated_at": self._at}
            own = {"member_id": member, "user_name_key": fold(names["user_name"])}
            yield {"id": each, **self._own, **names, **own, **stored, **times}

    def _group_rows(self) -> Iterator[dict[str, Any]]:
        for number, each in enumerate(self._groups):
            name = f"Team {number}"
            named = {"display_name": name, "display_name_key": fold(name), "external_id": f"team-{number}"}
            stored = {"document": canonical({"displayName": name, "externalId": f"team-{number}"}), "version": 1}
            yield {"id": each, **self._own, **named, **stored, "created_at": self._at, "updated_at": self._at}

    def _membership_rows(self) -> Iterator[dict[str, Any]]:
        for group, size in zip(self._groups, self._sizes, strict=True):
            for user, member in zip(self._users[:size], self._members, strict=False):
                named = {"group_id": group, "member_id": member, "scim_user_id": user}
                yield {"id": new_id(), **self._of, **named, "origin": "scim", "held": False, "valid_from": self._at}


@contextmanager
def _writing(url: str) -> Iterator[Any]:
    """Open a database for rows in bulk: a function of a table's name and its rows."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        yield lambda table, rows: _insert(file, table, rows)
        file.commit()
        file.close()
        return
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        yield lambda table, rows: _copy(cursor, table, rows)
        cursor.execute("ANALYZE")


def _insert(file: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    first, every = _peek(rows)
    names, marks = ", ".join(first), ", ".join("?" * len(first))
    file.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", (tuple(each.values()) for each in every))


def _copy(cursor: "psycopg.Cursor[Any]", table: str, rows: Iterable[dict[str, Any]]) -> None:
    first, every = _peek(rows)
    columns = sql.SQL(", ").join(map(sql.Identifier, first))
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)) as copy:
        for each in every:
            copy.write_row(tuple(each.values()))


def _peek(rows: Iterable[dict[str, Any]]) -> tuple[list[str], Iterator[dict[str, Any]]]:
    each = iter(rows)
    first = next(each)

    def every() -> Iterator[dict[str, Any]]:
        yield first
        yield from each

    return list(first), every()
