"""Fixtures for every room: a clean environment, and databases of both kinds that live for one test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest
import structlog
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

import scim_bridge.log
from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from tests.browser import chromium as chromium
from tests.kube.fixtures import kube_server as kube_server
from tests.machine import require

# A time limit an example says more about the machine than about the code.
hypothesis.settings.register_profile("house", deadline=None)
# CI tries the same examples each time: a red run is about the change, and can be repeated.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)

SERVER = os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the developer's own settings out of the tests: nothing may depend on, or reach, a real installation."""
    # A journal of one test may still want to write when its database is gone: that is no line of the next test's.
    assert scim_bridge.log  # it configures when it is imported, and must not do so later
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "house")
    for name in list(os.environ):
        if name.startswith("SCIM_BRIDGE_") or name == "KUBECONFIG":
            del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give all tests against the real kube-apiserver one worker, so that one server is started and not one each."""
    if not config.getoption("loadgroup", False):
        return
    for item in items:
        if item.get_closest_marker("kube"):
            # What the mark xdist_group does, were it not that pytest 9.2 no longer reads what pytest-xdist 3.8 writes.
            item._id = type(item.id).parse(f"{item.nodeid}@kube")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Name a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'bridge.sqlite3'}"


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """Make an empty PostgreSQL database of this test's own, and drop it afterwards."""
    name = _new_name()
    _on_server(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield _url_of(name)
    # FORCE: a test may have killed a process in the middle of its transaction.
    _on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Name an empty database; a test that takes this runs on SQLite and on PostgreSQL."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite database, to be copied by whoever needs one."""
    file = tmp_path_factory.mktemp("migrated") / "bridge.sqlite3"
    _migrate(f"sqlite:///{file}")
    return file


class Lent:
    """One migrated PostgreSQL database that is lent to one test after the other, each time by another name."""

    name: str

    def __init__(self) -> None:
        self._make()
        self._shape = self._tables()

    def lend(self) -> str:
        """Take out every row, and whoever is connected still, and return the URL under the new name."""
        try:
            return self._lend()
        except psycopg.Error:
            # One test's accident is not that of all that come after it.
            self.drop()
            self._make()
            return _url_of(self.name)

    def _lend(self) -> str:
        # A thread or process that a test left behind knows the old name only, and finds nothing there any more.
        before, self.name = self.name, _new_name()
        old, new = sql.Identifier(before), sql.Identifier(self.name)
        _on_server(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(old))
        ends = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}"
        _on_server(sql.SQL(ends).format(sql.Literal(before)))
        _on_server(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, new))
        _on_server(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(new))
        if self._tables() != self._shape:
            # A test took a table away, to see what happens.
            self.drop()
            self._make()
        with self._connect() as connection:
            connection.execute(EMPTY)
        return _url_of(self.name)

    def _make(self) -> None:
        self.name = _new_name()
        _on_server(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))
        _migrate(_url_of(self.name))

    def _tables(self) -> list[tuple[object, ...]]:
        with self._connect() as connection:
            return connection.execute(SHAPE).fetchall()

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(_url_of(self.name).replace("+psycopg", ""), autocommit=True)

    def drop(self) -> None:
        _on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))


SHAPE = """
SELECT relname, relkind, relnatts, relhastriggers, relhasrules FROM pg_class
WHERE relnamespace = 'public'::regnamespace ORDER BY relname
"""

# Dropping a database waits until all that any test has written is on the disk; emptying one does not.
EMPTY = """
DO $$ DECLARE found text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR found IN SELECT tablename FROM pg_tables
      WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'installation') LOOP
    EXECUTE format('DELETE FROM %I', found);
  END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def lent_postgresql() -> Iterator[Lent]:
    """Migrate one PostgreSQL database for all tests of this worker."""
    lent = Lent()
    yield lent
    lent.drop()


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name a migrated database without rows, of either kind: as `database_url`, in a fraction of the time."""
    if request.param == "postgresql":
        lent: Lent = request.getfixturevalue("lent_postgresql")
        return lent.lend()
    copied = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "migrated.sqlite3")
    return f"sqlite:///{copied}"


def _new_name() -> str:
    return f"bridge_test_{uuid4().hex}"


def _migrate(url: str) -> None:
    database = Database(url)
    migrations.upgrade(database)
    database.dispose()


def _on_server(statement: sql.Composed) -> None:
    try:
        with psycopg.connect(SERVER, autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement)
    except psycopg.OperationalError:
        require("PostgreSQL", f"start one that lets {_place()} in, or name another in TEST_POSTGRESQL_URL")


def _place() -> str:
    parts = conninfo_to_dict(SERVER)
    return f"{parts.get('user')} at {parts.get('host')}:{parts.get('port', 5432)}"


def _url_of(name: str) -> str:
    before, _, query = SERVER.partition("?")
    host = before.rpartition("/")[0].partition("://")[2]
    return f"postgresql+psycopg://{host}/{name}" + (f"?{query}" if query else "")
