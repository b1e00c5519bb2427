"""Default roles are derived: for whom no rule maps, never against what anybody else says, never for the powerful."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.access import OriginKind, Snapshot, api_roles, cluster_role
from scim_bridge.domain.default_roles import DefaultRole, checked_default, read_default, with_defaults
from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid
from tests.domain.worlds import CLUSTER, ORGANIZATION, PROD, UNIT, grant, person, snapshot, snapshots

ANA = MemberId("ana")
VIEW = KubernetesRole.VIEW
ROLE = DefaultRole("viewer", VIEW)


def roles(found: Snapshot, member_id: MemberId = ANA) -> tuple[list[str], KubernetesRole | None]:
    held = found.grants_for(member_id)
    return sorted(api_roles(found.tree, found.tree.root, held)), cluster_role(found.tree, PROD, held).role


def test_whom_nothing_maps_gets_both_axes_at_the_organization() -> None:
    found = with_defaults(snapshot([person("ana")], []), {ANA: [ROLE]})

    assert roles(found) == (["viewer"], VIEW)
    assert [each.origins[0].kind for each in found.grants_for(ANA)] == [OriginKind.DEFAULT]


@pytest.mark.parametrize("holder", [{"member": "ana"}, {"group": "devs"}])
def test_whom_a_rule_maps_anywhere_gets_none(holder: dict[str, str]) -> None:
    mapped = snapshot([person("ana")], [grant(CLUSTER, VIEW, rule=5, **holder)], {"ana": ("devs",)})

    assert roles(with_defaults(mapped, {ANA: [ROLE]})) == ([], VIEW)


def test_a_rule_by_a_group_above_maps_too() -> None:
    mapped = snapshot([person("ana")], [grant(UNIT, VIEW, rule=5, group="all")], {"ana": ("devs",)}, {"devs": ("all",)})

    assert roles(with_defaults(mapped, {ANA: [ROLE]}))[0] == []


def test_a_grant_by_hand_does_not_map_and_says_more() -> None:
    by_hand = snapshot([person("ana")], [grant(CLUSTER, KubernetesRole.EDIT, member="ana")])

    assert roles(with_defaults(by_hand, {ANA: [ROLE]})) == (["viewer"], KubernetesRole.EDIT)


@pytest.mark.parametrize("said", [KubernetesRole.NONE, KubernetesRole.EDIT])
def test_what_anybody_says_at_the_organization_stands_instead(said: KubernetesRole) -> None:
    by_hand = snapshot([person("ana")], [grant(ORGANIZATION, said, member="ana")])

    assert roles(with_defaults(by_hand, {ANA: [ROLE]})) == (["viewer"], said)


@pytest.mark.parametrize("state", [each for each in MemberState if each is not MemberState.ACTIVE])
def test_whoever_is_not_active_has_none(state: MemberState) -> None:
    assert roles(with_defaults(snapshot([person("ana", state)], []), {ANA: [ROLE]})) == ([], None)


def test_two_directories_that_say_the_same_give_it_once_and_different_ones_both() -> None:
    base = snapshot([person("ana")], [])

    once = with_defaults(base, {ANA: [ROLE, ROLE]})
    both = with_defaults(base, {ANA: [ROLE, DefaultRole("developer")]})

    assert len(once.grants_for(ANA)) == 1
    assert roles(both) == (["developer", "viewer"], VIEW)


@given(snapshots())
def test_nobody_is_touched_who_is_not_named(found: Snapshot) -> None:
    assert with_defaults(found, {}) is found


@given(snapshots(), st.sampled_from(list(KubernetesRole)[1:]))
def test_a_default_takes_nothing_away(found: Snapshot, role: KubernetesRole) -> None:
    more = with_defaults(found, {member_id: [DefaultRole("viewer", role)] for member_id in found.members})

    for member_id in found.members:
        assert set(found.grants_for(member_id)) <= set(more.grants_for(member_id))


@pytest.mark.parametrize(
    "role", [DefaultRole(), ROLE, DefaultRole(None, KubernetesRole.NONE), DefaultRole("developer")]
)
def test_what_is_written_is_read_again(role: DefaultRole) -> None:
    assert read_default(role.text) == role


def test_nothing_is_a_default_too() -> None:
    assert checked_default(None, None).is_nothing
    assert not checked_default("viewer", None).is_nothing
    assert not checked_default(None, "none").is_nothing


@pytest.mark.parametrize(
    ("api_role", "kubernetes_role", "field"),
    [
        ("owner", None, "api_role"),
        ("admin", None, "api_role"),
        ("", None, "api_role"),
        (None, "cluster-admin", "kubernetes_role"),
        (None, "inherit", "kubernetes_role"),
    ],
)
def test_what_cannot_be_a_default_is_refused_by_its_field(
    api_role: str | None, kubernetes_role: str | None, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        checked_default(api_role, kubernetes_role)

    assert caught.value.field == field
