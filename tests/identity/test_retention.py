"""What ended long ago goes, what is open or younger stays, and every table that grows has its end."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from scim_bridge.identity.retention import forget_ended
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import alert, change_row, metadata, removal_request
from tests.cli.bridge import Bridge
from tests.house.source import ROOT
from tests.scim.doors import World, open_world

DAY = timedelta(days=1)


@pytest.mark.parametrize("days", [30, 400])
def test_what_is_over_goes_after_its_days_and_nothing_else(migrated_url: str, tmp_path: Path, days: int) -> None:
    with open_world(migrated_url, tmp_path) as world:
        _let_somebody_leave(world, tmp_path)
        _end(world, "provisioning_log")
        before = _counts(world)

        gone = forget_ended(world.database, days, datetime.now(UTC) + 100 * DAY)

        after = _counts(world)
    assert min(before.values()) > 0
    assert after == (dict.fromkeys(before, 0) if days == 30 else before)
    assert gone == (sum(before.values()) if days == 30 else 0)


def test_what_is_open_or_not_taken_up_stays_however_old_it_is(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path) as world:
        world.connect("acme", "okta").create_user("ada@acme.example")
        before = _counts(world)

        gone = forget_ended(world.database, 30, datetime.now(UTC) + 1000 * DAY)

        assert (gone, _counts(world)) == (0, before)


def test_an_alert_goes_once_it_is_over_for_that_long(migrated_url: str, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    with open_world(migrated_url, tmp_path) as world:
        world.connect("acme", "okta")
        [owner] = world.rows("organization")
        row = {"organization_id": owner["id"], "kind": "drift", "subject": "prod", "message": "drift", "seen_at": at}
        with world.database.write() as connection:
            for about, closed in (("open", None), ("over", at)):
                connection.execute(sa.insert(alert).values(id=new_id(), about=about, closed_at=closed, **row))

        gone = forget_ended(world.database, 30, at + 31 * DAY)

        assert (gone, [each["about"] for each in world.rows("alert")]) == (1, ["open"])


def _let_somebody_leave(world: World, folder: Path) -> None:
    url = world.settings.resolved_database_url
    bridge = Bridge({"SCIM_BRIDGE_DATABASE_URL": url, "SCIM_BRIDGE_HOME": str(folder)})
    okta = world.connect("acme", "okta")
    place = ["--manifests", str(folder / "prod"), "--approve-first-plan"]
    bridge.json("cluster", "add", "--name", "prod", *place)
    user = okta.create_user("ada@acme.example")
    words = ["--person", "ada@acme.example", "--scope", "organization", "--kubernetes-role", "view"]
    bridge.json("grant", "add", *words)
    bridge.json("sync", "run")
    okta.patch(f"/Users/{user}", {"op": "replace", "path": "active", "value": False})
    bridge.json("sync", "run")
    bridge.json("invitation", "create", "bob@acme.example")
    bridge.json("invitation", "revoke", "bob@acme.example")
    _end(world, "change_row")


def _end(world: World, table: str) -> None:
    """Let every change be taken up, or the log be purged, as the scheduler does it."""
    with world.database.write() as connection:
        if table == "change_row":
            connection.execute(sa.update(change_row).values(dispatched_at=change_row.c.created_at))
            connection.execute(sa.update(removal_request).values(closed_at=removal_request.c.requested_at))
        else:
            connection.execute(sa.delete(metadata.tables[table]))


def _counts(world: World) -> dict[str, int]:
    names = ("removal_request", "change_row", "mail")
    return {name: len(world.rows(name)) for name in names}


def test_the_handbook_says_of_every_table_how_long_its_rows_are_kept() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    part = text.partition("## How long things are kept")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)`", part))

    assert set(metadata.tables) - named == set()
