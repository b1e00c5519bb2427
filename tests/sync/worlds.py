"""An organization in a real database, made of rows, for passes to work on."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import ClusterId, OrganizationId, Scope, ScopeKind, TargetKind
from scim_bridge.domain.people import MemberId
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.cluster_registry import NewTarget, insert_cluster
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.installation import instance_id
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import (
    applied_subject,
    cluster_condition,
    cluster_sync,
    directory,
    grant,
    grant_origin,
    member,
    membership,
    organization,
    project,
    project_namespace,
    sync_pass,
    user_group,
)
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import DryRun, PassReport, plan_cluster, reconcile_cluster
from tests.fakes.cluster import FakeCluster

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLI = Actor(ActorKind.CLI, "ada")


@dataclass
class World:
    """One organization with one cluster, and a clock that goes when it is told to."""

    database: Database
    organization_id: OrganizationId
    cluster_id: ClusterId
    cluster: FakeCluster
    at: datetime = NOON
    clusters: dict[ClusterId, FakeCluster] = field(default_factory=dict)

    def reconcile(self, policy: PassPolicy | None = None, goes_on: Callable[[], bool] = lambda: True) -> PassReport:
        self.at += timedelta(seconds=1)
        return reconcile_cluster(
            self.database,
            self.cluster,
            self.organization_id,
            self.cluster_id,
            policy or PassPolicy(),
            lambda: self.at,
            goes_on,
        )

    def plan(self) -> DryRun:
        return plan_cluster(
            self.database, self.cluster, self.organization_id, self.cluster_id, PassPolicy(), lambda: self.at
        )

    def add_cluster(self, name: str, *, approved: bool = True) -> "World":
        """Register another cluster, and return this world as seen from it."""
        with self.database.write() as connection:
            target = replace(TARGET, name=name, approved=approved)
            made = insert_cluster(connection, self.change(connection), target)
            instance = instance_id(connection)
        other = World(self.database, self.organization_id, made.id, FakeCluster(instance), self.at, self.clusters)
        self.clusters[made.id] = other.cluster
        return other

    def open(self, cluster_id: ClusterId) -> FakeCluster:
        return self.clusters[cluster_id]

    def activate(self, *member_ids: str) -> None:
        with self.database.write() as connection:
            connection.execute(sa.update(member).where(member.c.id.in_(member_ids)).values(state="active"))
            self.change(connection)

    def row(self) -> sa.Row[Any]:
        """Return the cluster's row of synchronization."""
        with self.database.read() as connection:
            return connection.execute(sa.select(cluster_sync).where(cluster_sync.c.cluster_id == self.cluster_id)).one()

    def last_pass(self) -> sa.Row[Any]:
        with self.database.read() as connection:
            query = sa.select(sync_pass).where(sync_pass.c.cluster_id == self.cluster_id)
            return connection.execute(query.order_by(sync_pass.c.id.desc()).limit(1)).one()

    def change(self, connection: sa.Connection) -> Change:
        made = new_change(self.organization_id, CLI, "test", self.at)
        add_change(connection, made)
        return made

    def insert(self, table: sa.Table, **values: object) -> str:
        made = new_id()
        with self.database.write() as connection:
            row = {"id": made, "organization_id": self.organization_id} | values
            connection.execute(sa.insert(table).values(row))
        return made

    def add_member(self, name: str, state: str = "active") -> str:
        return self.insert(member, user_name=name, state=state, source="manual", created_at=self.at)

    def add_group(self, name: str, directory_id: str | None = None) -> str:
        return self.insert(
            user_group,
            display_name=name,
            display_name_key=name,
            directory_id=directory_id,
            version=1,
            created_at=self.at,
            updated_at=self.at,
        )

    def add_directory(self, state: str) -> str:
        return self.insert(directory, name=f"{state}-one", kind="okta", state=state, created_at=self.at)

    def join(self, group_id: str, *member_ids: str, **values: object) -> None:
        for member_id in member_ids:
            row = {"group_id": group_id, "member_id": member_id, "origin": "scim", "valid_from": self.at} | values
            self.insert(membership, **row)

    def leave(self, group_id: str, *member_ids: str) -> None:
        with self.database.write() as connection:
            connection.execute(
                sa.update(membership)
                .where(membership.c.group_id == group_id, membership.c.member_id.in_(member_ids))
                .values(valid_to=self.at)
            )

    @property
    def scope(self) -> Scope:
        """Return the organization as a scope."""
        return Scope(ScopeKind.ORGANIZATION, self.organization_id)

    def give(
        self, role: str, *, group: str | None = None, member_id: str | None = None, scope: Scope | None = None
    ) -> None:
        place = scope or self.scope
        grant_id = self.insert(
            grant,
            group_id=group,
            member_id=member_id,
            scope_kind=place.kind.value,
            scope_id=place.id,
            kubernetes_role=role,
            valid_from=self.at,
        )
        self.insert(grant_origin, grant_id=grant_id, kind="manual", valid_from=self.at)

    def give_namespace(self, role: str, group: str, namespace: str) -> Scope:
        """Give a group a role in a namespace, by a project of its own."""
        project_id = self.insert(project, name=namespace, created_at=self.at)
        self.insert(project_namespace, project_id=project_id, namespace=namespace, valid_from=self.at)
        scope = Scope(ScopeKind.PROJECT, project_id)
        self.give(role, group=group, scope=scope)
        return scope

    def deactivate(self, *member_ids: str) -> None:
        with self.database.write() as connection:
            connection.execute(sa.update(member).where(member.c.id.in_(member_ids)).values(state="deactivated"))
            request_removals(connection, self.change(connection), map(MemberId, member_ids), "deactivated")

    def health(self) -> tuple[str, str | None]:
        row = self.row()
        return (row.health, row.last_error)

    def conditions(self) -> list[str]:
        query = sa.select(cluster_condition.c.kind).where(cluster_condition.c.cluster_id == self.cluster_id)
        with self.database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def people_on_record(self) -> set[str]:
        """Return the subjects that the record has on this cluster."""
        query = sa.select(applied_subject.c.subject).where(applied_subject.c.cluster_id == self.cluster_id)
        with self.database.read() as connection:
            return set(connection.execute(query).scalars())


TARGET = NewTarget("prod", None, TargetKind.MANIFESTS, "{user_name}", "nowhere", folder="/nowhere", approved=True)


def make_world(database: Database, *, approved: bool = True) -> World:
    """Make an organization with one cluster."""
    organization_id = OrganizationId(new_id())
    with database.write() as connection:
        connection.execute(
            sa.insert(organization).values(id=organization_id, slug="acme", name="Acme", created_at=NOON)
        )
        change = new_change(organization_id, CLI, "test", NOON)
        add_change(connection, change)
        made = insert_cluster(connection, change, replace(TARGET, approved=approved))
        instance = instance_id(connection)
    world = World(database, organization_id, made.id, FakeCluster(instance))
    world.clusters[made.id] = world.cluster
    return world


def team(world: World, count: int, role: str = "edit", name: str = "team") -> tuple[str, list[str]]:
    """Make a group with a role on every cluster, and so many people in it."""
    group = world.add_group(name)
    people = [world.add_member(f"{name}-{number:02}") for number in range(count)]
    world.join(group, *people)
    world.give(role, group=group)
    return group, people
