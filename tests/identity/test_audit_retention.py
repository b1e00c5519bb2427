"""What is old goes, is said to have gone, and takes nothing of the rest's proof with it."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.identity.audit_retention import prune_all
from scim_bridge.store import audit_retention, schema
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.chains import KEYRING, busy, change_row, seal, verdict
from tests.identity.provider import rows
from tests.identity.rows import organization_id

HANDS = Actor(ActorKind.CLI, "tests")
LATER = timedelta(days=200)


def write_entries(database: Database, at: datetime, *names: str) -> None:
    with database.write() as connection:
        change = Change(f"change-{at.timestamp()}", organization_id(connection), HANDS, "x", at)
        for each in names:
            add_audit(connection, change, "thing.changed", "thing", each)
    seal(database)


def test_old_entries_go_and_the_rest_still_proves_itself(database: Database) -> None:
    busy(database)
    old = verdict(database).last
    write_entries(database, now() + LATER, "kept")

    gone = prune_all(database, KEYRING, 100, now() + LATER)
    seal(database)

    found = verdict(database)
    assert gone == old
    assert found.holds
    assert (found.first, found.last, found.checked) == (old + 1, old + 2, 2)
    assert [row["action"] for row in rows(database, "audit_entry")] == ["thing.changed", "audit.pruned"]


def test_the_audit_says_what_was_taken_out_of_it(database: Database) -> None:
    busy(database)
    old = verdict(database)
    write_entries(database, now() + LATER, "kept")

    prune_all(database, KEYRING, 100, now() + LATER)

    (row,) = rows(database, "audit_entry", action="audit.pruned")
    assert f'"entries":{old.last}' in row["detail"]
    assert old.hash in row["detail"]
    assert (row["actor_kind"], row["actor_name"]) == ("scheduler", "retention")


@pytest.mark.parametrize("column", ["action", "detail", "hash", "previous_hash"])
def test_what_is_left_cannot_be_changed_unseen(database: Database, column: str) -> None:
    busy(database)
    write_entries(database, now() + LATER, "a", "b", "c")
    prune_all(database, KEYRING, 100, now() + LATER)
    (second,) = rows(database, "audit_entry", object_id="b")

    change_row(database, "audit_entry", {"id": second["id"]}, **{column: "x"})

    problem = verdict(database).problem
    assert problem is not None
    assert problem.entry == second["id"]


def test_nobody_can_cut_more_off_and_call_it_retention(database: Database) -> None:
    busy(database)
    write_entries(database, now() + LATER, "a", "b", "c")
    prune_all(database, KEYRING, 100, now() + LATER)
    (first,) = rows(database, "audit_entry", object_id="a")

    with database.write() as connection:
        connection.execute(sa.delete(schema.audit_entry).where(schema.audit_entry.c.id == first["id"]))
    change_row(database, "audit_chain", {}, cut_sequence=first["sequence"], cut_hash=first["hash"])

    problem = verdict(database).problem
    assert problem is not None
    assert "begins and ends" in problem.reason


def test_what_is_not_older_by_a_day_waits_for_the_next_time(database: Database) -> None:
    busy(database)
    before = len(rows(database, "audit_entry"))

    gone = prune_all(database, KEYRING, 100, now() + timedelta(days=100, hours=23))

    assert gone == 0
    assert len(rows(database, "audit_entry")) == before


def test_many_entries_go_a_thousand_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_retention, "AT_ONCE", 3)
    busy(database)
    old = verdict(database).last
    write_entries(database, now() + LATER, "kept")

    gone = prune_all(database, KEYRING, 100, now() + LATER)

    assert old > 6
    assert gone == old
    assert verdict(database).holds


def test_history_that_ended_before_goes_and_what_holds_stays(database: Database) -> None:
    okta = busy(database)
    before = {row["id"] for row in rows(database, "membership", valid_to=None)}

    prune_all(database, KEYRING, 100, now() + LATER)

    assert before
    assert {row["id"] for row in rows(database, "membership")} == before
    assert all(row["valid_to"] is None for row in rows(database, "fact"))
    assert okta.caller is not None


def test_an_entry_that_was_written_late_waits_for_those_before_it(database: Database) -> None:
    busy(database)
    write_entries(database, now() + LATER, "young")
    write_entries(database, now() + timedelta(days=1), "old, and sealed after it")

    prune_all(database, KEYRING, 100, now() + LATER)

    assert [row["object_id"] for row in rows(database, "audit_entry", action="thing.changed")] == [
        "young",
        "old, and sealed after it",
    ]
    assert verdict(database).holds


def test_an_erased_entry_and_the_one_that_says_so_may_both_go(database: Database) -> None:
    busy(database)
    (ana,) = [row for row in rows(database, "member") if row["user_name"] == "ana@acme.example"]
    with database.write() as connection:
        change = new_change(organization_id(connection), HANDS, "member.purged", now())
        audit_retention.erase_person(connection, change, ana["id"])
    seal(database)
    write_entries(database, now() + LATER, "kept")

    prune_all(database, KEYRING, 100, now() + LATER)

    assert verdict(database).holds
