"""What else is known of one member: their account, their states so far, and what their directory says."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.people import AccountId, DirectoryId, GroupId, MemberId
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.schema import account, directory, fact, member, membership, scim_user, user_group


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """A person's sign-in identity."""

    id: AccountId
    email: str | None
    display_name: str | None
    two_factor: bool
    last_active_at: datetime | None


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A member was in this state from then until then, or is."""

    state: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class GroupOfMember:
    """A group that somebody is in, and how: one row for each origin. ``directory`` None: made by hand."""

    group_id: GroupId
    group: str
    directory: str | None
    origin: str
    since: datetime
    expires_at: datetime | None
    held: bool


def account_of(connection: sa.Connection, member_id: MemberId) -> AccountFacts | None:
    """Return the account that a member signs in with."""
    query = (
        sa.select(account.c.id, account.c.email, account.c.display_name, account.c.two_factor, account.c.last_active_at)
        .join(member, member.c.account_id == account.c.id)
        .where(member.c.id == member_id)
    )
    row = connection.execute(query).first()
    return None if row is None else AccountFacts(*row)


def states_of(connection: sa.Connection, member_id: MemberId) -> list[StateSpan]:
    """Return the states that a member was in, the first one first."""
    query = (
        sa.select(fact.c.value, fact.c.valid_from, fact.c.valid_to)
        .where(fact.c.object_id == member_id, fact.c.attribute == "state")
        .order_by(fact.c.valid_from, fact.c.id)
    )
    return [StateSpan(*row) for row in connection.execute(query)]


def groups_of_member(connection: sa.Connection, member_id: MemberId) -> list[GroupOfMember]:
    """Return the groups that somebody is in themselves, by name."""
    query = (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            directory.c.name,
            membership.c.origin,
            membership.c.valid_from,
            membership.c.expires_at,
            membership.c.held,
        )
        .join(user_group, user_group.c.id == membership.c.group_id)
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .where(membership.c.member_id == member_id, membership.c.valid_to.is_(None))
        .order_by(user_group.c.display_name_key, user_group.c.id, membership.c.origin)
    )
    return [GroupOfMember(*row) for row in connection.execute(query)]


def is_provisioned(connection: sa.Connection, directory_id: DirectoryId, member_id: MemberId) -> bool | None:
    """Return whether a directory says that a member is active; None when it has no such user any more."""
    query = sa.select(scim_user.c.active).where(
        scim_user.c.member_id == member_id,
        scim_user.c.directory_id == directory_id,
        scim_user.c.removed_at.is_(None),
    )
    found = [bool(each) for each in connection.execute(query).scalars()]
    return any(found) if found else None


def end_memberships(connection: sa.Connection, change: Change, member_id: MemberId) -> list[GroupId]:
    """Take somebody out of every group, whoever put them in, and return the groups."""
    ended = connection.execute(
        sa.update(membership)
        .where(membership.c.member_id == member_id, membership.c.valid_to.is_(None))
        .values(valid_to=change.at, held=False)
        .returning(membership.c.group_id)
    ).scalars()
    groups = sorted({GroupId(group_id) for group_id in ended})
    if groups:
        note(connection, change, "memberships.ended", member=member_id, groups=groups)
    return groups


def groups_to_lock(connection: sa.Connection, member_id: MemberId) -> list[GroupId]:
    """Return the groups that somebody is in, in the order of locking."""
    query = sa.select(membership.c.group_id).where(membership.c.member_id == member_id, membership.c.valid_to.is_(None))
    return sorted({GroupId(group_id) for group_id in connection.execute(query).scalars()})
