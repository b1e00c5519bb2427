"""What access is said to have been at a moment is what the audit up to that moment tells, whatever was done."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.organizations import Scope, ScopeKind, Tree
from scim_bridge.errors import BridgeError
from scim_bridge.identity import (
    directory_states,
    effective,
    grants,
    hand_groups,
    hand_members,
    holds,
    member_states,
    rules,
    tree,
)
from scim_bridge.identity.cluster_changes import ChangeCluster, MoveCluster
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.names import scope_text
from scim_bridge.identity.project_changes import (
    ChangeProject,
    ChangeService,
    DeleteProject,
    DeleteService,
    MoveProject,
)
from scim_bridge.identity.tree_drafts import TreeDraft, carry_out
from scim_bridge.identity.unit_changes import MoveUnit
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.snapshot import read_organization
from scim_bridge.store.tree import read_tree
from tests.identity.provider import HANDS, Provider
from tests.identity.replay import Opinion, opinion, replay
from tests.identity.rows import organization_id, put_cluster

PEOPLE = ("ana", "ben", "cem")
GROUPS = ("devs", "ops", "team-eu")
SCOPES = ("organization", "unit:prod", "unit:prod/eu", "cluster:prod-eu", "project:shop", "service:shop/web")
ROLES = ("none", "view", "edit")
STEPS = (
    *(MoveUnit(unit, to) for unit in ("prod", "prod/eu", "other/eu") for to in (None, "prod", "other")),
    *(MoveProject("shop", to) for to in (None, "prod", "prod/eu")),
    *(MoveCluster("prod-eu", to) for to in (None, "prod", "prod/eu")),
    *(ChangeProject("shop", clusters=listed) for listed in ((), ("lab",), ("lab", "prod-eu"))),
    *(ChangeProject("shop", namespaces=claimed) for claimed in ((), ("shop", "cart"))),
    *(ChangeService("shop", "web", namespace) for namespace in ("shop", "shop-web", "web")),
    DeleteService("shop", "web"),
    DeleteProject("shop"),
    ChangeCluster("prod-eu", allow_cluster_admin=True),
)
API_ROLES = ("viewer", "developer", "admin")


class Life:
    """One organization in which things happen."""

    def __init__(self, database: Database, slug: str) -> None:
        self.database, self.slug = database, slug
        self.okta, self.entra = (Provider.connect(database, name, slug) for name in ("okta", "entra"))
        tree.create_unit(database, HANDS, slug, "prod")
        tree.create_unit(database, HANDS, slug, "prod/eu")
        tree.create_unit(database, HANDS, slug, "other")
        put_cluster(database, "prod-eu", "prod/eu", slug)
        put_cluster(database, "lab", None, slug)
        tree.create_project(database, HANDS, slug, tree.NewProject("shop", "prod/eu", ("shop",)))
        tree.create_service(database, HANDS, slug, "shop", "web", "shop-web")
        self.users: dict[tuple[str, str], Any] = {}
        self.groups: dict[tuple[str, str], Any] = {}
        self.moments: list[datetime] = []

    def do(self, name: str, *arguments: Any) -> None:
        """Do something, if that makes sense now, and remember when."""
        with suppress(BridgeError, KeyError):
            getattr(self, name)(*arguments)
        self.moments.append(now())

    def idp(self, name: str) -> Provider:
        return self.okta if name == "okta" else self.entra

    def join(self, idp: str, person: str) -> None:
        address = f"{person}@{idp}.example"
        self.users[idp, person] = self.idp(idp).post(address, department="Finance" if person == "ana" else "IT")

    def switch(self, idp: str, person: str, active: bool) -> None:
        self.idp(idp).patch(self.users[idp, person].id, active=active)

    def leave(self, idp: str, person: str) -> None:
        self.idp(idp).delete(self.users.pop((idp, person)).id)

    def found(self, idp: str, group: str) -> None:
        self.groups[idp, group] = self.idp(idp).post_group(group)

    def dissolve(self, idp: str, group: str) -> None:
        self.idp(idp).delete_group(self.groups.pop((idp, group)).id)

    def add(self, idp: str, group: str, person: str) -> None:
        self.idp(idp).add(self.groups[idp, group].id, self.users[idp, person].id)

    def remove(self, idp: str, group: str, person: str) -> None:
        self.idp(idp).remove(self.groups[idp, group].id, self.users[idp, person].id)

    def replace(self, idp: str, group: str, person: str) -> None:
        self.idp(idp).replace(self.groups[idp, group].id, [self.users[idp, person].id])

    def nest(self, idp: str, group: str, other: str) -> None:
        self.idp(idp).add(self.groups[idp, group].id, self.groups[idp, other].id)

    def unnest(self, idp: str, group: str, other: str) -> None:
        self.idp(idp).remove(self.groups[idp, group].id, self.groups[idp, other].id)

    def grant(self, wanted: GrantWanted) -> None:
        grants.add(self.database, HANDS, self.slug, wanted)

    def revoke(self, wanted: GrantWanted) -> None:
        grants.remove(self.database, HANDS, self.slug, wanted)

    def rules(self, role: str, priority: int) -> None:
        document = [
            {"name": "d", "directory": "okta", "group": "devs", "scope": "unit:prod", "kubernetes_role": role},
            {"name": "o", "directory": "okta", "group": "ops", "scope": "unit:prod", "kubernetes_role": "edit"},
            {"name": "f", "directory": "okta", "scope": "organization", "api_role": "viewer"},
        ]
        document[0]["priority"] = priority  # type: ignore[assignment]
        document[2]["attribute"] = {"path": "department", "equals": "Finance"}  # type: ignore[assignment]
        rules.apply(self.database, HANDS, self.slug, {"rules": document})

    def rebuild(self, step: TreeDraft) -> None:
        carry_out(self.database, HANDS, self.slug, step)

    def pause(self, idp: str) -> None:
        directory_states.pause(self.database, HANDS, self.slug, idp)

    def crew(self) -> None:
        hand_groups.create(self.database, HANDS, self.slug, "crew")

    def disband(self) -> None:
        hand_groups.delete(self.database, HANDS, self.slug, "crew")

    def man(self, idp: str, person: str, briefly: bool) -> None:
        expires = (now() + timedelta(milliseconds=30)).isoformat() if briefly else None
        hand_members.add(self.database, HANDS, self.slug, "crew", [f"{person}@{idp}.example"], expires)

    def relieve(self, idp: str, person: str) -> None:
        hand_members.remove(self.database, HANDS, self.slug, "crew", [f"{person}@{idp}.example"])

    def expire(self) -> None:
        hand_members.end_expired_memberships(self.database)

    def lock_out(self, idp: str, person: str) -> None:
        member_states.deactivate(self.database, HANDS, self.slug, f"{person}@{idp}.example")

    def let_in(self, idp: str, person: str) -> None:
        member_states.reactivate(self.database, HANDS, self.slug, f"{person}@{idp}.example")

    def let_go(self) -> None:
        holds.approve(self.database, HANDS, self.slug)


idps, people, groups = st.sampled_from(("okta", "entra")), st.sampled_from(PEOPLE), st.sampled_from(GROUPS)


@st.composite
def wanted(draw: st.DrawFn) -> GrantWanted:
    by_person = draw(st.booleans())
    idp = draw(idps)
    is_api = draw(st.booleans())
    return GrantWanted(
        draw(st.sampled_from(SCOPES)),
        person=f"{draw(people)}@{idp}.example" if by_person else None,
        group=None if by_person else draw(st.sampled_from(("crew", f"{idp}/{draw(groups)}"))),
        api_role=draw(st.sampled_from(API_ROLES)) if is_api else None,
        kubernetes_role=None if is_api else draw(st.sampled_from(ROLES)),
    )


steps = st.one_of(
    st.tuples(st.just("join"), idps, people),
    st.tuples(st.just("switch"), idps, people, st.booleans()),
    st.tuples(st.just("leave"), idps, people),
    st.tuples(st.just("found"), idps, groups),
    st.tuples(st.just("dissolve"), idps, groups),
    st.tuples(st.just("add"), idps, groups, people),
    st.tuples(st.just("remove"), idps, groups, people),
    st.tuples(st.just("replace"), idps, groups, people),
    st.tuples(st.just("nest"), idps, groups, groups),
    st.tuples(st.just("unnest"), idps, groups, groups),
    st.tuples(st.just("grant"), wanted()),
    st.tuples(st.just("revoke"), wanted()),
    st.tuples(st.just("rules"), st.sampled_from(ROLES), st.sampled_from((50, 100))),
    st.tuples(st.just("rebuild"), st.sampled_from(STEPS)),
    st.tuples(st.just("pause"), idps),
    st.tuples(st.just("let_go")),
    st.tuples(st.sampled_from(("crew", "disband", "expire"))),
    st.tuples(st.just("man"), idps, people, st.booleans()),
    st.tuples(st.sampled_from(("relieve", "lock_out", "let_in")), idps, people),
)
BEGINNING: tuple[tuple[Any, ...], ...] = (
    *(("join", idp, person) for idp in ("okta", "entra") for person in PEOPLE),
    *(("found", "okta", group) for group in GROUPS),
    *(("add", "okta", group, person) for group in GROUPS for person in PEOPLE[:2]),
    ("crew",),
    ("man", "okta", "ana", False),
    ("man", "entra", "ben", True),
    ("rules", "view", 100),
    ("grant", GrantWanted("project:shop", group="okta/devs", kubernetes_role="edit")),
    ("grant", GrantWanted("organization", group="okta/ops", api_role="developer")),
    ("grant", GrantWanted("cluster:lab", group="crew", kubernetes_role="edit")),
)
"""Something to take away again: most of what happens by chance to an empty organization is nothing."""


def every_scope(places: Tree) -> list[Scope]:
    kinds: dict[ScopeKind, Iterable[str]] = {
        ScopeKind.UNIT: places.units,
        ScopeKind.PROJECT: places.projects,
        ScopeKind.SERVICE: places.services,
        ScopeKind.CLUSTER: places.clusters,
    }
    return [places.root, *(Scope(kind, each) for kind, known in kinds.items() for each in known)]


def told(life: Life, member_id: str, at: datetime) -> Opinion:
    """Return what the bridge says about a person at a moment, by ids."""
    found = effective.effective_access(life.database, HANDS, life.slug, member_id, at.isoformat())
    with life.database.read() as connection:
        places = read_tree(connection, organization_id(connection, life.slug), at)
    clusters = {each.name: each.id for each in places.clusters.values()}
    ids = {scope_text(places, scope): scope.id for scope in every_scope(places)}
    return Opinion(
        {clusters[each.cluster]: each.role for each in found.clusters if each.role is not None},
        {(clusters[each.cluster], n.namespace): n.role for each in found.clusters for n in each.namespaces},
        {ids[each.scope]: set(each.api_roles) for each in found.scopes},
    )


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(happenings=st.lists(steps, min_size=1, max_size=14))
def test_access_at_any_moment_is_what_the_audit_up_to_then_tells(
    migrated_url: str, happenings: list[tuple[Any, ...]]
) -> None:
    database = Database(migrated_url)
    life = Life(database, f"org-{uuid4().hex[:12]}")
    for each in (*BEGINNING, *happenings):
        life.do(*each)
    with database.read() as connection:
        owner = organization_id(connection, life.slug)
        everybody = sorted(read_organization(connection, owner, now()).members)

    for at in life.moments[-len(happenings) - 1 :]:
        state = replay(database, owner, at)
        for member_id in everybody:
            assert told(life, member_id, at) == opinion(state, member_id), (at, member_id)
    database.dispose()
