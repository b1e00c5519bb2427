"""The release before works on the tables of the next one, so that an upgrade needs no pause."""

import io
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.store.installation import SERVES_FROM, put_fact
from scim_bridge.store.schema import metadata
from tests.house.source import ROOT

NEXT = "9999"
RELEASED = re.compile(r"^## \[(\d+\.\d+\.\d+)\]", re.MULTILINE)
# What a day with the release before is made of; each is a process of its code.
DAY = (
    ("organization", "create", "acme", "--owner", "ana@acme.example"),
    ("unit", "create", "prod"),
    ("directory", "create", "--kind", "okta", "--name", "okta"),
    ("grant", "add", "--person", "ana@acme.example", "--scope", "unit:prod", "--kubernetes-role", "edit"),
    ("access", "explain", "ana@acme.example"),
)


def code_of_the_release_before(folder: Path) -> Path:
    """Return where the code of the last release lies, this code while nothing is released."""
    released = RELEASED.findall((ROOT / "CHANGELOG.md").read_text())
    if not released:
        return ROOT
    made = subprocess.run(["git", "archive", f"v{released[0]}"], cwd=ROOT, capture_output=True)
    assert made.returncode == 0, f"the tag v{released[0]} is needed: {made.stderr.decode()}"
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def expand(database: Database, serves_from: str) -> None:
    """Make of the tables what the next release may: a column more in each, a table and an index."""
    # What the last release reads by name must be there; what it does not know must not disturb it.
    with database.write() as connection:
        for table in metadata.sorted_tables:
            added = "ADD COLUMN of_the_next_release VARCHAR(8) DEFAULT ''"
            connection.execute(sa.text(f'ALTER TABLE "{table.name}" {added}'))
        connection.execute(sa.text("CREATE TABLE of_the_next_release (id VARCHAR(36) PRIMARY KEY)"))
        connection.execute(sa.text("CREATE INDEX ix_of_the_next_release ON member (of_the_next_release)"))
        revision = sa.table("alembic_version", sa.column("version_num"))
        connection.execute(sa.update(revision).values(version_num=NEXT))
        put_fact(connection, SERVES_FROM, serves_from)


@pytest.fixture
def upgraded(database_url: str) -> Database:
    database = Database(database_url)
    migrations.upgrade(database)
    return database


def run(code: Path, database: Database, home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    url = database.url.render_as_string(hide_password=False)
    own = {"SCIM_BRIDGE_DATABASE_URL": url, "SCIM_BRIDGE_HOME": str(home), "PYTHONPATH": str(code)}
    script = [sys.executable, "-m", "scim_bridge", *words]
    return subprocess.run(script, cwd=home, env=os.environ | own, capture_output=True, text=True, timeout=120)


def test_the_release_before_goes_on_working_on_tables_that_were_only_added_to(
    upgraded: Database, tmp_path: Path
) -> None:
    code = code_of_the_release_before(tmp_path / "before")
    expand(upgraded, migrations.OLDEST_SERVED)

    done = [run(code, upgraded, tmp_path, *words) for words in (("db", "check"), *DAY)]
    upgraded.dispose()

    assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * len(done)


def test_tables_that_it_cannot_work_on_are_refused_by_the_release_before(upgraded: Database, tmp_path: Path) -> None:
    expand(upgraded, NEXT)

    refused = run(ROOT, upgraded, tmp_path, "db", "check")
    upgraded.dispose()

    assert refused.returncode == 7
    assert "from a newer release" in refused.stderr


def test_this_release_says_from_which_one_on_its_tables_serve() -> None:
    assert migrations.head() >= migrations.OLDEST_SERVED
