"""A trial grants nothing while it lasts, and leaves nothing but its audit behind."""

from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryKind, DirectoryState
from scim_bridge.domain.provisioning import MemberChange
from scim_bridge.errors import NotFound
from scim_bridge.identity.callers import authenticate
from scim_bridge.identity.trials import trial_directory
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.provider import Provider, rows

KEPT = {"audit_entry", "change_row", "organization", "installation", "alembic_version"}


def _everything(database: Database) -> dict[str, list[Any]]:
    with database.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in schema.metadata.sorted_tables
            if table.name not in KEPT
        }


def _live(database: Database, token: str) -> None:
    """Let people come, change, and go through a directory."""
    with database.read() as connection:
        provider = Provider(database, authenticate(connection, token), token)
    ada, bob = provider.post("ada@doctor.invalid"), provider.post("bob@doctor.invalid")
    group = provider.post_group("team", ada.id, "not-there-yet")
    parent = provider.post_group("parent", group.id)
    provider.change(group.id, MemberChange(add={bob.id: None}))
    provider.replace(group.id, [ada.id])
    provider.patch(bob.id, active=False)
    provider.delete(ada.id)
    provider.delete_group(parent.id)
    provider.exchange("GET", 404).log_alone(database, provider.exchange("GET", 404).entry(404))


def test_everything_that_a_trial_brought_goes_with_it(database: Database, actor: Actor) -> None:
    real = Provider.connect(database)
    real.post_group("team", real.post("ada@acme.example").id)
    before = _everything(database)

    with trial_directory(database, actor, "acme", "okta") as trial:
        assert (trial.directory.state, trial.directory.kind) == (DirectoryState.PENDING, DirectoryKind.OKTA)
        _live(database, trial.token)
        during = _everything(database)

    assert _everything(database) == before
    assert len(during["member"]) == len(before["member"]) + 2
    audit = [row["action"] for row in rows(database, "audit_entry", object_id=trial.directory.id)]
    assert audit == ["directory.tried", "directory.trial_ended"]
    assert {row["actor_name"] for row in rows(database, "audit_entry", object_id=trial.directory.id)} == {actor.name}


def test_a_trial_goes_when_what_is_tried_breaks_off(database: Database, actor: Actor) -> None:
    Provider.connect(database)

    with suppress(KeyboardInterrupt), trial_directory(database, actor, "acme", "okta") as trial:
        _live(database, trial.token)
        raise KeyboardInterrupt

    assert [row["name"] for row in rows(database, "directory")] == ["okta"]


def test_a_trial_that_was_left_behind_goes_with_the_next(database: Database, actor: Actor) -> None:
    Provider.connect(database)
    lost = trial_directory(database, actor, "acme", "okta")
    trial = lost.__enter__()
    _live(database, trial.token)

    with trial_directory(database, actor, "acme", "okta"):
        running = {row["name"] for row in rows(database, "directory")}
    with database.write() as connection:
        long_ago = now().replace(year=2020)
        found = schema.directory
        connection.execute(sa.update(found).where(found.c.id == trial.directory.id).values(created_at=long_ago))
    with trial_directory(database, actor, "acme", "okta"):
        later = {row["name"] for row in rows(database, "directory")}

    assert trial.directory.name in running
    assert trial.directory.name not in later
    lost.__exit__(None, None, None)


def test_somebody_who_was_there_before_is_not_taken_away(database: Database, actor: Actor) -> None:
    real = Provider.connect(database)
    ada = real.post("ada@acme.example")

    with trial_directory(database, actor, "acme", "okta") as trial, database.write() as connection:
        claimed = sa.update(schema.member).where(schema.member.c.id == ada.member_id)
        connection.execute(claimed.values(directory_id=trial.directory.id))

    (member,) = rows(database, "member", id=ada.member_id)
    assert (member["state"], member["directory_id"]) == ("active", None)


def test_what_is_to_be_tried_has_to_be_there(database: Database, actor: Actor) -> None:
    with pytest.raises(NotFound), trial_directory(database, actor, "acme", "okta"):
        pass

    assert rows(database, "directory") == []
