"""Accounts, members and groups as the command line names them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId, ScopeKind
from scim_bridge.domain.people import AccountId, GroupId, Member, MemberId, MemberSource, MemberState
from scim_bridge.domain.roles import ApiRole
from scim_bridge.store.changes import Change
from scim_bridge.store.history import record_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, beside, listed
from scim_bridge.store.member_words import add_words
from scim_bridge.store.schema import account, adoption_conflict, directory, grant, member, scim_user, user_group


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A group and the directory that owns it; None for one made by hand."""

    id: GroupId
    name: str
    directory: str | None


def find_account(connection: sa.Connection, email: str) -> AccountId | None:
    """Return the account with this e-mail address, the oldest if there are several."""
    query = sa.select(account.c.id).where(account.c.email_key == fold(email)).order_by(account.c.id).limit(1)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else AccountId(found)


def insert_account(connection: sa.Connection, change: Change, email: str) -> AccountId:
    """Add a sign-in identity; it has no method to sign in with yet."""
    made = AccountId(new_id())
    connection.execute(sa.insert(account).values(id=made, email=email, email_key=fold(email), created_at=change.at))
    return made


def name_account(connection: sa.Connection, account_id: AccountId, display_name: str) -> None:
    """Say how the person of an account is called."""
    connection.execute(sa.update(account).where(account.c.id == account_id).values(display_name=display_name))


def own_address(connection: sa.Connection, account_id: AccountId) -> str | None:
    """
    Return an account's e-mail address, None where it has none of its own or a directory stands behind it.

    What a directory made belongs to its organization.
    """
    directed = sa.exists().where(member.c.account_id == account.c.id, member.c.directory_id.is_not(None))
    query = sa.select(account.c.email).where(account.c.id == account_id, ~directed)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def account_of_member(connection: sa.Connection, member_id: MemberId) -> AccountId | None:
    """Return a member's sign-in identity, None for one who has none yet."""
    found = connection.execute(sa.select(member.c.account_id).where(member.c.id == member_id)).scalar_one_or_none()
    return None if found is None else AccountId(found)


def insert_account_of(connection: sa.Connection, change: Change, of: Member) -> AccountId:
    """
    Give a member an identity of their own, which opens this organization alone.

    It has no e-mail address: what a directory says of one proves nothing to any other organization.
    """
    made = AccountId(new_id())
    name = (of.display_name or of.user_name)[:255]
    connection.execute(sa.insert(account).values(id=made, display_name=name, created_at=change.at))
    connection.execute(sa.update(member).where(member.c.id == of.id).values(account_id=made))
    return made


def insert_member(
    connection: sa.Connection,
    change: Change,
    account_id: AccountId | None,
    email: str,
    state: MemberState = MemberState.ACTIVE,
    source: MemberSource = MemberSource.MANUAL,
) -> MemberId:
    """Add a person, known by an e-mail address, whom no directory brought."""
    made = MemberId(new_id())
    connection.execute(
        sa.insert(member).values(
            id=made,
            organization_id=change.organization_id,
            account_id=account_id,
            user_name=email,
            user_name_key=fold(email),
            email=email,
            email_key=fold(email),
            state=state.value,
            source=source.value,
            created_at=change.at,
        )
    )
    add_words(connection, change.organization_id, made, (email,))
    record_fact(connection, change, "member", made, "state", state.value)
    return made


def find_members(connection: sa.Connection, organization_id: OrganizationId, named: str) -> list[Member]:
    """Return the organization's people with this id, userName or e-mail address, removed ones left out."""
    values = {"organization": organization_id, "id": named, "key": fold(named)}
    return [_member(row) for row in connection.execute(_NAMED, values)]


def find_former(connection: sa.Connection, organization_id: OrganizationId, named: str) -> Member | None:
    """Return the person with this id, userName or e-mail address who was removed, the last of several."""
    key = fold(named)
    query = sa.select(member).where(
        member.c.organization_id == organization_id,
        member.c.state == MemberState.REMOVED.value,
        sa.or_(member.c.id == named, member.c.email_key == key, member.c.user_name_key == key),
    )
    row = connection.execute(query.order_by(member.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _member(row)


def _named() -> sa.Select[Any]:
    """Look a name up in one index after the other: an OR over all of them would read the whole organization."""
    organization = sa.bindparam("organization", type_=sa.Text)
    key = sa.bindparam("key", type_=sa.Text)
    here = member.c.organization_id == organization
    by_user_name = (
        sa.select(scim_user.c.member_id)
        .join(directory, directory.c.id == scim_user.c.directory_id)
        .where(directory.c.organization_id == organization, scim_user.c.user_name_key == key)
        .where(scim_user.c.removed_at.is_(None))
    )
    named = sa.union_all(
        sa.select(member.c.id).where(here, member.c.email_key == key),
        sa.select(member.c.id).where(here, member.c.user_name_key == key),
        by_user_name,
    ).subquery()
    # Whoever waits to be told from somebody else does not make that one's name ambiguous.
    waiting = sa.select(adoption_conflict.c.waiting_id).where(
        adoption_conflict.c.organization_id == organization, adoption_conflict.c.state == "open"
    )
    candidates = sa.union(
        sa.select(sa.bindparam("id", type_=sa.Text).label("id")),
        sa.select(named.c.id).where(named.c.id.not_in(waiting)),
    )
    return (
        sa.select(member)
        .where(beside(member.c.organization_id) == organization, member.c.id.in_(candidates))
        .where(member.c.state != MemberState.REMOVED.value)
        .order_by(member.c.id)
    )


_NAMED = _named()


def members_named(
    connection: sa.Connection, organization_id: OrganizationId, keys: Iterable[str]
) -> dict[str, list[MemberId]]:
    """Return whom each of these folded userNames and e-mail addresses names; nobody who was removed."""
    found: dict[str, dict[MemberId, None]] = {}
    wanted = {"keys": as_list(keys)}
    for column in (member.c.user_name_key, member.c.email_key):
        query = sa.select(column, member.c.id).where(
            member.c.organization_id == organization_id,
            member.c.state != MemberState.REMOVED.value,
            column.in_(listed("keys")),
        )
        for key, member_id in connection.execute(query, wanted):
            found.setdefault(key, {})[MemberId(member_id)] = None
    return {key: sorted(ids) for key, ids in found.items()}


def find_groups(connection: sa.Connection, organization_id: OrganizationId, named: str) -> list[NamedGroup]:
    """Return the organization's groups with this id or name, whoever owns them."""
    query = _groups(organization_id).where(
        sa.or_(user_group.c.id == named, user_group.c.display_name_key == fold(named))
    )
    return [_group(row) for row in connection.execute(query)]


def names_of_members(connection: sa.Connection, organization_id: OrganizationId) -> dict[MemberId, str]:
    """Return what every person of an organization is called."""
    query = sa.select(member.c.id, member.c.user_name).where(member.c.organization_id == organization_id)
    return {MemberId(row.id): row.user_name for row in connection.execute(query)}


def names_of_groups(connection: sa.Connection, organization_id: OrganizationId) -> dict[GroupId, NamedGroup]:
    """Return every group of an organization."""
    return {row.id: _group(row) for row in connection.execute(_groups(organization_id))}


_NAMES = sa.select(user_group.c.id, user_group.c.display_name).where(user_group.c.id.in_(listed("ids")))


def names_of_some_groups(connection: sa.Connection, group_ids: Iterable[GroupId]) -> dict[GroupId, str]:
    """Return what these groups are called, gone ones too."""
    return {GroupId(key): name for key, name in connection.execute(_NAMES, {"ids": as_list(sorted(group_ids))})}


def working_owners(connection: sa.Connection, organization_id: OrganizationId, *, lock: bool = False) -> set[MemberId]:
    """
    Return the active members that hold the owner role themselves.

    ``lock`` keeps them so until the transaction ends: two removals at once must not each see the other's owner.
    """
    query = (
        sa.select(member.c.id)
        .join(grant, grant.c.member_id == member.c.id)
        .where(
            grant.c.organization_id == organization_id,
            grant.c.scope_kind == ScopeKind.ORGANIZATION.value,
            grant.c.api_role == ApiRole.OWNER.value,
            grant.c.valid_to.is_(None),
            member.c.state == MemberState.ACTIVE.value,
        )
        .order_by(member.c.id)
    )
    if lock:
        query = query.with_for_update()
    return {MemberId(found) for found in connection.execute(query).scalars()}


_OWNERSHIP = sa.select(grant.c.id).where(
    grant.c.member_id == sa.bindparam("member"), grant.c.api_role == ApiRole.OWNER.value, grant.c.valid_to.is_(None)
)


def holds_owner(connection: sa.Connection, member_id: MemberId) -> bool:
    """Say whether a person holds the owner role themselves, working or not."""
    return connection.execute(_OWNERSHIP, {"member": member_id}).first() is not None


def _groups(organization_id: OrganizationId) -> sa.Select[Any]:
    return (
        sa.select(user_group.c.id, user_group.c.display_name, directory.c.name.label("directory_name"))
        .outerjoin(directory, user_group.c.directory_id == directory.c.id)
        .where(user_group.c.organization_id == organization_id, user_group.c.removed_at.is_(None))
        .order_by(user_group.c.display_name_key, user_group.c.id)
    )


def _group(row: sa.Row[Any]) -> NamedGroup:
    return NamedGroup(GroupId(row.id), row.display_name, row.directory_name)


def _member(row: sa.Row[Any]) -> Member:
    return Member(
        MemberId(row.id),
        MemberState(row.state),
        row.user_name,
        row.email,
        row.external_id,
        row.display_name,
        row.source != MemberSource.APPLICATION.value,
    )
