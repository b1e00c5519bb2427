"""What a preview says is the difference of what everybody holds, and its digest tells it from every other."""

from dataclasses import replace
from typing import Any

from scim_bridge.domain.access import Grant, GrantId, Snapshot
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind, Tree
from scim_bridge.domain.people import Member, MemberId, MemberState
from scim_bridge.domain.previews import Difference, SubjectShift, difference, subject_shifts
from scim_bridge.domain.roles import KubernetesRole
from tests.domain import worlds

ACME = OrganizationId("acme")
TREE = Tree(ACME)
ANA = Member(MemberId("1"), MemberState.ACTIVE, "ana")
BOB = Member(MemberId("2"), MemberState.ACTIVE, "bob")


def snapshot(*grants: Grant, members: tuple[Member, ...] = (ANA, BOB)) -> Snapshot:
    of_member: dict[Any, tuple[Grant, ...]] = {}
    for each in grants:
        of_member[each.member_id] = (*of_member.get(each.member_id, ()), each)
    return Snapshot(ACME, "", TREE, {each.id: each for each in members}, grants_of_member=of_member)


def grant(member: Member, role: str) -> Grant:
    scope = Scope(ScopeKind.ORGANIZATION, ACME)
    return Grant(GrantId(f"{member.id}-{role}"), scope, member.id, api_role=role)


def compare(before: Snapshot, after: Snapshot) -> Difference:
    return difference(before, after, lambda scope: scope.kind.value)


def test_equal_moments_differ_in_nothing() -> None:
    assert compare(snapshot(grant(ANA, "admin")), snapshot(grant(ANA, "admin"))) == Difference()


def test_who_gains_and_who_loses_is_named_with_what() -> None:
    found = compare(snapshot(grant(ANA, "admin")), snapshot(grant(BOB, "viewer")))

    assert [(each.person, each.what) for each in found.gains] == [("bob", ("API role viewer at organization",))]
    assert [(each.person, each.what) for each in found.losses] == [("ana", ("API role admin at organization",))]


def test_somebody_who_is_no_longer_active_loses_everything() -> None:
    gone = replace(ANA, state=MemberState.DEACTIVATED)

    found = compare(snapshot(grant(ANA, "admin")), snapshot(grant(ANA, "admin"), members=(gone, BOB)))

    assert [each.person for each in found.losses] == ["ana"]
    assert found.gains == ()


def test_somebody_who_was_not_there_before_gains() -> None:
    found = compare(snapshot(members=(ANA,)), snapshot(grant(BOB, "viewer")))

    assert [each.person for each in found.gains] == ["bob"]


def test_the_digest_is_that_of_the_outcome_and_of_what_it_is_about() -> None:
    found = compare(snapshot(), snapshot(grant(BOB, "viewer")))
    other = compare(snapshot(grant(BOB, "viewer")), snapshot())

    assert found.digest("activate", "okta") == compare(snapshot(), snapshot(grant(BOB, "viewer"))).digest(
        "activate", "okta"
    )
    assert (
        len({found.digest("activate", "okta"), found.digest("detach", "okta"), other.digest("activate", "okta")}) == 3
    )


def test_who_is_bound_by_another_name_is_shown_cluster_by_cluster() -> None:
    people = [worlds.person(name) for name in ("ana", "bob", "eve")]
    ana, bob, eve = people
    edits = [worlds.grant(worlds.CLUSTER, KubernetesRole.EDIT, member=name, name=name) for name in ("ana", "eve")]
    renamed = [replace(ana, user_name="a"), replace(bob, user_name="b"), replace(eve, user_name="system:x")]
    before, after = worlds.snapshot(people, edits), worlds.snapshot(renamed, edits)

    found = subject_shifts(before, after, [ana.id, bob.id, eve.id])

    assert found == {ana.id: (SubjectShift("prod", "ana", "a"),), eve.id: (SubjectShift("prod", "eve", None),)}
    assert subject_shifts(before, before, [ana.id]) == {}
