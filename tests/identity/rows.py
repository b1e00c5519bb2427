"""Look at, and put, rows that use cases of other rooms write."""

import json
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import CaseRule, ClusterId, OrganizationId, TargetKind
from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, ScimUserId
from scim_bridge.identity.names import the_unit
from scim_bridge.store import schema
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import NewTarget, insert_cluster
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import find_directory
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.member_words import add_words
from scim_bridge.store.organizations import find_organization
from scim_bridge.store.tree import read_tree

ACTOR = Actor(ActorKind.DIRECTORY, "okta")


def count(database: Database, table: str) -> int:
    """Return how many rows a table has."""
    with database.read() as connection:
        query = sa.select(sa.func.count()).select_from(schema.metadata.tables[table])
        return int(connection.execute(query).scalar_one())


def organization_id(connection: Connection, slug: str = "acme") -> OrganizationId:
    """Return an organization's id."""
    found = find_organization(connection, slug)
    assert found is not None
    return found.id


def directory_id(connection: Connection, name: str = "okta", slug: str = "acme") -> DirectoryId:
    """Return a directory's id."""
    found = find_directory(connection, organization_id(connection, slug), name)
    assert found is not None
    return found.id


def begin(connection: Connection, slug: str = "acme") -> Change:
    """Begin a change, as a directory's request does."""
    change = new_change(organization_id(connection, slug), ACTOR, "test.changed", now())
    add_change(connection, change)
    return change


def put_group(
    connection: Connection, change: Change, name: str, directory: DirectoryId | None, external_id: str | None = None
) -> GroupId:
    """Add a group as a directory's request does, before rules have seen it."""
    made = GroupId(new_id())
    connection.execute(
        sa.insert(schema.user_group).values(
            id=made,
            organization_id=change.organization_id,
            directory_id=directory,
            display_name=name,
            display_name_key=name.casefold(),
            external_id=external_id,
            version=1,
            created_at=change.at,
            updated_at=change.at,
        )
    )
    return made


def put_user(
    connection: Connection, change: Change, user_name: str, directory: DirectoryId, **attributes: object
) -> tuple[ScimUserId, MemberId]:
    """Add a person as a directory's request does, before rules have seen them."""
    member_id, user_id = MemberId(new_id()), ScimUserId(new_id())
    connection.execute(
        sa.insert(schema.member).values(
            id=member_id,
            organization_id=change.organization_id,
            directory_id=directory,
            user_name=user_name,
            user_name_key=user_name.casefold(),
            email=user_name,
            email_key=user_name.casefold(),
            state="active",
            source="scim",
            created_at=change.at,
        )
    )
    add_words(connection, change.organization_id, member_id, (user_name,))
    connection.execute(
        sa.insert(schema.scim_user).values(
            id=user_id,
            organization_id=change.organization_id,
            directory_id=directory,
            member_id=member_id,
            user_name=user_name,
            user_name_key=user_name.casefold(),
            active=True,
            document=json.dumps({"userName": user_name, **attributes}),
            version=1,
            created_at=change.at,
            updated_at=change.at,
        )
    )
    return user_id, member_id


def put_membership(connection: Connection, change: Change, group_id: GroupId, member_id: MemberId) -> None:
    """Put a person into a group."""
    connection.execute(
        sa.insert(schema.membership).values(
            id=new_id(),
            organization_id=change.organization_id,
            group_id=group_id,
            member_id=member_id,
            origin="scim",
            valid_from=change.at,
        )
    )


def nest(connection: Connection, change: Change, parent_id: GroupId, child_id: GroupId) -> None:
    """Put a group into a group."""
    connection.execute(
        sa.insert(schema.nesting).values(
            id=new_id(),
            organization_id=change.organization_id,
            parent_id=parent_id,
            child_id=child_id,
            origin="scim",
            valid_from=change.at,
        )
    )


def remove_group(connection: Connection, group_id: GroupId, at: datetime) -> None:
    """Mark a group as gone."""
    connection.execute(sa.update(schema.user_group).where(schema.user_group.c.id == group_id).values(removed_at=at))


def put_cluster(
    database: Database,
    name: str,
    unit: str | None = None,
    slug: str = "acme",
    template: str = "{user_name}",
    case: CaseRule = CaseRule.KEEP,
) -> ClusterId:
    """Register a cluster whose folder nobody ever opens."""
    with database.write() as connection:
        change = begin(connection, slug)
        unit_id = the_unit(read_tree(connection, change.organization_id), unit)
        target = NewTarget(name, unit_id, TargetKind.MANIFESTS, template, "nowhere", folder="nowhere", approved=True)
        return insert_cluster(connection, change, target).id


def rename_group(connection: Connection, group_id: GroupId, name: str) -> None:
    """Give a group another name."""
    connection.execute(
        sa.update(schema.user_group)
        .where(schema.user_group.c.id == group_id)
        .values(display_name=name, display_name_key=name.casefold())
    )


def write_document(connection: Connection, user_id: ScimUserId, document: dict[str, object]) -> None:
    """Give a SCIM user other attributes."""
    connection.execute(
        sa.update(schema.scim_user).where(schema.scim_user.c.id == user_id).values(document=json.dumps(document))
    )
