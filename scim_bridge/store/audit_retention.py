"""What is taken out of the audit, so that what stays can still be verified: old entries, and personal values."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.audit_chain import ERASED, Ends
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.store.audit import add_audit
from scim_bridge.store.audit_chain import read_ends, write_ends
from scim_bridge.store.changes import Change
from scim_bridge.store.listing import beside
from scim_bridge.store.schema import (
    api_role,
    api_token,
    audit_entry,
    fact,
    grant,
    grant_origin,
    invitation,
    member,
    membership,
    nesting,
    parked_member,
    project_cluster,
    project_namespace,
    rule,
    scim_user,
)
from scim_bridge.store.sealing import Keyring

AT_ONCE = 1000
_ENDING = (membership, nesting, grant_origin, grant, rule, fact, project_cluster, project_namespace, parked_member)
"""Origins before the grants and rules that they refer to."""


def oldest_sealed(connection: sa.Connection, organization_id: OrganizationId) -> datetime | None:
    """Return when the first entry that the chain still holds was made."""
    query = sa.select(audit_entry.c.at).where(
        audit_entry.c.organization_id == organization_id, audit_entry.c.sequence.is_not(None)
    )
    found: datetime | None = connection.execute(query.order_by(audit_entry.c.sequence).limit(1)).scalar_one_or_none()
    return found


def cut_entries(
    connection: sa.Connection, organization_id: OrganizationId, before: datetime, keyring: Keyring
) -> tuple[int, Ends | None]:
    """
    Take up to `AT_ONCE` entries off the old end of a chain, and say how many and where it begins now.

    Only from the end: an older entry that was sealed after a younger one waits until that one goes.
    """
    ends = read_ends(connection, organization_id, lock=True)
    if ends is None:
        return 0, None
    columns = audit_entry.c
    query = (
        sa.select(columns.id, columns.at, columns.sequence, columns.hash)
        .where(columns.organization_id == organization_id, columns.sequence > ends.cut_sequence)
        .order_by(columns.sequence)
        .limit(AT_ONCE)
    )
    going = []
    for row in connection.execute(query):
        if row.at >= before:
            break
        going.append(row)
    if not going:
        return 0, ends
    connection.execute(sa.delete(audit_entry).where(columns.id.in_([row.id for row in going])))
    cut = replace(ends, cut_sequence=going[-1].sequence, cut_hash=going[-1].hash)
    write_ends(connection, cut, keyring)
    return len(going), cut


def forget_history(
    connection: sa.Connection, organization_id: OrganizationId, before: datetime, keyring: Keyring
) -> int:
    """Delete what ended before a moment of all that access is derived from; from that moment on history is whole."""
    ends = read_ends(connection, organization_id, lock=True) or Ends(organization_id)
    deleted = 0
    for table in (*_ENDING, api_role):
        conditions = [table.c.organization_id == organization_id, table.c.valid_to < before]
        if table is grant:
            conditions.append(~sa.exists().where(grant_origin.c.grant_id == grant.c.id))
        if table is rule:
            conditions.append(~sa.exists().where(grant_origin.c.rule_id == rule.c.id))
        deleted += connection.execute(sa.delete(table).where(*conditions)).rowcount
    if deleted:
        write_ends(connection, replace(ends, history_since=before), keyring)
    return deleted


def erase_person(connection: sa.Connection, change: Change, member_id: MemberId) -> int:
    """
    Erase the personal values of every entry that is about a person or was made by them, and return how many.

    Who they were, old values and new ones are gone; that something happened, when, and to which id stays, and so does
    the chain: an entry of its own names those that were erased, so that nobody else can erase one unnoticed.
    """
    ids = sorted(_told_of(connection, change.organization_id, member_id))
    for start in range(0, len(ids), AT_ONCE):
        chunk = ids[start : start + AT_ONCE]
        _erase(connection, chunk)
        add_audit(connection, change, ERASED, "member", member_id, {"entries": chunk})
    return len(ids)


def _told_of(connection: sa.Connection, organization_id: OrganizationId, member_id: MemberId) -> set[str]:
    """Return the entries that are about a person, or about what names them, or that they made themselves."""
    columns = audit_entry.c
    theirs = sa.union_all(
        sa.select(sa.literal(member_id)),
        *(sa.select(table.c.id).where(table.c.member_id == member_id) for table in (scim_user, grant, invitation)),
    )
    account = sa.select(member.c.account_id).where(member.c.id == member_id, member.c.account_id.is_not(None))
    # Whoever acts is known by their account, or by one of its tokens.
    acting = sa.union_all(account, sa.select(api_token.c.id).where(api_token.c.account_id.in_(account)))
    found: set[str] = set()
    # Two questions, each by its own index.
    for told in (columns.object_id.in_(theirs), columns.actor_id.in_(acting)):
        query = sa.select(columns.id).where(
            beside(columns.organization_id) == organization_id,
            told,
            columns.detail.is_not(None),
            columns.action != ERASED,
        )
        found |= set(connection.execute(query).scalars())
    return found


def _erase(connection: sa.Connection, ids: list[str]) -> None:
    erased = sa.update(audit_entry).where(audit_entry.c.id.in_(ids))
    connection.execute(erased.values(detail=None, actor_name="", salt=""))
