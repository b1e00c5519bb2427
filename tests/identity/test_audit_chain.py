"""Whoever changes, takes out or puts in anything of a sealed audit is found out, and the entry is named."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.audit import entry_digest
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity import audit, grants, organizations
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store import schema
from scim_bridge.store.audit import add_audit
from scim_bridge.store.audit_retention import erase_person
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import Keyring
from scim_bridge.sync.sealer import Sealer
from tests.identity.chains import KEYRING, busy, change_row, seal, verdict
from tests.identity.provider import HANDS, rows
from tests.identity.rows import organization_id

ENTRY = schema.audit_entry
COLUMNS = [column.name for column in ENTRY.columns]
CHAIN_COLUMNS = [column.name for column in schema.audit_chain.columns if column.name != "organization_id"]


def other(column: sa.Column[Any], value: Any) -> Any:
    """Return another value that the column takes."""
    if column.name == "actor_kind":
        return "system" if value != "system" else "cli"
    if "sequence" in column.name:
        return value + 1000
    if value is not None and column.name in ("at", "sealed_at", "history_since"):
        return value + timedelta(microseconds=1)
    if column.name in ("history_since",):
        return now()
    if value is None:
        return "x"
    return f"{'b' if value.startswith('a') else 'a'}{value[1:]}" if value else "x"


def test_an_audit_that_nobody_touched_holds(database: Database) -> None:
    busy(database)

    found = verdict(database)

    entries = rows(database, "audit_entry")
    assert found.holds
    assert (found.first, found.last, found.checked) == (1, len(entries), len(entries))
    assert (found.unsealed, found.oldest_unsealed) == (0, None)
    assert found.hash == max(entries, key=lambda each: each["sequence"])["hash"]


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "organization_id"])
def test_another_value_in_any_column_of_any_entry_is_found_and_named(database: Database, column: str) -> None:
    busy(database)
    entries = rows(database, "audit_entry")

    for entry in entries:
        changed = other(ENTRY.c[column], entry[column])
        change_row(database, "audit_entry", {"id": entry["id"]}, **{column: changed})
        found = verdict(database)
        name = changed if column == "id" else entry["id"]
        assert found.problem is not None
        assert found.problem.sequence == entry["sequence"]
        assert column == "sequence" or found.problem.entry == name
        change_row(database, "audit_entry", {"id": name}, **{column: entry[column]})

    assert verdict(database).holds


@pytest.mark.parametrize("column", [name for name in COLUMNS if ENTRY.c[name].nullable])
def test_a_value_that_was_taken_out_is_found(database: Database, column: str) -> None:
    busy(database)
    entry = next(each for each in rows(database, "audit_entry") if each[column] is not None)

    change_row(database, "audit_entry", {"id": entry["id"]}, **{column: None})

    found = verdict(database).problem
    assert found is not None
    assert found.sequence == entry["sequence"]


def test_an_entry_that_was_moved_to_another_organization_is_missed_here_and_foreign_there(database: Database) -> None:
    busy(database)
    with database.write() as connection:
        there = organization_id(connection, "acme")
    organizations.create(database, Actor(ActorKind.CLI, "tests"), "globex")
    seal(database)
    (moved,) = rows(database, "audit_entry", organization_id=there, sequence=4)
    with database.read() as connection:
        globex = organization_id(connection, "globex")

    change_row(database, "audit_entry", {"id": moved["id"]}, organization_id=globex)

    here, foreign = verdict(database).problem, verdict(database, "globex").problem
    assert here is not None
    assert (here.sequence, here.reason) == (4, "entry 4 is missing")
    assert foreign is not None


def test_an_entry_that_is_gone_is_missed_wherever_it_was(database: Database) -> None:
    busy(database)
    entries = rows(database, "audit_entry")

    for entry in entries:
        with database.write() as connection:
            connection.execute(sa.delete(ENTRY).where(ENTRY.c.id == entry["id"]))
        found = verdict(database).problem
        assert found is not None
        assert (found.sequence, found.reason) == (entry["sequence"], f"entry {entry['sequence']} is missing")
        with database.write() as connection:
            connection.execute(sa.insert(ENTRY).values(entry))

    assert verdict(database).holds


def test_the_end_of_the_chain_cannot_be_taken_off(database: Database) -> None:
    busy(database)
    last = verdict(database).last

    with database.write() as connection:
        connection.execute(sa.delete(ENTRY).where(ENTRY.c.sequence > last - 3))

    found = verdict(database).problem
    assert found is not None
    assert found.reason == f"entry {last - 2} is missing"


def test_a_whole_audit_cannot_be_taken_away(database: Database) -> None:
    busy(database)

    with database.write() as connection:
        connection.execute(sa.delete(ENTRY))
        connection.execute(sa.delete(schema.audit_chain))

    found = verdict(database).problem
    assert found is not None
    assert found.reason == "entry 1 is missing"


def test_an_entry_that_was_put_in_between_is_named(database: Database) -> None:
    busy(database)
    (copied,) = rows(database, "audit_entry", sequence=4)
    last = verdict(database).last

    with database.write() as connection:
        forged = copied | {"id": "forged", "sequence": last + 1, "previous_hash": verdict(database).hash}
        connection.execute(sa.insert(ENTRY).values(forged))

    found = verdict(database).problem
    assert found is not None
    assert (found.sequence, found.entry) == (last + 1, "forged")


def test_two_entries_that_changed_places_are_found(database: Database) -> None:
    busy(database)
    (third,), (fourth,) = rows(database, "audit_entry", sequence=3), rows(database, "audit_entry", sequence=4)

    change_row(database, "audit_entry", {"id": third["id"]}, sequence=-1)
    change_row(database, "audit_entry", {"id": fourth["id"]}, sequence=3)
    change_row(database, "audit_entry", {"id": third["id"]}, sequence=4)

    assert verdict(database).problem is not None


@pytest.mark.parametrize("column", CHAIN_COLUMNS)
def test_the_record_of_the_chains_ends_cannot_be_changed(database: Database, column: str) -> None:
    busy(database)
    with database.read() as connection:
        ends = connection.execute(sa.select(schema.audit_chain)).mappings().one()

    change_row(database, "audit_chain", {}, **{column: other(schema.audit_chain.c[column], ends[column])})

    assert not verdict(database).holds


def test_a_chain_that_was_made_anew_without_the_keys_is_found_out(database: Database) -> None:
    busy(database)
    (entry,) = rows(database, "audit_entry", sequence=5)
    salt = "0" * 32
    forged = {"detail": "{}", "salt": salt, "digest": entry_digest(salt, str(entry["actor_name"]), "{}")}
    change_row(database, "audit_entry", {"id": entry["id"]}, **forged)
    with database.write() as connection:
        unsealed = {"sequence": None, "previous_hash": None, "hash": None, "sealed_at": None}
        connection.execute(sa.update(ENTRY).values(unsealed))
        connection.execute(sa.delete(schema.audit_chain))
    Sealer(database, Keyring((Fernet.generate_key().decode(),))).seal()

    found = verdict(database).problem
    assert found is not None
    assert found.reason == "the record of where the chain begins and ends was changed"


def test_an_earlier_verifications_last_hash_proves_what_came_before_it(database: Database) -> None:
    okta = busy(database)
    earlier = verdict(database)
    okta.post("cem@acme.example")
    seal(database)

    same = audit.verify(database, KEYRING, HANDS, "acme", f"{earlier.last}:{earlier.hash}")
    another = audit.verify(database, KEYRING, HANDS, "acme", f"{earlier.last}:{'0' * 64}")

    assert same.holds
    assert another.problem is not None
    assert another.problem.sequence == earlier.last


@pytest.mark.parametrize("text", ["", "5", "x:y", "-1:" + "0" * 64, "1:abc"])
def test_what_is_no_place_in_a_chain_is_refused(database: Database, text: str) -> None:
    with pytest.raises(Invalid, match="SEQUENCE:HASH"):
        audit.verify(database, KEYRING, HANDS, "acme", text)


def test_entries_that_wait_for_the_sealer_are_counted_and_looked_at(database: Database) -> None:
    okta = busy(database)
    okta.post("cem@acme.example")
    waiting = rows(database, "audit_entry", sequence=None)

    before = verdict(database)
    change_row(database, "audit_entry", {"id": waiting[0]["id"]}, detail="{}")
    after = verdict(database)

    assert before.holds
    assert (before.unsealed, before.oldest_unsealed) == (len(waiting), waiting[0]["at"])
    assert after.problem is not None
    assert after.problem.entry == waiting[0]["id"]


def test_erasing_a_person_keeps_the_audit_verifiable(database: Database) -> None:
    okta = busy(database)
    (ana,) = [row for row in rows(database, "member") if row["user_name"] == "ana@acme.example"]

    with database.write() as connection:
        change = new_change(organization_id(connection), HANDS, "member.purged", now())
        erased = erase_person(connection, change, ana["id"])
    seal(database)

    kept = " ".join(str(row["detail"]) + row["actor_name"] for row in rows(database, "audit_entry"))
    assert erased > 0
    assert "ana@acme.example" not in kept
    assert "ben@acme.example" in kept
    assert verdict(database).holds
    assert okta.user is not None


def test_values_that_somebody_else_erased_are_missed(database: Database) -> None:
    busy(database)

    change_row(database, "audit_entry", {"sequence": 5}, detail=None, actor_name="", salt="")

    found = verdict(database).problem
    assert found is not None
    assert (found.sequence, found.reason) == (5, "entry 5: its values are gone, and no entry says who erased them")


def test_another_organizations_audit_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        audit.verify(database, KEYRING, HANDS, "nobody")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_combination_of_changes_goes_unseen(migrated_url: str, data: st.DataObject) -> None:
    database = Database(migrated_url)
    with database.write() as connection:
        connection.execute(sa.delete(schema.audit_entry))
        connection.execute(sa.delete(schema.audit_chain))
    organizations.create(database, Actor(ActorKind.CLI, "tests"), "acme")
    with database.write() as connection:
        for number in range(6):
            change = new_change(organization_id(connection), Actor(ActorKind.PERSON, "ann"), "x", now(), "r")
            add_audit(connection, change, "thing.changed", "thing", f"object-{number}", {"number": number})
    seal(database)
    entries = rows(database, "audit_entry", action="thing.changed")

    wanted = data.draw(
        st.dictionaries(
            st.sampled_from(sorted(each["id"] for each in entries)),
            st.dictionaries(
                st.sampled_from(["action", "noun", "object_id", "request_id", "actor_id", "actor_name", "detail"]),
                st.text("xyz", min_size=1, max_size=3),
                min_size=1,
            ),
            min_size=1,
        )
    )
    for entry_id, values in wanted.items():
        change_row(database, "audit_entry", {"id": entry_id}, **values)

    first = min(each["sequence"] for each in entries if each["id"] in wanted)
    found = verdict(database).problem
    assert found is not None
    assert found.sequence == first
    database.dispose()


def test_what_others_wrote_about_a_purged_person_names_them_no_more(database: Database) -> None:
    busy(database)
    wanted = GrantWanted("organization", person="ana@acme.example", kubernetes_role="view")
    grants.add(database, HANDS, "acme", wanted)
    grants.remove(database, HANDS, "acme", wanted)
    (ana,) = [row for row in rows(database, "member") if row["user_name"] == "ana@acme.example"]

    with database.write() as connection:
        change = new_change(organization_id(connection), HANDS, "member.purged", now())
        erase_person(connection, change, ana["id"])
    seal(database)

    told = rows(database, "audit_entry", action="grant.added") + rows(database, "audit_entry", action="grant.removed")
    assert [row["detail"] for row in told] == [None, None]
    assert "ana@acme.example" not in " ".join(str(row["detail"]) for row in rows(database, "audit_entry"))
    assert verdict(database).holds


def test_erasing_twice_erases_nothing_more(database: Database) -> None:
    busy(database)
    (ana,) = [row for row in rows(database, "member") if row["user_name"] == "ana@acme.example"]

    erased = []
    for _ in range(2):
        with database.write() as connection:
            change = new_change(organization_id(connection), HANDS, "member.purged", now())
            erased.append(erase_person(connection, change, ana["id"]))
    seal(database)

    assert (erased[0] > 0, erased[1]) == (True, 0)
    assert verdict(database).holds
