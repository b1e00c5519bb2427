"""Effective roles: the rules of who has what, and the laws they keep."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.access import (
    Grant,
    Origin,
    OriginKind,
    Verdict,
    api_roles,
    cluster_role,
    scope_roles,
)
from scim_bridge.domain.organizations import Cluster, ClusterId, OrganizationId, Scope, ScopeKind, Tree, Unit, UnitId
from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.domain.roles import KubernetesRole
from tests.domain.worlds import (
    CLUSTER,
    INNER_UNIT,
    ORGANIZATION,
    PROD,
    PROJECT,
    SCOPES,
    SERVICE,
    UNIT,
    grant,
    grants,
    person,
    snapshot,
    tree,
)

ADMIN, EDIT, VIEW, NONE = (
    KubernetesRole.CLUSTER_ADMIN,
    KubernetesRole.EDIT,
    KubernetesRole.VIEW,
    KubernetesRole.NONE,
)


@pytest.mark.parametrize(
    ("held", "role"),
    [
        ([], None),
        ([grant(ORGANIZATION, EDIT)], EDIT),
        ([grant(ORGANIZATION, ADMIN), grant(UNIT, VIEW)], VIEW),
        ([grant(UNIT, ADMIN), grant(INNER_UNIT, EDIT)], EDIT),
        ([grant(INNER_UNIT, EDIT), grant(CLUSTER, VIEW)], VIEW),
        ([grant(ORGANIZATION, EDIT), grant(UNIT, NONE)], NONE),
        ([grant(UNIT, NONE), grant(UNIT, EDIT)], EDIT),
        ([grant(UNIT, VIEW), grant(UNIT, EDIT)], EDIT),
        ([grant(UNIT, VIEW, rule=1), grant(UNIT, ADMIN, rule=2)], VIEW),
        ([grant(UNIT, VIEW, rule=2), grant(UNIT, EDIT, rule=2)], EDIT),
        ([grant(UNIT, VIEW, rule=1), grant(UNIT, ADMIN)], ADMIN),
        ([grant(PROJECT, EDIT)], None),
    ],
)
def test_the_most_specific_scope_decides_and_within_it_the_strongest(
    held: list[Grant], role: KubernetesRole | None
) -> None:
    assert cluster_role(tree(), PROD, held).role is role


def test_explicitly_nothing_binds_nothing_and_says_where() -> None:
    decision = cluster_role(tree(), PROD, [grant(ORGANIZATION, EDIT), grant(UNIT, NONE)])

    assert (decision.role, decision.bound, decision.scope) == (NONE, None, UNIT)


def test_the_trace_names_what_became_of_every_grant() -> None:
    held = [
        grant(ORGANIZATION, ADMIN, name="far"),
        grant(UNIT, EDIT, rule=1, name="wins"),
        grant(UNIT, ADMIN, rule=5, name="shadowed"),
        grant(UNIT, VIEW, name="weaker"),
    ]

    steps = {step.grant.id: step.verdict for step in cluster_role(tree(), PROD, held).steps}

    assert steps == {
        "far": Verdict.LESS_SPECIFIC,
        "wins": Verdict.STANDS,
        "shadowed": Verdict.SHADOWED,
        "weaker": Verdict.WEAKER,
    }


@given(st.lists(grants(), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_grants_never_matters(held: list[Grant], order: random.Random) -> None:
    shuffled = list(held)
    order.shuffle(shuffled)

    assert cluster_role(tree(), PROD, shuffled).role is cluster_role(tree(), PROD, held).role


@given(st.lists(grants(), max_size=8))
def test_a_person_holds_only_roles_that_were_granted(held: list[Grant]) -> None:
    role = cluster_role(tree(), PROD, held).role

    assert role is None or role in {each.kubernetes_role for each in held}


@given(st.lists(grants(), max_size=6), grants())
def test_a_stronger_grant_by_hand_at_the_deciding_scope_never_weakens(held: list[Grant], extra: Grant) -> None:
    before = cluster_role(tree(), PROD, held)
    if before.role is None or before.scope is None:
        return
    after = cluster_role(tree(), PROD, [*held, grant(before.scope, extra.kubernetes_role, name="extra")])

    assert after.role is not None
    assert after.role.strength >= before.role.strength


@given(st.lists(grants(), max_size=8))
def test_what_is_said_far_away_never_overrides_what_is_said_near(held: list[Grant]) -> None:
    near = [each for each in held if each.scope == CLUSTER]
    if not near:
        return

    assert cluster_role(tree(), PROD, held).role is cluster_role(tree(), PROD, near).role


def test_a_project_adds_its_strongest_role_and_never_cluster_admin() -> None:
    held = [grant(PROJECT, VIEW), grant(PROJECT, EDIT), grant(PROJECT, ADMIN), grant(SERVICE, NONE)]

    assert scope_roles(held) == {PROJECT: EDIT}


def test_at_a_project_too_only_the_rule_of_the_lowest_number_stands() -> None:
    held = [grant(PROJECT, VIEW, rule=1), grant(PROJECT, EDIT, rule=2), grant(CLUSTER, EDIT)]

    assert scope_roles(held) == {PROJECT: VIEW}


def test_api_roles_are_the_union_of_a_scope_and_all_above_it() -> None:
    held = [grant(ORGANIZATION, api="viewer"), grant(INNER_UNIT, api="developer"), grant(CLUSTER, api="admin")]

    assert api_roles(tree(), PROJECT, held) == {"viewer", "developer"}
    assert api_roles(tree(), CLUSTER, held) == {"viewer", "developer", "admin"}


def test_rules_of_one_priority_give_only_their_strongest_api_role_and_hands_add_to_it() -> None:
    held = [
        grant(UNIT, api="viewer", rule=1),
        grant(UNIT, api="developer", rule=1),
        grant(UNIT, api="admin", rule=2),
        grant(UNIT, api="billing-admin"),
    ]

    assert api_roles(tree(), UNIT, held) == {"developer", "billing-admin"}


def test_a_scope_outside_the_tree_gives_nobody_anything() -> None:
    elsewhere = Scope(ScopeKind.ORGANIZATION, "other")

    assert api_roles(tree(), elsewhere, [grant(elsewhere, api="owner")]) == frozenset()


@pytest.mark.parametrize("state", [MemberState.INVITED, MemberState.DEACTIVATED, MemberState.REMOVED])
def test_only_active_members_hold_anything(state: MemberState) -> None:
    world = snapshot([person("ana", state)], [grant(ORGANIZATION, EDIT, member="ana")])

    assert world.grants_for(MemberId("ana")) == []


def test_groups_nested_in_a_circle_give_what_each_of_them_has_once() -> None:
    world = snapshot(
        [person("ana")],
        [grant(ORGANIZATION, EDIT, group="outer")],
        {"ana": ("inner",)},
        {"inner": ("outer",), "outer": ("inner",)},
    )

    assert [each.kubernetes_role for each in world.grants_for(MemberId("ana"))] == [EDIT]


def test_units_that_point_at_each_other_end_the_walk() -> None:
    a, b, c = UnitId("a"), UnitId("b"), ClusterId("c")
    looped = Tree(
        OrganizationId("o"),
        units={a: Unit(a, b, "a"), b: Unit(b, a, "b")},
        clusters={c: Cluster(c, a, "c")},
    )

    assert [scope.id for scope in looped.scopes_of_cluster(c)] == ["c", "a", "b", "o"]


api_grants = st.builds(
    lambda scope, api, rule, name: grant(scope, api=api, rule=rule, name=f"g{name}"),
    st.sampled_from(SCOPES),
    st.sampled_from(["admin", "developer", "viewer", "billing-admin", "custom"]),
    st.one_of(st.none(), st.integers(1, 3)),
    st.integers(0, 10**6),
)


@given(st.lists(api_grants, min_size=1, max_size=6), st.data())
def test_one_more_origin_by_hand_never_takes_an_api_role_away(held: list[Grant], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(held) - 1))
    confirmed = replace(held[place], origins=(*held[place].origins, Origin(OriginKind.MANUAL)))
    after = [*held[:place], confirmed, *held[place + 1 :]]

    for scope in SCOPES:
        assert api_roles(tree(), scope, held) <= api_roles(tree(), scope, after)


@given(st.lists(api_grants, max_size=6), st.randoms(use_true_random=False))
def test_api_roles_do_not_depend_on_the_order_of_grants(held: list[Grant], order: random.Random) -> None:
    shuffled = list(held)
    order.shuffle(shuffled)

    assert api_roles(tree(), SERVICE, shuffled) == api_roles(tree(), SERVICE, held)


def test_a_rule_that_a_hand_confirmed_still_outshines_weaker_rules_of_its_priority() -> None:
    both = replace(
        grant(UNIT, api="admin", rule=1), origins=(Origin(OriginKind.RULE, "r1", 1), Origin(OriginKind.MANUAL))
    )

    assert api_roles(tree(), UNIT, [both, grant(UNIT, api="billing-admin", rule=1)]) == {"admin"}


def test_a_service_whose_project_is_gone_lies_nowhere() -> None:
    base = tree()
    orphaned = replace(base, projects={})

    assert orphaned.lineage(SERVICE) == []
