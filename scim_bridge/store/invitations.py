"""Invitations as rows; of a link's secret only its digest is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.invitations import Invitation, InvitationId, InvitationState
from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, GroupId, MemberId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import NotUnique
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.members import lock_member
from scim_bridge.store.schema import invitation, member

_PENDING = invitation.c.state == InvitationState.PENDING.value


@dataclass(frozen=True, slots=True)
class InvitationTerms:
    """What somebody is invited to, and until when."""

    email: str
    api_role: str | None
    kubernetes_role: KubernetesRole | None
    groups: tuple[GroupId, ...]
    expires_at: datetime


def insert_invitation(
    connection: sa.Connection, change: Change, member_id: MemberId, terms: InvitationTerms, digest: str
) -> Invitation:
    """Add a pending invitation."""
    made = InvitationId(new_id())
    statement = sa.insert(invitation)
    _write(
        connection,
        statement.values(
            id=made,
            organization_id=change.organization_id,
            member_id=member_id,
            email=terms.email,
            email_key=fold(terms.email),
            api_role=terms.api_role,
            kubernetes_role=None if terms.kubernetes_role is None else terms.kubernetes_role.value,
            groups=orjson.dumps(terms.groups).decode(),
            state=InvitationState.PENDING.value,
            digest=digest,
            invited_by=change.actor.name[:320],
            created_at=change.at,
            sent_at=change.at,
            expires_at=terms.expires_at,
        ),
        terms.email,
    )
    return lock_invitation(connection, made)


def lock_invitation(connection: sa.Connection, invitation_id: InvitationId) -> Invitation:
    """Return an invitation that is known to be there, kept with its member from other writers."""
    # The member first, as whoever removes a member does.
    lock_member(connection, get_invitation(connection, invitation_id).member_id)
    query = sa.select(invitation).where(invitation.c.id == invitation_id).with_for_update()
    return _invitation(connection.execute(query).one())


def get_invitation(connection: sa.Connection, invitation_id: InvitationId) -> Invitation:
    """Return an invitation that is known to be there."""
    return _invitation(connection.execute(sa.select(invitation).where(invitation.c.id == invitation_id)).one())


def find_by_digest(connection: sa.Connection, digest: str) -> tuple[OrganizationId, InvitationId] | None:
    """Return whose invitation a secret opens, whatever has become of it."""
    query = sa.select(invitation.c.organization_id, invitation.c.id).where(invitation.c.digest == digest)
    row = connection.execute(query).first()
    return None if row is None else (OrganizationId(row[0]), InvitationId(row[1]))


def find_invitations(connection: sa.Connection, organization_id: OrganizationId, named: str) -> list[Invitation]:
    """Return the organization's invitations with this id or, the newest first, for this e-mail address."""
    query = sa.select(invitation).where(
        invitation.c.organization_id == organization_id,
        sa.or_(invitation.c.id == named, invitation.c.email_key == fold(named)),
    )
    return [_invitation(row) for row in connection.execute(query.order_by(invitation.c.id.desc()))]


def pending_of_account(
    connection: sa.Connection, account_id: AccountId, organization_id: OrganizationId
) -> Invitation | None:
    """Return the invitation into an organization that an account has not answered yet, kept from other writers."""
    query = sa.select(invitation.c.id).join(member, member.c.id == invitation.c.member_id).where(_PENDING)
    query = query.where(member.c.account_id == account_id, invitation.c.organization_id == organization_id)
    found = connection.execute(query).scalar()
    return None if found is None else lock_invitation(connection, InvitationId(found))


def pending_of_member(connection: sa.Connection, member_id: MemberId) -> Invitation | None:
    """Return the invitation that somebody, whom the caller has locked, has not answered yet; kept from others too."""
    query = sa.select(invitation).where(invitation.c.member_id == member_id, _PENDING)
    row = connection.execute(query.with_for_update()).first()
    return None if row is None else _invitation(row)


def roles_offered(connection: sa.Connection, member_ids: Iterable[MemberId]) -> dict[MemberId, str]:
    """Return the API role that each of these people was invited to and has not answered."""
    query = sa.select(invitation.c.member_id, invitation.c.api_role).where(
        invitation.c.member_id.in_(list(member_ids)), _PENDING, invitation.c.api_role.is_not(None)
    )
    return {MemberId(row[0]): str(row[1]) for row in connection.execute(query)}


def list_invitations(
    connection: sa.Connection,
    organization_id: OrganizationId,
    at: datetime,
    state: InvitationState | None,
    count: int,
    after: str | None,
) -> list[Invitation]:
    """Return the organization's invitations behind one, the newest first."""
    query = sa.select(invitation).where(invitation.c.organization_id == organization_id)
    if state is not None:
        query = query.where(_in_state(state, at))
    if after is not None:
        query = query.where(invitation.c.id < after)
    return [_invitation(row) for row in connection.execute(query.order_by(invitation.c.id.desc()).limit(count))]


def expired_invitations(connection: sa.Connection, at: datetime, most: int) -> list[tuple[OrganizationId, Invitation]]:
    """Return the invitations that nobody has answered in time, in every organization."""
    query = sa.select(invitation).where(_PENDING, invitation.c.expires_at <= at).order_by(invitation.c.id).limit(most)
    return [(OrganizationId(row.organization_id), _invitation(row)) for row in connection.execute(query)]


def close_invitation(
    connection: sa.Connection, change: Change, invitation_id: InvitationId, state: InvitationState
) -> None:
    """Say what became of an invitation."""
    query = sa.update(invitation).where(invitation.c.id == invitation_id)
    connection.execute(query.values(state=state.value, closed_at=change.at))


def renew_invitation(
    connection: sa.Connection, change: Change, invitation_id: InvitationId, digest: str, expires_at: datetime
) -> None:
    """Let another secret open an invitation, which is pending again, and the one of before nothing."""
    values = {"digest": digest, "sent_at": change.at, "expires_at": expires_at}
    values |= {"state": InvitationState.PENDING.value, "closed_at": None}
    _write(connection, sa.update(invitation).where(invitation.c.id == invitation_id).values(values), "The address")


def _write(connection: sa.Connection, statement: Any, email: str) -> None:
    try:
        connection.execute(statement)
    except IntegrityError as error:
        if "email_key" in str(error.orig):
            raise NotUnique(f"{email} has an invitation that waits for an answer.") from None
        raise


def _in_state(state: InvitationState, at: datetime) -> sa.ColumnElement[bool]:
    is_over = sa.and_(_PENDING, invitation.c.expires_at <= at)
    if state is InvitationState.PENDING:
        return sa.and_(_PENDING, invitation.c.expires_at > at)
    if state is InvitationState.EXPIRED:
        return sa.or_(invitation.c.state == state.value, is_over)
    return invitation.c.state == state.value


def _invitation(row: sa.Row[Any]) -> Invitation:
    return Invitation(
        InvitationId(row.id),
        MemberId(row.member_id),
        row.email,
        row.api_role,
        None if row.kubernetes_role is None else KubernetesRole(row.kubernetes_role),
        tuple(GroupId(each) for each in orjson.loads(row.groups)),
        InvitationState(row.state),
        row.invited_by,
        row.created_at,
        row.sent_at,
        row.expires_at,
        row.closed_at,
    )
