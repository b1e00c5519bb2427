"""The catalogue of permissions: what ships, and which catalogues are refused."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.permissions import Catalogue, grant_permission, parse_catalogue, permissions
from scim_bridge.domain.roles import ApiRole, KubernetesRole
from scim_bridge.errors import Invalid

FILE = Path(__file__).parents[2] / "config" / "roles.toml"
SHIPPED = parse_catalogue(tomllib.loads(FILE.read_text()))
role_sets = st.sets(st.sampled_from(sorted(SHIPPED.roles)))


def document(**roles: dict[str, object]) -> dict[str, Any]:
    built_in: dict[str, dict[str, object]] = {role.value: {"permissions": ["org:read"]} for role in ApiRole}
    return {"version": 1, "permissions": {"org:read": "see it"}, "roles": built_in | roles}


def test_owner_admin_developer_and_viewer_each_hold_all_of_the_next() -> None:
    viewer, developer, admin, owner = (SHIPPED.roles[name] for name in ("viewer", "developer", "admin", "owner"))

    assert viewer < developer < admin < owner


def test_every_permission_is_held_by_an_owner_and_says_what_it_allows() -> None:
    assert SHIPPED.roles["owner"] == SHIPPED.descriptions.keys()
    assert all(SHIPPED.descriptions.values())


def test_each_project_role_holds_what_its_column_lists() -> None:
    reader, operator, admin = (SHIPPED.roles[name] for name in ("read_only", "operator", "project_admin"))

    assert reader < operator < admin
    assert "service:data:write" not in operator
    assert "service:data:write" in SHIPPED.roles["developer"]
    assert "project:services:write" not in SHIPPED.roles["developer"]
    assert "project:permissions:write" in admin
    assert not any(name.startswith("org") for name in admin)


@pytest.mark.parametrize("role", list(KubernetesRole))
def test_only_admins_and_owners_grant_kubernetes_roles(role: KubernetesRole) -> None:
    holders = {name for name, held in SHIPPED.roles.items() if grant_permission(role) in held}

    assert holders == {"admin", "owner"}


def test_a_billing_admin_pays_and_sees_no_clusters() -> None:
    held = SHIPPED.roles["billing-admin"]

    assert "billing.invoices:manage" in held
    assert "clusters:read" not in held


@given(role_sets, role_sets)
def test_more_roles_never_allow_less_and_the_union_is_all_there_is(some: set[str], more: set[str]) -> None:
    assert permissions(SHIPPED, some) <= permissions(SHIPPED, some | more)
    assert permissions(SHIPPED, some | more) == permissions(SHIPPED, some) | permissions(SHIPPED, more)


def test_an_unknown_role_and_no_role_allow_nothing() -> None:
    assert permissions(SHIPPED, ["king"]) == frozenset()
    assert permissions(Catalogue(), ["owner"]) == frozenset()
    assert permissions(SHIPPED, []) == frozenset()


@pytest.mark.parametrize(
    ("roles", "field"),
    [
        ({"x": {"permissions": ["org:raed"]}}, "roles.x.permissions"),
        ({"x": {"includes": ["y"]}}, "roles.x.includes"),
        ({"x": {"includes": ["z"]}, "z": {"includes": ["x"]}}, "roles.x.includes"),
        ({"x": {"includes": "viewer"}}, "roles.x.includes"),
        ({"x": {"denies": ["org:read"]}}, "roles.x"),
        ({"x": 3}, "roles.x"),
    ],
)
def test_a_role_that_makes_no_sense_is_refused_with_its_place(roles: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_catalogue(document(**roles))

    assert caught.value.field == field


def test_a_catalogue_without_a_built_in_role_is_refused() -> None:
    lacking = document()
    del lacking["roles"]["viewer"]

    with pytest.raises(Invalid, match="viewer"):
        parse_catalogue(lacking)


@pytest.mark.parametrize(
    "changes",
    [{"version": 2}, {"colour": "red"}, {"permissions": []}, {"permissions": {"x": "no colon"}}, {"roles": []}],
)
def test_a_file_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        parse_catalogue(document() | changes)
