"""Documents that were applied to an organization, and what the store knows that a document holds."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberId, MemberState
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import member, membership, organization_document, user_group

BY_HAND = "manual"


@dataclass(frozen=True, slots=True)
class AppliedDocument:
    """A document as it was applied."""

    document: str
    digest: str
    author: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class HandMadeGroup:
    """A group that no directory owns, and who is in it by hand and for good."""

    id: GroupId
    name: str
    description: str
    members: tuple[MemberId, ...]


def newest_document(connection: sa.Connection, organization_id: OrganizationId) -> AppliedDocument | None:
    """Return the document that was applied last."""
    rows = organization_document.c
    query = sa.select(organization_document).where(rows.organization_id == organization_id).order_by(rows.id.desc())
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else AppliedDocument(row.document, row.digest, row.author, row.applied_at)


def insert_document(connection: sa.Connection, change: Change, document: str, digest: str) -> None:
    """Keep a document that is applied with this change."""
    connection.execute(
        sa.insert(organization_document).values(
            id=new_id(),
            organization_id=change.organization_id,
            document=document,
            digest=digest,
            author=change.actor.name[:320],
            applied_at=change.at,
        )
    )


def hand_made_groups(connection: sa.Connection, organization_id: OrganizationId) -> list[HandMadeGroup]:
    """Return the groups that no directory owns, by name."""
    groups = connection.execute(
        sa.select(user_group.c.id, user_group.c.display_name, user_group.c.description)
        .where(
            user_group.c.organization_id == organization_id,
            user_group.c.directory_id.is_(None),
            user_group.c.removed_at.is_(None),
        )
        .order_by(user_group.c.display_name_key, user_group.c.id)
    ).all()
    inside: dict[str, list[MemberId]] = {}
    for group_id, member_id in connection.execute(_BY_HAND.where(membership.c.organization_id == organization_id)):
        inside.setdefault(group_id, []).append(MemberId(member_id))
    return [
        HandMadeGroup(GroupId(id_), name, description or "", tuple(inside.get(id_, ())))
        for id_, name, description in groups
    ]


_BY_HAND = (
    sa.select(membership.c.group_id, membership.c.member_id)
    .join(member, member.c.id == membership.c.member_id)
    .where(
        membership.c.valid_to.is_(None),
        membership.c.origin == BY_HAND,
        # What ends by itself is no document's business.
        membership.c.expires_at.is_(None),
        member.c.state != MemberState.REMOVED.value,
    )
    .order_by(membership.c.id)
)
