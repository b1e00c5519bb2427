"""Members that are programs."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, MemberId, MemberSource, MemberState
from scim_bridge.store.changes import Change
from scim_bridge.store.history import record_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.member_words import add_words
from scim_bridge.store.schema import account, member


class ApplicationRow(NamedTuple):
    """One application user as it is stored."""

    id: MemberId
    name: str
    description: str
    state: MemberState
    created_at: datetime
    last_active_at: datetime | None


def insert_application_user(connection: sa.Connection, change: Change, name: str, description: str) -> MemberId:
    """Add an application user with an identity of its own."""
    account_id, made = AccountId(new_id()), MemberId(new_id())
    connection.execute(sa.insert(account).values(id=account_id, display_name=name, created_at=change.at))
    connection.execute(
        sa.insert(member).values(
            id=made,
            organization_id=change.organization_id,
            account_id=account_id,
            user_name=name,
            user_name_key=fold(name),
            display_name=description or None,
            state=MemberState.ACTIVE.value,
            source=MemberSource.APPLICATION.value,
            created_at=change.at,
        )
    )
    add_words(connection, change.organization_id, made, (name, description))
    record_fact(connection, change, "member", made, "state", MemberState.ACTIVE.value)
    return made


def list_application_users(connection: sa.Connection, organization_id: OrganizationId) -> list[ApplicationRow]:
    """Return the application users that were not removed, by name."""
    query = (
        sa.select(member)
        .where(
            member.c.organization_id == organization_id,
            member.c.source == MemberSource.APPLICATION.value,
            member.c.state != MemberState.REMOVED.value,
        )
        .order_by(member.c.user_name)
    )
    return [
        ApplicationRow(
            MemberId(row.id),
            row.user_name,
            row.display_name or "",
            MemberState(row.state),
            row.created_at,
            row.last_active_at,
        )
        for row in connection.execute(query)
    ]
