"""Leavers: suspended at once, kept for their directory's grace, then removed and forgotten."""

from datetime import timedelta

import pytest
import time_machine

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.deprovisioning import DeprovisionPolicy
from scim_bridge.domain.people import MemberState
from scim_bridge.errors import Invalid, NotFound, Refused
from scim_bridge.identity import audit, grants, organizations
from scim_bridge.identity.deprovisioning import purge_leavers, set_policy, show_policy
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import Keyring
from tests.identity.people import as_person, owners, put_owner, put_person
from tests.identity.provider import Provider, actions, state_of
from tests.identity.rows import count

KEY = "2G8sWYJ0mYz8nCk2j9mB3nJ5yqv8xv0mX3o1n4n2q0E="


def _later(days: int) -> time_machine.travel:
    return time_machine.travel(now() + timedelta(days=days))


def test_a_deleted_person_is_purged_after_the_grace_and_not_before(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(30))
    user = okta.post("dora@x.example", displayName="Dora Stone")
    grants.add(database, actor, "acme", GrantWanted("organization", person="dora@x.example", api_role="viewer"))
    okta.delete(user.id)

    with _later(29):
        early, kept = purge_leavers(database), state_of(database, user.member_id)
    with _later(31):
        late, again = purge_leavers(database), purge_leavers(database)

    assert (early, kept, late, again) == (0, "deactivated", 1, 0)
    assert state_of(database, user.member_id) is MemberState.REMOVED
    assert grants.list_all(database, "acme") == []


def test_of_a_purged_person_no_name_is_left_and_the_audit_keeps_its_rows(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(0))
    user = okta.post("dora.stone@x.example", displayName="Dora Stone", externalId="ext-77")
    okta.delete(user.id)
    before = actions(database)

    purge_leavers(database)

    tables = ("member", "member_word", "scim_user", "audit_entry")
    left = {table: str(rows_without_order(database, table)).lower() for table in tables}
    assert [(t, word) for t, text in left.items() for word in ("stone", "ext-77") if word in text] == []
    assert actions(database)[: len(before)] == before
    assert actions(database)[-1] == "member.purged"
    assert audit.verify(database, Keyring((KEY,)), actor, "acme").problem is None


def rows_without_order(database: Database, table: str) -> list[object]:
    """Return the rows of a table, which may have no id."""
    import sqlalchemy as sa

    from scim_bridge.store import schema

    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(schema.metadata.tables[table]))]


def test_without_a_rule_nobody_is_ever_purged(database: Database) -> None:
    okta = Provider.connect(database)
    user = okta.post("dora@x.example")
    okta.delete(user.id)

    with _later(3000):
        assert purge_leavers(database) == 0

    assert state_of(database, user.member_id) is MemberState.DEACTIVATED


def test_somebody_suspended_whom_the_directory_still_has_is_kept(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(1))
    user = okta.post("dora@x.example")
    okta.patch(user.id, active=False)

    with _later(100):
        assert purge_leavers(database) == 0

    okta.patch(user.id, active=True)
    assert state_of(database, user.member_id) is MemberState.ACTIVE


def test_somebody_whom_another_directory_has_is_kept(database: Database, actor: Actor) -> None:
    okta, entra = Provider.connect(database), Provider.connect(database, "entra")
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(1))
    user = okta.post("dora@x.example")
    other = entra.post("eve@x.example")
    import sqlalchemy as sa

    from scim_bridge.store import schema

    with database.write() as connection:
        mine = sa.update(schema.scim_user).where(schema.scim_user.c.id == other.id)
        connection.execute(mine.values(member_id=user.member_id))
    okta.delete(user.id)

    with _later(100):
        assert purge_leavers(database) == 0


def test_the_last_owner_is_kept_with_the_owner_grant(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(1))
    user = okta.post("dora@x.example")
    organizations.create(database, actor, "acme", owner="dora@x.example")
    okta.delete(user.id)

    with _later(100):
        alone = purge_leavers(database)
        put_owner(database, "ana@x.example")
        with_another = purge_leavers(database)

    assert (alone, with_another) == (0, 1)
    assert len(owners(database)) == 1


def test_somebody_who_comes_back_within_the_grace_is_the_same_member(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(30))
    user = okta.post("dora@x.example")
    okta.delete(user.id)

    with _later(20):
        back = okta.post("dora@x.example")
    with _later(100):
        purged = purge_leavers(database)

    assert (back.member_id, purged) == (user.member_id, 0)
    assert state_of(database, user.member_id) is MemberState.ACTIVE


@pytest.mark.parametrize("suspends", [False, True])
def test_a_deletion_may_mean_a_suspension_after_which_groups_come_back(
    database: Database, actor: Actor, *, suspends: bool
) -> None:
    okta = Provider.connect(database)
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(None, suspends))
    user = okta.post("dora@x.example")
    group = okta.post_group("Team", user.id)
    okta.delete(user.id)
    while_gone = (okta.members(group.id), state_of(database, user.member_id))

    back = okta.post("dora@x.example")

    assert while_gone == (set(), "deactivated")
    assert okta.members(group.id) == ({back.id} if suspends else set())


def test_the_rule_is_kept_and_told(database: Database, actor: Actor) -> None:
    Provider.connect(database)
    before = show_policy(database, "acme", "okta")

    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(7, delete_suspends=True))
    set_policy(database, actor, "acme", "okta", DeprovisionPolicy(7, delete_suspends=True))

    assert before == DeprovisionPolicy()
    assert show_policy(database, "acme", "okta") == DeprovisionPolicy(7, delete_suspends=True)
    assert actions(database).count("directory.deprovision_set") == 1


@pytest.mark.parametrize("days", [-1, 3651])
def test_a_grace_that_makes_no_sense_says_so(days: int) -> None:
    with pytest.raises(Invalid) as raised:
        DeprovisionPolicy(days)

    assert raised.value.field == "grace_days"


def test_only_who_may_manage_directories_sets_the_rule(database: Database) -> None:
    Provider.connect(database)
    put_person(database, "ana@x.example")

    with pytest.raises(Refused):
        set_policy(database, as_person(database, "ana@x.example"), "acme", "okta", DeprovisionPolicy(1))
    with pytest.raises(NotFound):
        show_policy(database, "acme", "moon")

    assert show_policy(database, "acme", "okta") == DeprovisionPolicy()
    assert count(database, "directory") == 1
