"""The floor's SQL: the least that each operation can be, by hand, on each database."""

import sqlite3
import threading
from collections.abc import Iterable
from typing import Any, Protocol

import psycopg

SCHEMA = (
    "CREATE TABLE person (id text PRIMARY KEY, user_name text UNIQUE, active boolean, version int, document text)",
    "CREATE TABLE team (id text PRIMARY KEY, version int)",
    "CREATE TABLE membership (team_id text, person_id text, PRIMARY KEY (team_id, person_id))",
)
ADDRESS = "http://127.0.0.1:8080/scim/v2/Users/"
ENTRY = f"""'{{"value":"' || person_id || '","$ref":"{ADDRESS}' || person_id || '","type":"User"}}'"""
JOIN = "INSERT INTO membership VALUES ({0}, {0}) ON CONFLICT DO NOTHING"


class Floor(Protocol):
    """The operations of the floor."""

    def user(self, user_id: str) -> bytes: ...
    def by_user_name(self, name: str) -> list[bytes]: ...
    def page(self, offset: int, count: int) -> list[bytes]: ...
    def create_user(self, user_id: str, name: str, document: bytes) -> None: ...
    def change_user(self, user_id: str, *, active: bool) -> bytes: ...
    def add_member(self, team_id: str, person_id: str) -> None: ...
    def remove_member(self, team_id: str, person_id: str) -> None: ...
    def members(self, team_id: str) -> bytes: ...


def open_floor(place: str) -> Floor:
    """Return the floor on a database that is there already."""
    return PostgresqlFloor(place) if place.startswith("postgresql") else SqliteFloor(place)


def fill(place: str, people: Iterable[tuple[Any, ...]], teams: Iterable[tuple[str, list[str]]]) -> None:
    """Make the tables, with people (id, userName, active, version, document) and teams (id, ids of members)."""
    rows = {
        "person": list(people),
        "team": [(team, 1) for team, _ in teams],
        "membership": [(team, each) for team, members in teams for each in members],
    }
    if place.startswith("postgresql"):
        with psycopg.connect(place) as connection, connection.cursor() as cursor:
            for statement in SCHEMA:
                cursor.execute(statement)
            for table, values in rows.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
            cursor.execute("ANALYZE")
        return
    file = _connect_sqlite(place)
    file.execute("BEGIN")
    for statement in SCHEMA:
        file.execute(statement)
    for table, values in rows.items():
        if values:
            marks = ",".join("?" * len(values[0]))
            file.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
    file.execute("COMMIT")
    file.close()


def _connect_sqlite(place: str) -> sqlite3.Connection:
    connection = sqlite3.connect(place, isolation_level=None, timeout=15, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class SqliteFloor:
    """SQLite by its own driver: a connection a thread, and a commit is on the disk before it is answered."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._threads = threading.local()
        # A writer that finds another in the way sleeps (SQLite's busy handler): the floor does not do that to itself.
        self._writer = threading.Lock()

    @property
    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if found is None:
            found = self._threads.connection = _connect_sqlite(self._place)
        return found

    def user(self, user_id: str) -> bytes:
        found = self._connection.execute("SELECT document FROM person WHERE id = ?", (user_id,)).fetchone()
        return str(found[0]).encode()

    def by_user_name(self, name: str) -> list[bytes]:
        found = self._connection.execute("SELECT document FROM person WHERE user_name = ?", (name,))
        return [text.encode() for (text,) in found]

    def page(self, offset: int, count: int) -> list[bytes]:
        query = "SELECT document FROM person ORDER BY id LIMIT ? OFFSET ?"
        return [text.encode() for (text,) in self._connection.execute(query, (count, offset))]

    def create_user(self, user_id: str, name: str, document: bytes) -> None:
        with self._writer:
            self._connection.execute("INSERT INTO person VALUES (?, ?, true, 1, ?)", (user_id, name, document.decode()))

    def change_user(self, user_id: str, *, active: bool) -> bytes:
        query = "UPDATE person SET active = ?, version = version + 1 WHERE id = ? RETURNING document"
        with self._writer:
            return str(self._connection.execute(query, (active, user_id)).fetchone()[0]).encode()

    def add_member(self, team_id: str, person_id: str) -> None:
        self._change_team(team_id, JOIN.format("?"), (team_id, person_id))

    def remove_member(self, team_id: str, person_id: str) -> None:
        self._change_team(team_id, "DELETE FROM membership WHERE team_id = ? AND person_id = ?", (team_id, person_id))

    def members(self, team_id: str) -> bytes:
        query = f"SELECT group_concat({ENTRY}, ',') FROM membership WHERE team_id = ?"
        return str(self._connection.execute(query, (team_id,)).fetchone()[0]).encode()

    def _change_team(self, team_id: str, statement: str, values: tuple[str, str]) -> None:
        with self._writer:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(statement, values)
            self._connection.execute("UPDATE team SET version = version + 1 WHERE id = ?", (team_id,))
            self._connection.execute("COMMIT")


class PostgresqlFloor:
    """PostgreSQL by psycopg: a connection a thread, prepared statements, one round trip where one is enough."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._threads = threading.local()

    @property
    def _connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        found: psycopg.Connection[tuple[Any, ...]] | None = getattr(self._threads, "connection", None)
        if found is None:
            found = self._threads.connection = psycopg.connect(self._place, autocommit=True, prepare_threshold=0)
        return found

    def user(self, user_id: str) -> bytes:
        found = self._connection.execute("SELECT document FROM person WHERE id = %s", (user_id,)).fetchone()
        return str(found[0] if found else "").encode()

    def by_user_name(self, name: str) -> list[bytes]:
        found = self._connection.execute("SELECT document FROM person WHERE user_name = %s", (name,))
        return [text.encode() for (text,) in found]

    def page(self, offset: int, count: int) -> list[bytes]:
        query = "SELECT document FROM person ORDER BY id LIMIT %s OFFSET %s"
        return [text.encode() for (text,) in self._connection.execute(query, (count, offset))]

    def create_user(self, user_id: str, name: str, document: bytes) -> None:
        values = (user_id, name, document.decode())
        self._connection.execute("INSERT INTO person VALUES (%s, %s, true, 1, %s)", values)

    def change_user(self, user_id: str, *, active: bool) -> bytes:
        query = "UPDATE person SET active = %s, version = version + 1 WHERE id = %s RETURNING document"
        found = self._connection.execute(query, (active, user_id)).fetchone()
        return str(found[0] if found else "").encode()

    def add_member(self, team_id: str, person_id: str) -> None:
        self._change_team(team_id, JOIN.format("%s"), (team_id, person_id))

    def remove_member(self, team_id: str, person_id: str) -> None:
        query = "DELETE FROM membership WHERE team_id = %s AND person_id = %s"
        self._change_team(team_id, query, (team_id, person_id))

    def members(self, team_id: str) -> bytes:
        query = f"SELECT string_agg({ENTRY}, ',') FROM membership WHERE team_id = %s"
        found = self._connection.execute(query, (team_id,)).fetchone()
        return str(found[0] if found else "").encode()

    def _change_team(self, team_id: str, statement: str, values: tuple[str, str]) -> None:
        connection = self._connection
        with connection.transaction():
            connection.execute(statement, values)
            connection.execute("UPDATE team SET version = version + 1 WHERE id = %s", (team_id,))
