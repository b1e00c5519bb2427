"""Consoles for tests: a new one on each kind of database, one that all sweeps share, and one for a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from tests.console.browsing import Visitor
from tests.console.world import Console, open_console

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def console(migrated_url: str, tmp_path: Path) -> Iterator[Console]:
    """Open the application on SQLite, and on PostgreSQL."""
    with open_console(migrated_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def full_console(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Open one application, with something of everything, for all tests that change nothing that others look at."""
    folder = tmp_path_factory.mktemp("console")
    copied = shutil.copy(migrated_sqlite, folder / "bridge.sqlite3")
    with open_console(f"sqlite:///{copied}", folder) as opened:
        opened.fill()
        yield opened


@pytest.fixture(scope="session")
def served_console(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Serve such an application over HTTP, for a real browser."""
    folder = tmp_path_factory.mktemp("served")
    copied = shutil.copy(migrated_sqlite, folder / "bridge.sqlite3")
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    with open_console(f"sqlite:///{copied}", folder, base_url=url) as opened:
        # Its pages are pictures of the documentation.
        opened.fill(hostile="Mallory Quinn")
        server.app = opened.app
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield opened
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def owner_page(served_console: Console, chromium: "Browser") -> Iterator[Visitor]:
    """Sign acme's owner in, by the form, once for all tests that only look."""
    person = served_console.person("olga")
    visitor = Visitor(served_console, chromium.new_context(reduced_motion="reduce"))
    visitor.sign_in(person.email, served_console.password_of(person))
    yield visitor
    visitor.close()
