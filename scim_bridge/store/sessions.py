"""Sessions of people who signed in; of a cookie's value only the digest is kept."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, MemberId, MemberState
from scim_bridge.domain.sessions import Session, SignInMethod
from scim_bridge.store.changes import Change
from scim_bridge.store.schema import account, member, session
from scim_bridge.store.texts import storable


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """What an identity provider calls a session, and the token to hand back at its sign-out, encrypted."""

    session: str | None = None
    subject: str | None = None
    sealed_id_token: str | None = field(default=None, repr=False)


NOT_BY_A_PROVIDER = ProviderSession()

_FIND = (
    sa.select(session, sa.func.coalesce(account.c.email, account.c.display_name, account.c.id).label("name"))
    .join(account, session.c.account_id == account.c.id)
    .where(session.c.digest == sa.bindparam("digest"))
)


def insert_session(connection: sa.Connection, made: Session, digest: str, provider: ProviderSession) -> None:
    """Add a session, given with the hex SHA-256 of its cookie's value."""
    connection.execute(
        sa.insert(session).values(
            id=made.id,
            digest=digest,
            account_id=made.account_id,
            organization_id=made.organization_id,
            method=made.method.value,
            second_factor=made.second_factor,
            identity_provider_id=made.identity_provider_id,
            provider_session=storable(provider.session, 255),
            provider_subject=storable(provider.subject, 255),
            sealed_id_token=provider.sealed_id_token,
            address=storable(made.address, 64),
            user_agent=storable(made.user_agent, 255),
            created_at=made.created_at,
            last_seen_at=made.last_seen_at,
        )
    )


def find_session(connection: sa.Connection, digest: str) -> tuple[Session, str] | None:
    """Return the session whose cookie has this digest, ended ones too, and what its account is called."""
    row = connection.execute(_FIND, {"digest": digest}).one_or_none()
    return None if row is None else (_session(row), row.name)


def sealed_id_token(connection: sa.Connection, session_id: str) -> str | None:
    """Return the encrypted ID token with which a session began."""
    query = sa.select(session.c.sealed_id_token).where(session.c.id == session_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def touch_session(connection: sa.Connection, used: Session, at: datetime) -> None:
    """Note that a session was used, and the longest time that it was not."""
    idle = int((at - used.last_seen_at).total_seconds())
    longest = session.c.longest_idle_seconds
    values = {"last_seen_at": at, "longest_idle_seconds": sa.case((longest < idle, idle), else_=longest)}
    connection.execute(sa.update(session).where(session.c.id == used.id, session.c.last_seen_at < at).values(**values))
    seeing = sa.update(member).where(member.c.account_id == used.account_id, member.c.state == MemberState.ACTIVE.value)
    if used.organization_id is not None:
        seeing = seeing.where(member.c.organization_id == used.organization_id)
    connection.execute(seeing.values(last_active_at=at))


def sessions_of_member(
    connection: sa.Connection, member_id: MemberId, organization_id: OrganizationId
) -> list[Session]:
    """Return the sessions of a member's account that may open their organization, ended ones too, newest first."""
    opens = sa.or_(session.c.organization_id.is_(None), session.c.organization_id == organization_id)
    query = sa.select(session).join(member, member.c.account_id == session.c.account_id)
    found = connection.execute(query.where(member.c.id == member_id, opens).order_by(session.c.id.desc()))
    return [_session(row) for row in found]


def sessions_of_account(connection: sa.Connection, account_id: AccountId) -> list[Session]:
    """Return every session of an account, ended ones too, newest first."""
    query = sa.select(session).where(session.c.account_id == account_id).order_by(session.c.id.desc())
    return [_session(row) for row in connection.execute(query)]


def find_in_organization(
    connection: sa.Connection, organization_id: OrganizationId, session_id: str
) -> tuple[Session, MemberId] | None:
    """Return a session that may open an organization, and whose it is there."""
    opens = sa.or_(session.c.organization_id.is_(None), session.c.organization_id == organization_id)
    query = (
        sa.select(session, member.c.id.label("member_id"))
        .join(member, member.c.account_id == session.c.account_id)
        .where(session.c.id == session_id, member.c.organization_id == organization_id, opens)
    )
    row = connection.execute(query).first()
    return None if row is None else (_session(row), MemberId(row.member_id))


def end_session(connection: sa.Connection, session_id: str, at: datetime, because: str) -> None:
    """End a session at once, everywhere."""
    _end(connection, session.c.id == session_id, at, because)


def end_sessions_of_account(
    connection: sa.Connection, account_id: AccountId, at: datetime, because: str, but: str | None = None
) -> int:
    """End every session of an account, but perhaps the one in use; return how many."""
    where = session.c.account_id == account_id
    return _end(connection, where if but is None else sa.and_(where, session.c.id != but), at, because)


def end_sessions_of_provider(
    connection: sa.Connection, provider_id: str, at: datetime, *, sid: str | None, subject: str | None
) -> int:
    """End what an identity provider says is over: the session that it calls so, or all of a person."""
    where = session.c.identity_provider_id == provider_id
    if sid is not None:
        where = sa.and_(where, session.c.provider_session == sid)
    if subject is not None:
        where = sa.and_(where, session.c.provider_subject == subject)
    assert sid is not None or subject is not None
    return _end(connection, where, at, "back-channel logout")


def end_sessions_by_provider(connection: sa.Connection, provider_id: str, at: datetime) -> int:
    """End every session that began with an identity provider."""
    return _end(connection, session.c.identity_provider_id == provider_id, at, "identity provider removed")


def end_sessions_of_member(connection: sa.Connection, change: Change, member_id: MemberId) -> None:
    """
    End every session of a member for their organization.

    Those that open it alone are over; those of an account that is elsewhere too do not open this one any more.
    """
    connection.execute(sa.update(member).where(member.c.id == member_id).values(sessions_ended_at=change.at))
    of_member = sa.select(member.c.account_id).where(member.c.id == member_id, member.c.account_id.is_not(None))
    where = sa.and_(session.c.account_id.in_(of_member), session.c.organization_id == change.organization_id)
    _end(connection, where, change.at, change.kind)


def sessions_ended_at(connection: sa.Connection, member_id: MemberId) -> datetime | None:
    """Return until when sessions that began do not open a member's organization."""
    query = sa.select(member.c.sessions_ended_at).where(member.c.id == member_id)
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def purge_sessions(connection: sa.Connection, before: datetime) -> int:
    """Throw away the sessions that nobody has used since a moment."""
    return connection.execute(sa.delete(session).where(session.c.last_seen_at < before)).rowcount


def _end(connection: sa.Connection, where: sa.ColumnElement[bool], at: datetime, because: str) -> int:
    ending = sa.update(session).where(where, session.c.ended_at.is_(None))
    values = {"ended_at": at, "ended_because": because[:63], "sealed_id_token": None}
    return connection.execute(ending.values(**values)).rowcount


def _session(row: sa.Row[Any]) -> Session:
    return Session(
        row.id,
        AccountId(row.account_id),
        None if row.organization_id is None else OrganizationId(row.organization_id),
        SignInMethod(row.method),
        bool(row.second_factor),
        row.identity_provider_id,
        row.address,
        row.user_agent,
        row.created_at,
        row.last_seen_at,
        timedelta(seconds=row.longest_idle_seconds),
        row.ended_at,
        row.ended_because,
    )
