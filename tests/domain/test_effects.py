"""Effects are the difference of what stands, for everybody or for those concerned, and equal effects have one text."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.effects import Effects, Names, Side, Standing, effects, standing
from scim_bridge.domain.organizations import NamespaceClaim
from scim_bridge.domain.people import GroupId, MemberId, MemberState
from scim_bridge.domain.roles import KubernetesRole
from tests.domain.worlds import CLUSTER, ORGANIZATION, PROJECT, SHOP, UNIT, grant, person, snapshot, snapshots, tree

NAMES = Names(lambda scope: scope.kind.value, {GroupId("devs"): "Developers"})


def stood(found: Snapshot, *only: str) -> Standing:
    return standing(found, NAMES, [MemberId(each) for each in only] if only else None)


def between(before: Snapshot, after: Snapshot) -> Effects:
    return effects(stood(before), stood(after))


ANA, BOB = person("ana"), person("bob")
EDIT, VIEW = KubernetesRole.EDIT, KubernetesRole.VIEW


@given(snapshots())
def test_a_moment_differs_from_itself_in_nothing(found: Snapshot) -> None:
    assert between(found, found).is_empty


@given(snapshots(), snapshots())
def test_what_one_way_gains_the_other_way_loses(one: Snapshot, other: Snapshot) -> None:
    there, back = between(one, other), between(other, one)

    assert (there.gains, there.losses) == (back.losses, back.gains)
    assert there.people == back.people


@given(snapshots(), snapshots())
def test_the_losses_taken_and_the_gains_given_make_the_other_moment(one: Snapshot, other: Snapshot) -> None:
    before, after = stood(one), stood(other)

    told = effects(before, after)

    for kind in ("grants", "memberships", "api_roles", "bindings"):
        taken, given_ = set(getattr(told.losses, kind)), set(getattr(told.gains, kind))
        assert (getattr(before, kind) - taken) | given_ == getattr(after, kind)


@given(snapshots(), snapshots(), st.sets(st.sampled_from([f"m{number}" for number in range(6)])))
def test_of_some_people_it_says_what_it_says_of_them_among_all(one: Snapshot, other: Snapshot, only: set[str]) -> None:
    everybody, some = between(one, other), effects(stood(one, *only, "nobody"), stood(other, *only, "nobody"))

    for side, part in ((everybody.gains, some.gains), (everybody.losses, some.losses)):
        assert part.bindings == tuple(each for each in side.bindings if each.member_id in only)
        assert part.api_roles == tuple(each for each in side.api_roles if each.member_id in only)


def test_a_group_grant_is_one_grant_and_a_binding_for_each_person_in_it() -> None:
    groups: dict[str, tuple[str, ...]] = {"ana": ("devs",), "bob": ("devs",)}
    before = snapshot([ANA, BOB], [], groups)
    after = snapshot([ANA, BOB], [grant(CLUSTER, EDIT, group="devs")], groups)

    told = between(before, after)

    assert [(each.holder, each.holder_kind, each.kubernetes_role) for each in told.gains.grants] == [
        ("Developers", "group", "edit")
    ]
    assert [(each.cluster, each.namespace, each.role, each.subject) for each in told.gains.bindings] == [
        ("prod", "", "edit", "ana"),
        ("prod", "", "edit", "bob"),
    ]
    assert told.gains.memberships == ()


def test_another_origin_is_told_even_where_nobody_gains_anything() -> None:
    before = snapshot([ANA], [grant(UNIT, VIEW, member="ana")])
    after = snapshot([ANA], [grant(UNIT, VIEW, member="ana", rule=1)])

    told = between(before, after)

    assert (told.people, told.is_empty) == (frozenset(), False)
    assert [each.origin for each in told.gains.grants] == ["rule r1"]
    assert [each.origin for each in told.losses.grants] == ["manual"]


def test_somebody_who_joins_a_group_is_told_as_such() -> None:
    held = [grant(CLUSTER, VIEW, group="devs")]

    told = between(snapshot([ANA], held), snapshot([ANA], held, {"ana": ("devs",)}))

    assert [(each.person, each.group) for each in told.gains.memberships] == [("ana", "Developers")]
    assert told.gains.by_person == {"ana": ["view in cluster prod"]}


def test_words_for_a_person_name_roles_and_places() -> None:
    after = snapshot(
        [ANA], [grant(PROJECT, EDIT, member="ana"), grant(ORGANIZATION, None, api="viewer", member="ana", name="h")]
    )

    told = between(snapshot([ANA], []), after)

    assert told.gains.by_person == {
        "ana": ["API role viewer at organization", "edit in shop on prod", "edit in shop-web on prod"]
    }


def test_of_two_with_one_subject_the_earlier_is_bound_though_only_the_later_is_asked_about() -> None:
    twins = [person("a", user_name="same"), person("b", user_name="same")]
    groups: dict[str, tuple[str, ...]] = {"a": ("devs",), "b": ("devs",)}
    after = snapshot(twins, [grant(CLUSTER, EDIT, group="devs")], groups)

    assert [each.member_id for each in stood(after).bindings] == ["a"]
    assert stood(after, "b").bindings == frozenset()


def test_whoever_is_not_active_has_nothing_to_lose() -> None:
    gone = person("ana", MemberState.DEACTIVATED)
    held = [grant(CLUSTER, EDIT, member="ana"), grant(UNIT, None, api="admin", member="ana", name="h")]

    found = stood(snapshot([gone], held))

    assert (found.bindings, found.api_roles) == (frozenset(), frozenset())
    assert len(found.grants) == 2


def test_equal_effects_have_one_text_and_one_digest_and_others_another() -> None:
    one = between(snapshot([ANA], []), snapshot([ANA], [grant(UNIT, VIEW, member="ana")]))
    same = between(snapshot([ANA], []), snapshot([ANA], [grant(UNIT, VIEW, member="ana", name="other id")]))
    other = between(snapshot([ANA], []), snapshot([ANA], [grant(UNIT, EDIT, member="ana")]))

    assert one.canonical == same.canonical != other.canonical
    assert one.digest("1") == same.digest("1")
    assert len({one.digest("1"), one.digest("2"), other.digest("1")}) == 3
    assert json.loads(one.canonical)["gains"]["grants"][0]["scope"] == "unit"


@pytest.mark.parametrize(("number", "left"), [(0, 0), (1, 1), (5, 2)])
def test_a_part_of_it_has_no_more_of_each_kind_than_asked_for(number: int, left: int) -> None:
    after = snapshot([ANA, BOB], [grant(CLUSTER, EDIT, member="ana"), grant(CLUSTER, EDIT, member="bob", name="h")])

    part = between(snapshot([ANA, BOB], []), after).at_most(number)

    assert (len(part.gains.bindings), len(part.gains.grants)) == (left, left)
    assert part.losses == Side()


def test_clusters_that_take_namespaces_by_labels_are_unclear() -> None:
    found = tree(allow_label_selectors=True)
    shop = replace(found.projects[SHOP], namespaces=(NamespaceClaim(selector="team=shop"),))
    labelled = replace(found, projects={**found.projects, SHOP: shop})

    assert between(snapshot([ANA], []), snapshot([ANA], [], the_tree=labelled)).unclear == ("prod",)
