"""People who come and go by an admin's hand, beside what their directory says of them."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.directory_states import Step
from scim_bridge.domain.people import MemberState
from scim_bridge.errors import Conflict, NotFound, Refused
from scim_bridge.identity import access, api_tokens, directory_states, grants, member_states, organizations
from scim_bridge.identity.api_tokens import ApiTokenWanted
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store.database import Database
from tests.identity.people import HANDS, as_person, hand_group, member_id, owners, put_owner, put_person
from tests.identity.provider import Provider, actions, removals, rows, state_of
from tests.identity.rows import begin, count, put_membership


def test_a_deactivated_person_keeps_grants_and_groups_and_has_no_access(database: Database, actor: Actor) -> None:
    ana, group = put_person(database, "ana@x.example"), hand_group(database, "Team")
    with database.write() as connection:
        put_membership(connection, begin(connection), group, ana)
    grants.add(database, actor, "acme", GrantWanted("organization", person=ana, api_role="admin"))

    moved = member_states.deactivate(database, actor, "acme", "ANA@x.example")

    assert (moved.state, moved.changed, state_of(database, ana)) == (MemberState.DEACTIVATED, True, "deactivated")
    assert removals(database) == [(ana, "deactivated", None)]
    assert access.explain(database, HANDS, "acme", ana).api_roles == ()
    assert [row["valid_to"] for row in rows(database, "membership", member_id=ana)] == [None]
    assert [row["valid_to"] for row in rows(database, "access_grant", member_id=ana)] == [None]


def test_a_reactivated_person_has_again_what_they_had(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    grants.add(database, actor, "acme", GrantWanted("organization", person=ana, api_role="admin"))
    member_states.deactivate(database, actor, "acme", ana)

    moved = member_states.reactivate(database, actor, "acme", ana)

    assert (moved.state, moved.changed) == (MemberState.ACTIVE, True)
    assert access.explain(database, HANDS, "acme", ana).api_roles == ("admin",)


def test_doing_it_twice_changes_nothing_more(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    member_states.deactivate(database, actor, "acme", ana)
    before = count(database, "removal_request")

    again = member_states.deactivate(database, actor, "acme", ana)
    member_states.reactivate(database, actor, "acme", ana)
    still = member_states.reactivate(database, actor, "acme", ana)

    assert (again.changed, still.changed, count(database, "removal_request")) == (False, False, before)


def test_a_directory_cannot_take_back_what_somebody_here_has_said(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    user = okta.post("dora@x.example")
    member_states.deactivate(database, actor, "acme", "dora@x.example")

    okta.patch(user.id, active=False)
    okta.patch(user.id, active=True)

    assert okta.user(user.id).active is True
    assert state_of(database, user.member_id) is MemberState.DEACTIVATED
    assert "member.stays_deactivated" in actions(database)


def test_a_person_deactivated_by_the_directory_and_here_needs_both_to_come_back(
    database: Database, actor: Actor
) -> None:
    okta = Provider.connect(database)
    user = okta.post("dora@x.example")
    okta.patch(user.id, active=False)
    blocked = member_states.deactivate(database, actor, "acme", user.member_id)

    with pytest.raises(Conflict, match="okta says that"):
        member_states.reactivate(database, actor, "acme", user.member_id)
    okta.patch(user.id, active=True)
    by_directory = state_of(database, user.member_id)
    member_states.reactivate(database, actor, "acme", user.member_id)

    assert blocked.changed
    assert (by_directory, state_of(database, user.member_id)) == ("deactivated", "active")


def test_a_person_whom_somebody_here_reactivated_follows_the_directory_again(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    user = okta.post("dora@x.example")
    member_states.deactivate(database, actor, "acme", user.member_id)
    member_states.reactivate(database, actor, "acme", user.member_id)

    okta.patch(user.id, active=False)
    gone = state_of(database, user.member_id)
    okta.patch(user.id, active=True)

    assert (gone, state_of(database, user.member_id)) == ("deactivated", "active")


def test_a_person_whom_the_directory_deleted_cannot_be_brought_back_here(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    user = okta.post("dora@x.example")
    okta.delete(user.id)

    with pytest.raises(Conflict, match="change it in that directory"):
        member_states.reactivate(database, actor, "acme", user.member_id)

    assert state_of(database, user.member_id) is MemberState.DEACTIVATED


def test_a_person_removed_loses_groups_grants_and_every_binding(database: Database, actor: Actor) -> None:
    ana, group = put_person(database, "ana@x.example"), hand_group(database, "Team")
    with database.write() as connection:
        put_membership(connection, begin(connection), group, ana)
    grants.add(database, actor, "acme", GrantWanted("organization", person=ana, api_role="admin"))

    member_states.remove(database, actor, "acme", ana)

    assert state_of(database, ana) is MemberState.REMOVED
    assert removals(database) == [(ana, "removed", None)]
    for table in ("membership", "access_grant"):
        assert [row["valid_to"] is None for row in rows(database, table, member_id=ana)] == [False]
    with pytest.raises(NotFound):
        member_states.remove(database, actor, "acme", "ana@x.example")


def test_a_person_of_a_directory_is_not_removed_but_deactivated(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    user = okta.post("dora@x.example")

    with pytest.raises(Conflict, match="comes from the directory okta"):
        member_states.remove(database, actor, "acme", user.member_id)

    assert state_of(database, user.member_id) is MemberState.ACTIVE


def test_a_person_whom_the_directory_has_let_go_of_can_be_removed(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    deleted, left = okta.post("dora@x.example"), okta.post("eve@x.example")
    okta.delete(deleted.id)
    member_states.remove(database, actor, "acme", deleted.member_id)
    seen = directory_states.preview(database, actor, "acme", "okta", Step.DETACH)
    directory_states.carry_out(database, actor, "acme", "okta", Step.DETACH, seen.hash)

    member_states.remove(database, actor, "acme", left.member_id)

    assert [state_of(database, each.member_id) for each in (deleted, left)] == ["removed", "removed"]


def test_a_person_leaves_by_themselves_and_nobody_leaves_for_the_installation(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")

    moved = member_states.leave(database, as_person(database, "ana@x.example"), "acme")

    assert (moved.id, state_of(database, ana)) == (ana, MemberState.REMOVED)
    with pytest.raises(Conflict, match="no member"):
        member_states.leave(database, actor, "acme")


def test_the_last_working_owner_does_not_leave(database: Database) -> None:
    ana = put_owner(database, "ana@x.example")

    with pytest.raises(Refused, match="last working owner"):
        member_states.leave(database, as_person(database, "ana@x.example"), "acme")

    assert owners(database) == {ana}


def test_a_person_deactivated_or_removed_loses_every_token(database: Database, actor: Actor) -> None:
    ana, bob = put_person(database, "ana@x.example"), put_person(database, "bob@x.example")
    for person in (ana, bob):
        api_tokens.create(database, actor, "acme", person, ApiTokenWanted())

    member_states.deactivate(database, actor, "acme", ana)
    member_states.remove(database, actor, "acme", bob)

    assert all(row["revoked_at"] is not None for row in rows(database, "api_token"))


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_an_owner_is_moved_only_by_who_may_manage_owners(database: Database, actor: Actor, role: str) -> None:
    put_owner(database, "ana@x.example")
    put_owner(database, "second@x.example")
    put_person(database, "bob@x.example")
    grants.add(database, actor, "acme", GrantWanted("organization", person="bob@x.example", api_role=role))
    bob = as_person(database, "bob@x.example")

    for verb in (member_states.deactivate, member_states.reactivate, member_states.remove):
        with pytest.raises(Refused, match="You lack the permission"):
            verb(database, bob, "acme", "ana@x.example")

    assert len(owners(database)) == 2


@pytest.mark.parametrize("what", ["deactivate", "remove"])
def test_the_last_working_owner_stays_whatever_is_tried(database: Database, actor: Actor, what: str) -> None:
    ana = put_owner(database, "ana@x.example")
    other = put_owner(database, "other@x.example")
    member_states.deactivate(database, actor, "acme", other)
    before = count(database, "audit_entry")

    with pytest.raises(Refused, match="last working owner"):
        getattr(member_states, what)(database, actor, "acme", ana)

    assert owners(database) == {ana}
    assert count(database, "audit_entry") == before


def test_the_directorys_word_about_the_last_owner_stands_and_is_noted(database: Database) -> None:
    okta = Provider.connect(database)
    user = okta.post("dora@x.example")
    organizations.create(database, Actor(okta.caller.actor.kind, "tests"), "acme", owner="dora@x.example")

    okta.patch(user.id, active=False)

    assert owners(database) == set()
    assert "organization.without_owner" in actions(database)
    assert [row["valid_to"] for row in rows(database, "access_grant", api_role="owner")] == [None]


def test_a_person_of_another_organization_is_not_there(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    eve = put_person(database, "eve@x.example", slug="globex")

    for verb in (member_states.deactivate, member_states.reactivate, member_states.remove):
        with pytest.raises(NotFound):
            verb(database, actor, "acme", eve)

    assert state_of(database, eve) is MemberState.ACTIVE
    assert member_id(database, "eve@x.example", "globex") == eve
