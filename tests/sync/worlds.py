"""An organization in a real database, made of rows, for passes to work on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import ClusterId, OrganizationId, TargetKind
from scim_bridge.domain.people import MemberId
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.cluster_registry import NewTarget, insert_cluster
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import (
    cluster_condition,
    cluster_sync,
    directory,
    grant,
    grant_origin,
    member,
    membership,
    organization,
    user_group,
)
from scim_bridge.sync.reconciler import PassPolicy, PassReport, reconcile_cluster
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

    def reconcile(self, policy: PassPolicy | None = None) -> PassReport:
        self.at += timedelta(seconds=1)
        return reconcile_cluster(
            self.database, self.cluster, self.organization_id, self.cluster_id, policy or PassPolicy(), lambda: self.at
        )

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

    def give(self, role: str, *, group: str | None = None, member_id: str | None = None) -> None:
        grant_id = self.insert(
            grant,
            group_id=group,
            member_id=member_id,
            scope_kind="organization",
            scope_id=self.organization_id,
            kubernetes_role=role,
            valid_from=self.at,
        )
        self.insert(grant_origin, grant_id=grant_id, kind="manual", valid_from=self.at)

    def deactivate(self, *member_ids: str) -> None:
        with self.database.write() as connection:
            connection.execute(sa.update(member).where(member.c.id.in_(member_ids)).values(state="deactivated"))
            request_removals(connection, self.change(connection), map(MemberId, member_ids), "deactivated")

    def health(self) -> tuple[str, str | None]:
        with self.database.read() as connection:
            row = connection.execute(sa.select(cluster_sync.c.health, cluster_sync.c.last_error)).one()
            return (row.health, row.last_error)

    def conditions(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(cluster_condition.c.kind)).scalars())


def make_world(database: Database) -> World:
    """Make an organization with one approved cluster."""
    organization_id = OrganizationId(new_id())
    with database.write() as connection:
        connection.execute(
            sa.insert(organization).values(id=organization_id, slug="acme", name="Acme", created_at=NOON)
        )
        change = new_change(organization_id, CLI, "test", NOON)
        add_change(connection, change)
        target = NewTarget(
            "prod", None, TargetKind.MANIFESTS, "{user_name}", "nowhere", folder="/nowhere", approved=True
        )
        made = insert_cluster(connection, change, target)
    return World(database, organization_id, made.id, FakeCluster())
