"""What one person's access is derived from: the same as in the whole, at a cost that is theirs; now and then."""

from datetime import datetime, timedelta
from time import sleep

import pytest
import sqlalchemy as sa

from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.identity import grants, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.unit_changes import MoveUnit
from scim_bridge.store import people, schema, snapshot
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.moments import NOW, THEN
from scim_bridge.store.snapshot import read_members, read_organization
from scim_bridge.store.tree import read_tree
from tests.conftest import Lent
from tests.identity.company import do
from tests.identity.provider import HANDS, Provider, rows
from tests.identity.rows import organization_id, put_cluster

STATEMENTS = (snapshot._memberships, snapshot._members, snapshot._grants, snapshot._nestings)


def moment() -> datetime:
    sleep(0.002)
    found = now()
    sleep(0.002)
    return found


@pytest.fixture
def okta(database: Database) -> Provider:
    """Return a company: two people in nested groups, a grant to each sort of holder, a cluster in a unit."""
    made = Provider.connect(database)
    ana, ben = made.post("ana@acme.example"), made.post("ben@acme.example")
    inner, outer = made.post_group("inner", ana.id), made.post_group("outer", ben.id)
    made.add(outer.id, inner.id)
    tree.create_unit(database, HANDS, "acme", "prod")
    put_cluster(database, "prod-eu", "prod")
    grants.add(database, HANDS, "acme", GrantWanted("unit:prod", group="outer", kubernetes_role="edit"))
    grants.add(database, HANDS, "acme", GrantWanted("organization", person="ben@acme.example", api_role="viewer"))
    return made


def member_id(database: Database, name: str) -> MemberId:
    (found,) = [row["id"] for row in rows(database, "member") if row["user_name"] == f"{name}@acme.example"]
    return MemberId(found)


@pytest.mark.parametrize("name", ["ana", "ben"])
def test_one_persons_part_says_what_the_whole_says_of_them(okta: Provider, name: str) -> None:
    who = member_id(okta.database, name)
    with okta.database.read() as connection:
        owner = organization_id(connection)
        part, whole = read_members(connection, owner, [who], now()), read_organization(connection, owner, now())

    assert part.grants_for(who) == whole.grants_for(who)
    assert len(part.grants_for(who)) == (1 if name == "ana" else 2)
    assert set(part.members) == {who}
    assert part.tree == whole.tree


def test_a_part_holds_only_what_concerns_its_people(okta: Provider) -> None:
    other = okta.post_group("other")
    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", group="other", kubernetes_role="view"))
    with okta.database.read() as connection:
        found = read_members(connection, organization_id(connection), [member_id(okta.database, "ana")], now())

    assert other.id not in found.grants_of_group
    assert len(found.grants_of_group) == 1


def test_a_part_of_nobody_is_empty(okta: Provider) -> None:
    with okta.database.read() as connection:
        found = read_members(connection, organization_id(connection), [], now())

    assert (found.members, found.groups_of, found.grants_of_group, found.grants_of_member) == ({}, {}, {}, {})


def test_another_organizations_people_are_in_no_part(okta: Provider) -> None:
    Provider.connect(okta.database, "okta", "globex")
    with okta.database.read() as connection:
        globex = organization_id(connection, "globex")
        found = read_members(connection, globex, [member_id(okta.database, "ana")], now())

    assert (found.members, found.groups_of) == ({}, {})


def test_groups_that_contain_one_another_end_the_walk(okta: Provider) -> None:
    groups = {row["display_name"]: row["id"] for row in rows(okta.database, "user_group")}
    okta.add(groups["inner"], groups["outer"])
    who = member_id(okta.database, "ana")

    with okta.database.read() as connection:
        found = read_members(connection, organization_id(connection), [who], now())

    assert len(found.grants_for(who)) == 1


def test_the_past_is_read_as_it_was_and_now_as_it_is(okta: Provider) -> None:
    who = member_id(okta.database, "ana")
    before = moment()
    okta.patch(next(row["id"] for row in rows(okta.database, "scim_user", member_id=who)), active=False)
    tree.create_unit(okta.database, HANDS, "acme", "lab")
    do(okta.database, MoveUnit("prod", "lab"))

    with okta.database.read() as connection:
        owner = organization_id(connection)
        then = read_members(connection, owner, [who], before, is_past=True)
        today = read_members(connection, owner, [who], now())

    assert (then.members[who].state, today.members[who].state) == (MemberState.ACTIVE, MemberState.DEACTIVATED)
    assert len(then.tree.units) == 1
    assert {unit.parent_id for unit in then.tree.units.values()} == {None}
    assert len(today.tree.units) == 2
    assert len(then.grants_for(who)) == 1


def test_before_anything_was_there_nothing_was(okta: Provider) -> None:
    with okta.database.read() as connection:
        owner = organization_id(connection)
        found = read_organization(connection, owner, now() - timedelta(days=1), is_past=True)

    assert (found.members, found.groups_of, found.grants_of_group) == ({}, {}, {})
    assert (found.tree.units, found.tree.clusters) == ({}, {})


def test_the_present_read_as_a_moment_of_the_past_is_the_same(okta: Provider) -> None:
    at = moment()
    with okta.database.read() as connection:
        owner = organization_id(connection)
        then, today = (read_organization(connection, owner, at, is_past=past) for past in (True, False))

    assert then == today


def test_an_object_that_is_gone_was_there(okta: Provider) -> None:
    at = moment()
    with okta.database.write() as connection:
        gone = sa.update(schema.cluster).values(removed_at=now(), state="removed")
        connection.execute(gone)
        owner = organization_id(connection)
        then, today = read_tree(connection, owner, at), read_tree(connection, owner)

    assert (len(then.clusters), len(today.clusters)) == (1, 0)


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("at", [NOW, THEN])
def test_sqlite_looks_people_up_and_reads_no_whole_table(
    migrated_sqlite: object, statement: object, at: object
) -> None:
    part = snapshot.OF_GROUPS if statement is snapshot._nestings else snapshot.OF_MEMBERS
    database = Database(f"sqlite:///{migrated_sqlite}")
    with database.read() as connection:
        made = statement(at, part).compile(dialect=connection.dialect)  # type: ignore[operator]
        values = [name if name != "at" else "2026" for name in made.positiontup or ()]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {made}", tuple(values)).all()
    database.dispose()

    steps = " | ".join(row[3] for row in plan)
    assert "organization_id=?" not in steps.split("SUBQUERY")[0].replace("ix_directory", "")
    scanned = {row[3].split()[1] for row in plan if row[3].startswith("SCAN")}
    # The list of ids, and what was looked up by it; no table.
    assert scanned <= {"json_each", "the_part"}
    assert statement is snapshot._members or "MATERIALIZE the_part" in steps


def test_postgresql_begins_with_the_people_asked_about_however_many_there_are(lent_postgresql: Lent) -> None:
    # A planner that is told how many there are would rather begin with their groups, and join everybody.
    database = Database(lent_postgresql.lend())
    with database.read() as connection:
        texts = [
            str(statement(NOW, part).compile(dialect=connection.dialect))
            for statement, part in (
                (snapshot._memberships, snapshot.OF_MEMBERS),
                (snapshot._grants, snapshot.OF_GROUPS),
                (snapshot._nestings, snapshot.OF_GROUPS),
            )
        ]
    database.dispose()

    assert all(text.startswith("WITH the_part AS MATERIALIZED") for text in texts)


def test_sqlite_finds_a_person_by_name_without_reading_everybody(migrated_sqlite: object) -> None:
    database = Database(f"sqlite:///{migrated_sqlite}")
    with database.read() as connection:
        made = people._NAMED.compile(dialect=connection.dialect)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {made}", tuple(made.positiontup or ())).all()
    database.dispose()

    steps = [row[3] for row in plan]
    assert [each for each in steps if each.startswith("SCAN member")] == []
    assert any("ix_member_organization_id_email_key" in each for each in steps)
