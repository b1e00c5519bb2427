"""A question about everybody reads those whom a grant in question reaches, and nobody else."""

from datetime import datetime
from time import sleep

import pytest

from scim_bridge.domain.organizations import Scope, ScopeKind
from scim_bridge.identity import grants, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.explain import When
from scim_bridge.store.holders import members_reached
from scim_bridge.store.tree import read_tree
from tests.identity.provider import HANDS, Provider, rows
from tests.identity.rows import organization_id


@pytest.fixture
def okta(database: Database) -> Provider:
    """Return a company of four: by hand, in a group, in a group in it, and with nothing."""
    made = Provider.connect(database)
    _, ben, cem, _ = (made.post(f"{name}@acme.example") for name in ("ana", "ben", "cem", "dov"))
    outer, inner = made.post_group("outer", ben.id), made.post_group("inner", cem.id)
    made.add(outer.id, inner.id)
    made.add(inner.id, outer.id)
    tree.create_unit(database, HANDS, "acme", "prod")
    grants.add(database, HANDS, "acme", GrantWanted("unit:prod", person="ana@acme.example", kubernetes_role="view"))
    grants.add(database, HANDS, "acme", GrantWanted("unit:prod", group="outer", kubernetes_role="edit"))
    grants.add(database, HANDS, "acme", GrantWanted("organization", person="dov@acme.example", api_role="viewer"))
    return made


def reached(okta: Provider, kind: ScopeKind, at: datetime | None = None) -> set[str]:
    """Return the names of whom grants at the unit or at the organization reach."""
    when = When(now()) if at is None else When(at, is_past=True)
    with okta.database.read() as connection:
        owner = organization_id(connection)
        places = read_tree(connection, owner)
        scope = places.root if kind is ScopeKind.ORGANIZATION else Scope(kind, next(iter(places.units)))
        found = set(members_reached(connection, owner, [scope], when))
    return {row["user_name"].partition("@")[0] for row in rows(okta.database, "member") if row["id"] in found}


def test_a_grant_reaches_a_person_a_group_and_the_groups_in_it(okta: Provider) -> None:
    assert reached(okta, ScopeKind.UNIT) == {"ana", "ben", "cem"}
    assert reached(okta, ScopeKind.ORGANIZATION) == {"dov"}


def test_no_place_reaches_nobody(okta: Provider) -> None:
    with okta.database.read() as connection:
        found = members_reached(connection, organization_id(connection), [], When(now()))

    assert found == []


def test_the_past_reaches_whom_it_reached(okta: Provider) -> None:
    sleep(0.002)
    before = now()
    sleep(0.002)
    groups = {row["display_name"]: row["id"] for row in rows(okta.database, "user_group")}
    okta.delete_group(groups["inner"])
    wanted = GrantWanted("unit:prod", person="ana@acme.example", kubernetes_role="view")
    grants.remove(okta.database, HANDS, "acme", wanted)

    assert reached(okta, ScopeKind.UNIT, before) == {"ana", "ben", "cem"}
    assert reached(okta, ScopeKind.UNIT) == {"ben"}


def test_another_organizations_places_reach_nobody(okta: Provider) -> None:
    Provider.connect(okta.database, "okta", "globex")
    with okta.database.read() as connection:
        acme, globex = organization_id(connection), organization_id(connection, "globex")
        found = members_reached(connection, globex, [read_tree(connection, acme).root], When(now()))

    assert found == []
