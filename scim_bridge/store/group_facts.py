"""What tells whether groups may stand for their members on clusters; read only where a cluster lets them."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.organizations import SubjectMode
from scim_bridge.domain.people import DirectoryId, DirectoryState, GroupFacts, GroupId, MemberId, MemberState
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import directory, member, membership, nesting, parked_member, scim_user, user_group

NESTED = "it has groups in it"
EXPIRING = "somebody is in it for a time only"
AT_LOGIN = "somebody came into it by signing in"
BY_HAND = "somebody was put into it here"
STILL_THERE = "somebody in it has no access here and can still sign in at the identity provider"
UNKNOWN = "its identity provider has put somebody into it whom it has not brought here"
TWIN = "another group of its directory has the same id there"
NOT_ACTIVE = "its directory is not active"


def with_groups(connection: sa.Connection, snapshot: Snapshot) -> Snapshot:
    """Return a snapshot of everybody with what its clusters need to know of groups: most need nothing."""
    if all(each.subject_mode is SubjectMode.USER for each in snapshot.tree.clusters.values()):
        return snapshot
    return replace(snapshot, groups=group_facts(connection, snapshot.grants_of_group))


def group_facts(connection: sa.Connection, group_ids: Iterable[GroupId]) -> dict[GroupId, GroupFacts]:
    """Return what is known of these groups, as they are now."""
    wanted = {"groups": as_list(sorted(group_ids))}
    held: dict[str, set[MemberId]] = {}
    for group_id, member_id in connection.execute(_held(), wanted):
        held.setdefault(group_id, set()).add(MemberId(member_id))
    return {
        GroupId(row.id): GroupFacts(
            GroupId(row.id),
            row.display_name,
            row.external_id,
            None if row.directory_id is None else DirectoryId(row.directory_id),
            tuple(text for text, is_so in zip(_DOUBTS, row[4:], strict=True) if is_so),
            frozenset(held.get(row.id, ())),
        )
        for row in connection.execute(_facts(), wanted)
    }


_DOUBTS = (NESTED, EXPIRING, AT_LOGIN, BY_HAND, STILL_THERE, UNKNOWN, TWIN, NOT_ACTIVE)


@lru_cache
def _facts() -> sa.Select[Any]:
    twin = user_group.alias("twin")
    is_twin = sa.exists().where(
        twin.c.directory_id == user_group.c.directory_id,
        twin.c.external_id == user_group.c.external_id,
        twin.c.removed_at.is_(None),
        twin.c.id != user_group.c.id,
    )
    nested = sa.exists().where(nesting.c.parent_id == user_group.c.id, nesting.c.valid_to.is_(None))
    parked = sa.exists().where(parked_member.c.group_id == user_group.c.id, parked_member.c.valid_to.is_(None))
    # Who is deactivated there too gets no token any more; their sessions end with the tokens they have.
    still_there = sa.exists(
        _there()
        .join(member, member.c.id == membership.c.member_id)
        .join(scim_user, scim_user.c.id == membership.c.scim_user_id)
        .where(member.c.state != MemberState.ACTIVE.value, scim_user.c.active.is_(sa.true()), ~membership.c.held)
    )
    return (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            user_group.c.external_id,
            user_group.c.directory_id,
            nested,
            sa.exists(_there().where(membership.c.expires_at.is_not(None))),
            sa.exists(_there().where(membership.c.origin == "login")),
            sa.exists(_there().where(membership.c.origin.in_(("manual", "invitation")))),
            still_there,
            parked,
            is_twin,
            sa.and_(directory.c.id.is_not(None), directory.c.state != DirectoryState.ACTIVE.value),
        )
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .where(user_group.c.id.in_(listed("groups")), user_group.c.removed_at.is_(None))
    )


def _there() -> sa.Select[Any]:
    return (
        sa.select(sa.literal(1))
        .select_from(membership)
        .where(membership.c.group_id == user_group.c.id, membership.c.valid_to.is_(None))
        .correlate(user_group)
    )


@lru_cache
def _held() -> sa.Select[Any]:
    return sa.select(membership.c.group_id, membership.c.member_id).where(
        membership.c.held.is_(sa.true()), membership.c.valid_to.is_(None), membership.c.group_id.in_(listed("groups"))
    )
