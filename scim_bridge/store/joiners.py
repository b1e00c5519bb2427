"""People who signed in and wait for somebody to let them join."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId, MemberSource, MemberState
from scim_bridge.store.schema import identity_provider, login_subject, member


@dataclass(frozen=True, slots=True)
class Joiner:
    """Somebody who waits: ``subject`` is who they are for the identity provider by which they came."""

    member_id: MemberId
    user_name: str
    identity_provider: str
    subject: str
    since: datetime


def list_joiners(connection: sa.Connection, organization_id: OrganizationId) -> list[Joiner]:
    """Return who waits, the longest first."""
    return [_joiner(row) for row in connection.execute(_waiting(organization_id))]


def find_joiner(connection: sa.Connection, organization_id: OrganizationId, member_id: MemberId) -> Joiner | None:
    """Return somebody who waits."""
    row = connection.execute(_waiting(organization_id).where(member.c.id == member_id)).one_or_none()
    return None if row is None else _joiner(row)


def _waiting(organization_id: OrganizationId) -> sa.Select[Any]:
    return (
        sa.select(
            member.c.id,
            member.c.user_name,
            identity_provider.c.name,
            login_subject.c.subject,
            login_subject.c.created_at,
        )
        .join(login_subject, login_subject.c.member_id == member.c.id)
        .join(identity_provider, identity_provider.c.id == login_subject.c.identity_provider_id)
        .where(
            member.c.organization_id == organization_id,
            member.c.state == MemberState.INVITED.value,
            member.c.source == MemberSource.LOGIN.value,
        )
        .order_by(login_subject.c.id)
    )


def _joiner(row: sa.Row[Any]) -> Joiner:
    return Joiner(MemberId(row.id), row.user_name, row.name, row.subject, row.created_at)
