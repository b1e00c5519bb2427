"""A member's roles in the whole organization, set in one step."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import BridgeError, Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import grants, member_states, organizations
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.member_roles import RolesWanted, set_roles
from scim_bridge.store.database import Database
from tests.identity.people import owners, put_owner, put_person
from tests.identity.provider import removals
from tests.identity.rows import count

SCOPE = "organization"


def _grants(database: Database, person: str = "ana@x.example") -> list[tuple[str | None, str | None, str]]:
    found = [each for each in grants.list_all(database, "acme") if each.holder == person and each.scope == SCOPE]
    return sorted(((g.api_role, g.kubernetes_role, ", ".join(g.origins)) for g in found), key=str)


def test_roles_of_both_axes_are_given_in_one_step(database: Database, actor: Actor) -> None:
    put_person(database, "ana@x.example")

    made = set_roles(database, actor, "acme", "ana@x.example", RolesWanted("developer", "edit"))

    assert (made.api_roles, made.kubernetes_roles, made.changed) == (("developer",), ("edit",), True)
    assert _grants(database) == [("developer", None, "manual by tests"), (None, "edit", "manual by tests")]


def test_a_new_role_takes_the_place_of_the_old_and_the_other_axis_stays(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    set_roles(database, actor, "acme", ana, RolesWanted("developer", "edit"))

    set_roles(database, actor, "acme", ana, RolesWanted(kubernetes_role="view"))

    assert _grants(database) == [("developer", None, "manual by tests"), (None, "view", "manual by tests")]
    assert [(who, why) for who, why, _ in removals(database)] == [(ana, "grant")]


def test_half_of_a_grant_that_gives_both_roles_stays(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    both = GrantWanted(SCOPE, person=ana, api_role="developer", kubernetes_role="edit")
    grants.add(database, actor, "acme", both)

    set_roles(database, actor, "acme", ana, RolesWanted("viewer"))

    assert _grants(database) == [("viewer", None, "manual by tests"), (None, "edit", "manual by tests")]


def test_inherit_takes_away_what_hands_gave_and_none_says_nothing_explicitly(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    set_roles(database, actor, "acme", ana, RolesWanted("developer", "edit"))

    set_roles(database, actor, "acme", ana, RolesWanted("inherit", "none"))

    assert _grants(database) == [(None, "none", "manual by tests")]


def test_setting_the_same_again_writes_nothing(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    set_roles(database, actor, "acme", ana, RolesWanted("developer", "edit"))
    before = count(database, "change_row")

    again = set_roles(database, actor, "acme", ana, RolesWanted("developer", "edit"))

    assert (again.changed, count(database, "change_row")) == (False, before)


def test_what_a_person_holds_below_the_organization_is_left_alone(database: Database, actor: Actor) -> None:
    from scim_bridge.identity import tree

    ana = put_person(database, "ana@x.example")
    tree.create_unit(database, actor, "acme", "production")
    grants.add(database, actor, "acme", GrantWanted("unit:production", person=ana, kubernetes_role="edit"))

    set_roles(database, actor, "acme", ana, RolesWanted(kubernetes_role="view"))

    scopes = {each.scope for each in grants.list_all(database, "acme")}
    assert scopes == {"organization", "unit:production"}


def test_an_owner_steps_down_only_while_another_works(database: Database, actor: Actor) -> None:
    ana, bob = put_owner(database, "ana@x.example"), put_owner(database, "bob@x.example")
    set_roles(database, actor, "acme", ana, RolesWanted("admin"))

    with pytest.raises(Refused, match="last working owner"):
        set_roles(database, actor, "acme", bob, RolesWanted("admin"))

    assert owners(database) == {bob}


@pytest.mark.parametrize(
    ("wanted", "error", "field"),
    [
        (RolesWanted(), Invalid, "api_role"),
        (RolesWanted("king"), Invalid, "api_role"),
        (RolesWanted(kubernetes_role="root"), Invalid, "kubernetes_role"),
    ],
)
def test_a_role_that_there_is_not_changes_nothing(
    database: Database, actor: Actor, wanted: RolesWanted, error: type[BridgeError], field: str
) -> None:
    ana = put_person(database, "ana@x.example")

    with pytest.raises(error) as raised:
        set_roles(database, actor, "acme", ana, wanted)

    assert getattr(raised.value, "field", None) == field
    assert _grants(database) == []


def test_nobody_deactivated_becomes_an_owner(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    member_states.deactivate(database, actor, "acme", ana)

    with pytest.raises(Conflict, match="cannot become an owner"):
        set_roles(database, actor, "acme", ana, RolesWanted("owner"))

    assert owners(database) == set()


def test_a_person_of_another_organization_has_no_roles_here(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    eve = put_person(database, "eve@x.example", slug="globex")

    with pytest.raises(NotFound):
        set_roles(database, actor, "acme", eve, RolesWanted("viewer"))
