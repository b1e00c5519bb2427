"""What each organization accepts of those who sign in; and its break-glass accounts, which stand outside."""

from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, DirectoryId, MemberId, MemberState
from scim_bridge.domain.sessions import DEFAULT_POLICY, AuthenticationPolicy
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import authentication_policy, break_glass, member

_READ = sa.select(authentication_policy.c.document).where(
    authentication_policy.c.organization_id == sa.bindparam("organization")
)
_BREAK_GLASS = sa.select(break_glass.c.id).where(
    break_glass.c.member_id == sa.bindparam("member"), break_glass.c.removed_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """A local account that stands outside sign-on and directories."""

    id: str
    organization_id: OrganizationId
    member_id: MemberId
    user_name: str
    state: MemberState
    directory_id: DirectoryId | None
    account_id: AccountId | None
    created_by: str
    created_at: datetime
    last_used_at: datetime | None


def read_policy(connection: sa.Connection, organization_id: OrganizationId) -> AuthenticationPolicy:
    """Return an organization's policy: what it has said, and what holds where it said nothing."""
    found = connection.execute(_READ, {"organization": organization_id}).scalar_one_or_none()
    if found is None:
        return DEFAULT_POLICY
    values = orjson.loads(found)
    lists = {name: tuple(values[name]) for name in ("methods", "ip_ranges")}
    return AuthenticationPolicy(**(values | lists))


def write_policy(connection: sa.Connection, change: Change, policy: AuthenticationPolicy) -> None:
    """Replace an organization's policy."""
    table = authentication_policy
    document = orjson.dumps(asdict(policy)).decode()
    values = {"document": document, "version": table.c.version + 1, "updated_at": change.at}
    updating = sa.update(table).where(table.c.organization_id == change.organization_id).values(**values)
    if connection.execute(updating).rowcount == 0:
        new = {"organization_id": change.organization_id, "document": document, "version": 1, "updated_at": change.at}
        connection.execute(sa.insert(table).values(**new))


def is_break_glass(connection: sa.Connection, member_id: MemberId) -> bool:
    """Say whether a member signs in outside of what their organization asks of others."""
    return connection.execute(_BREAK_GLASS, {"member": member_id}).first() is not None


def insert_break_glass(connection: sa.Connection, change: Change, member_id: MemberId) -> None:
    """Let a member stand outside."""
    connection.execute(
        sa.insert(break_glass).values(
            id=new_id(),
            organization_id=change.organization_id,
            member_id=member_id,
            created_by=change.actor.name[:320],
            created_at=change.at,
        )
    )


def remove_break_glass(connection: sa.Connection, change: Change, member_id: MemberId) -> None:
    """Let a member be like all others."""
    ending = sa.update(break_glass).where(break_glass.c.member_id == member_id, break_glass.c.removed_at.is_(None))
    connection.execute(ending.values(removed_at=change.at))


def list_break_glass(connection: sa.Connection, organization_id: OrganizationId) -> list[BreakGlass]:
    """Return an organization's break-glass accounts, the oldest first."""
    return _found(connection, break_glass.c.organization_id == organization_id)


def break_glass_of_account(connection: sa.Connection, account_id: AccountId) -> list[BreakGlass]:
    """Return where an account is a break-glass account."""
    return _found(connection, member.c.account_id == account_id)


def untried_break_glass(connection: sa.Connection, since: datetime, reminded: datetime) -> list[BreakGlass]:
    """Return whose account nobody has used since a moment, and who was not reminded of that since another one."""
    used = sa.func.coalesce(break_glass.c.last_used_at, break_glass.c.created_at)
    is_told = sa.and_(break_glass.c.reminded_at.is_not(None), break_glass.c.reminded_at > reminded)
    return _found(connection, sa.and_(used <= since, ~is_told, member.c.state == MemberState.ACTIVE.value))


def note_reminded(connection: sa.Connection, found: BreakGlass, reminded: datetime, at: datetime) -> bool:
    """Note that somebody is reminded; of two processes that would, one is told so."""
    is_due = sa.or_(break_glass.c.reminded_at.is_(None), break_glass.c.reminded_at <= reminded)
    noting = sa.update(break_glass).where(break_glass.c.id == found.id, is_due)
    return connection.execute(noting.values(reminded_at=at)).rowcount > 0


def note_break_glass_use(connection: sa.Connection, change: Change, member_id: MemberId) -> None:
    """Note when a break-glass account was used last."""
    using = sa.update(break_glass).where(break_glass.c.member_id == member_id, break_glass.c.removed_at.is_(None))
    connection.execute(using.values(last_used_at=change.at))


def _found(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[BreakGlass]:
    query = (
        sa.select(break_glass, member.c.user_name, member.c.state, member.c.directory_id, member.c.account_id)
        .join(member, break_glass.c.member_id == member.c.id)
        .where(where, break_glass.c.removed_at.is_(None))
        .order_by(break_glass.c.id)
    )
    return [
        BreakGlass(
            row.id,
            OrganizationId(row.organization_id),
            MemberId(row.member_id),
            row.user_name,
            MemberState(row.state),
            None if row.directory_id is None else DirectoryId(row.directory_id),
            None if row.account_id is None else AccountId(row.account_id),
            row.created_by,
            row.created_at,
            row.last_used_at,
        )
        for row in connection.execute(query)
    ]
