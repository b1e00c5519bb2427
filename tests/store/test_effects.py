"""What a change did to what access is derived from stands in the audit, with the change or not at all."""

import json
from typing import Any

import pytest

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.store import effects
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.effects import note
from scim_bridge.store.rehearsal import rehearse
from tests.identity.provider import rows
from tests.identity.rows import organization_id


def begin(connection: Connection, kind: str = "test.changed") -> Change:
    return new_change(organization_id(connection), Actor(ActorKind.CLI, "tests"), kind, now(), "request")


def lose(database: Database) -> None:
    """Note something in a transaction that breaks off."""
    with database.write() as connection:
        note(connection, begin(connection), "test.lost")
        raise ZeroDivisionError


def noted(database: Database) -> list[dict[str, Any]]:
    """Return the notes of the tests below, an entry each."""
    found = [json.loads(row["detail"]) for row in rows(database, "audit_entry", action="access.changed")]
    return [each for each in found if any(effect["effect"].startswith("test") for effect in each["effects"])]


def test_notes_of_one_change_are_one_entry_with_its_actor_and_request(database: Database) -> None:
    with database.write() as connection:
        change = begin(connection)
        note(connection, change, "test.began", what="a", nothing=None)
        add_audit(connection, change, "test.changed", "test", "object")
        note(connection, change, "test.ended", what="a")

    (detail,) = noted(database)
    entry = rows(database, "audit_entry", action="access.changed")[-1]
    assert detail == {"effects": [{"effect": "test.began", "what": "a"}, {"effect": "test.ended", "what": "a"}]}
    assert (entry["actor_name"], entry["request_id"], entry["change_id"]) == ("tests", "request", change.id)


def test_each_change_of_a_transaction_has_its_own(database: Database) -> None:
    with database.write() as connection:
        first, second = begin(connection), begin(connection)
        note(connection, first, "test.first")
        note(connection, second, "test.second")

    assert [each["effects"][0]["effect"] for each in noted(database)] == ["test.first", "test.second"]


def test_many_notes_are_several_entries(database: Database) -> None:
    with database.write() as connection:
        change = begin(connection)
        for number in range(effects.AT_ONCE + 1):
            note(connection, change, "test.began", number=number)

    assert [len(each["effects"]) for each in noted(database)] == [effects.AT_ONCE, 1]


def test_what_is_rolled_back_was_never_noted(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        lose(database)

    with database.write() as connection:
        note(connection, begin(connection), "test.kept")

    assert [each["effects"] for each in noted(database)] == [[{"effect": "test.kept"}]]


def test_a_transaction_without_notes_writes_none_of_the_one_before(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        lose(database)

    with database.write() as connection:
        add_audit(connection, begin(connection), "test.changed", "test", "object")

    assert noted(database) == []


def test_a_rehearsal_leaves_no_note(database: Database) -> None:
    with rehearse(database) as rehearsal:
        with rehearsal.write() as connection:
            note(connection, begin(connection), "test.rehearsed")
        seen = len(noted(rehearsal))

    assert (seen, noted(database)) == (1, [])
