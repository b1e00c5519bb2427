"""Tokens of the REST API: made, found by digest, listed and ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.api_tokens import ApiToken
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, MemberId, MemberSource, MemberState
from scim_bridge.store.changes import Change
from scim_bridge.store.schema import account, api_token, member, organization
from scim_bridge.store.texts import storable


@dataclass(frozen=True, slots=True)
class PresentedApiToken:
    """A token that exists, with what its account is called; whether it is still good is the caller's to judge."""

    token: ApiToken
    account_name: str
    is_application: bool


_FIND = (
    sa.select(
        api_token,
        sa.func.coalesce(account.c.email, account.c.display_name, account.c.id).label("account_name"),
        sa.exists()
        .where(member.c.account_id == account.c.id, member.c.source == MemberSource.APPLICATION.value)
        .label("is_application"),
    )
    .join(account, api_token.c.account_id == account.c.id)
    .where(api_token.c.digest == sa.bindparam("digest"))
)
_TOUCH = (
    sa.update(api_token)
    .where(
        api_token.c.id == sa.bindparam("token"),
        sa.or_(api_token.c.last_used_at.is_(None), api_token.c.last_used_at < sa.bindparam("before")),
    )
    .values(
        last_used_at=sa.bindparam("at"),
        last_address=sa.bindparam("address"),
        last_user_agent=sa.bindparam("user_agent"),
    )
)
_TOUCH_MEMBERS = (
    sa.update(member)
    .where(member.c.account_id == sa.bindparam("account"), member.c.state == MemberState.ACTIVE.value)
    .values(last_active_at=sa.bindparam("at"))
)


def find_presented(connection: sa.Connection, digest: str) -> PresentedApiToken | None:
    """Return the token whose text has this hex SHA-256."""
    row = connection.execute(_FIND, {"digest": digest}).one_or_none()
    return None if row is None else PresentedApiToken(_token(row), row.account_name, bool(row.is_application))


def insert_api_token(connection: sa.Connection, token: ApiToken, digest: str) -> None:
    """Add a token, given with the hex SHA-256 of its whole text."""
    connection.execute(
        sa.insert(api_token).values(
            id=token.id,
            account_id=token.account_id,
            organization_id=token.organization_id,
            name=token.name,
            prefix=token.prefix,
            digest=digest,
            permissions=None if token.permissions is None else orjson.dumps(token.permissions).decode(),
            ip_ranges=orjson.dumps(token.ip_ranges).decode(),
            created_by=token.created_by[:320],
            made_by_method=token.made_by_method,
            created_at=token.created_at,
            expires_at=token.expires_at,
        )
    )


def tokens_of_account(
    connection: sa.Connection, account_id: AccountId, organization_id: OrganizationId | None = None
) -> list[ApiToken]:
    """Return an account's tokens, ended ones too, oldest first; with an organization only those that open it."""
    query = sa.select(api_token).where(api_token.c.account_id == account_id)
    if organization_id is not None:
        opens = api_token.c.organization_id
        query = query.where(sa.or_(opens.is_(None), opens == organization_id))
    return [_token(row) for row in connection.execute(query.order_by(api_token.c.id))]


def find_api_tokens(
    connection: sa.Connection, organization_id: OrganizationId, named: str
) -> list[tuple[ApiToken, MemberId]]:
    """Return the tokens with this id or prefix that belong to members of an organization and open it, and whose."""
    query = (
        sa.select(api_token, member.c.id.label("member_id"))
        .join(member, member.c.account_id == api_token.c.account_id)
        .where(
            member.c.organization_id == organization_id,
            sa.or_(api_token.c.organization_id.is_(None), api_token.c.organization_id == organization_id),
            sa.or_(api_token.c.id == named, api_token.c.prefix == named),
        )
        .order_by(api_token.c.id)
    )
    return [(_token(row), MemberId(row.member_id)) for row in connection.execute(query)]


def revoke_api_token(connection: sa.Connection, token_id: str, at: datetime) -> None:
    """End a token at once."""
    ended = sa.update(api_token).where(api_token.c.id == token_id, api_token.c.revoked_at.is_(None))
    connection.execute(ended.values(revoked_at=at))


def revoke_tokens_of_member(connection: sa.Connection, change: Change, member_id: MemberId) -> int:
    """End every token of a member that opens this organization alone; return how many."""
    of_member = sa.select(member.c.account_id).where(member.c.id == member_id, member.c.account_id.is_not(None))
    ended = sa.update(api_token).where(
        api_token.c.account_id.in_(of_member),
        api_token.c.organization_id == change.organization_id,
        api_token.c.revoked_at.is_(None),
    )
    return connection.execute(ended.values(revoked_at=change.at)).rowcount


def touch_api_token(
    connection: sa.Connection, token: ApiToken, at: datetime, before: datetime, address: str | None, user_agent: str
) -> None:
    """Note that a token was used, and its people active, unless another request noted it after ``before``."""
    seen = {"address": storable(address, 64), "user_agent": storable(user_agent, 255)}
    connection.execute(_TOUCH, {"token": token.id, "at": at, "before": before, **seen})
    connection.execute(_TOUCH_MEMBERS, {"account": token.account_id, "at": at})


# By the account alone: with the organization in it, SQLite would rather walk through everybody who is active there.
_MEMBERS_OF_ACCOUNT = sa.select(member.c.id, member.c.organization_id, member.c.state).where(
    member.c.account_id == sa.bindparam("account")
)


def active_member_of(
    connection: sa.Connection, account_id: AccountId, organization_id: OrganizationId
) -> MemberId | None:
    """Return whom an account is in an organization, if that is an active member."""
    wanted = (organization_id, MemberState.ACTIVE.value)
    found = connection.execute(_MEMBERS_OF_ACCOUNT, {"account": account_id})
    return next((MemberId(member_id) for member_id, *rest in found if tuple(rest) == wanted), None)


def organizations_of(connection: sa.Connection, account_id: AccountId) -> list[tuple[OrganizationId, MemberState]]:
    """Return the organizations in which an account is, or is invited, oldest first."""
    query = (
        sa.select(member.c.organization_id, member.c.state)
        .join(organization, organization.c.id == member.c.organization_id)
        .where(
            member.c.account_id == account_id,
            member.c.state != MemberState.REMOVED.value,
            organization.c.removed_at.is_(None),
        )
        .order_by(member.c.id)
    )
    return [(OrganizationId(found), MemberState(state)) for found, state in connection.execute(query)]


def _token(row: sa.Row[Any]) -> ApiToken:
    return ApiToken(
        row.id,
        row.account_id,
        row.organization_id,
        row.name,
        row.prefix,
        None if row.permissions is None else tuple(orjson.loads(row.permissions)),
        tuple(orjson.loads(row.ip_ranges)),
        row.created_by,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
        row.last_address,
        row.last_user_agent,
        row.made_by_method,
    )
