"""The end of an organization: everything in it ends, and all stays readable until retention."""

from collections.abc import Iterable

import sqlalchemy as sa

from scim_bridge.domain.invitations import InvitationState
from scim_bridge.domain.people import MemberState
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    api_token,
    directory_token,
    fact,
    grant,
    grant_origin,
    identity_provider,
    invitation,
    member,
    membership,
    nesting,
    organization,
    organization_domain,
    parked_member,
    removal_request,
    rule,
    session,
    user_group,
    webhook,
)

_WITH_PERIOD = (grant, grant_origin, membership, nesting, parked_member, rule)


def end_organization(connection: sa.Connection, change: Change) -> int:
    """
    End an organization with its people, groups, grants, rules, tokens and domains; return how many people it had.

    Whoever calls it has seen that no cluster is left: nobody waits for a removal any more. The slug is free again.
    """
    note(connection, change, "organization.ended")
    for table in _WITH_PERIOD:
        connection.execute(
            sa.update(table).where(_mine(table, change), table.c.valid_to.is_(None)).values(valid_to=change.at)
        )
    groups = sa.update(user_group).where(_mine(user_group, change)).where(user_group.c.removed_at.is_(None))
    connection.execute(groups.values(removed_at=change.at))
    for table in (directory_token, api_token):
        tokens = sa.update(table).where(_mine(table, change), table.c.revoked_at.is_(None))
        connection.execute(tokens.values(revoked_at=change.at))
    open_sessions = sa.update(session).where(_mine(session, change), session.c.ended_at.is_(None))
    connection.execute(open_sessions.values(ended_at=change.at, ended_because=change.kind))
    providers = sa.update(identity_provider).where(
        _mine(identity_provider, change), identity_provider.c.removed_at.is_(None)
    )
    connection.execute(providers.values(removed_at=change.at, sealed_client_secret=None))
    hooks = sa.update(webhook).where(_mine(webhook, change), webhook.c.removed_at.is_(None))
    connection.execute(hooks.values(removed_at=change.at, sealed_secret=None, sealed_old_secret=None))
    pending = sa.update(invitation).where(
        _mine(invitation, change), invitation.c.state == InvitationState.PENDING.value
    )
    connection.execute(pending.values(state=InvitationState.REVOKED.value, closed_at=change.at))
    connection.execute(sa.update(organization_domain).where(_mine(organization_domain, change)).values(state="removed"))
    waiting = (
        sa.update(removal_request).where(_mine(removal_request, change)).where(removal_request.c.closed_at.is_(None))
    )
    connection.execute(waiting.values(closed_at=change.at, outcome="void"))
    people = _end_members(connection, change)
    values = {"removed_at": change.at, "slug": change.organization_id}
    connection.execute(sa.update(organization).where(organization.c.id == change.organization_id).values(values))
    return people


def _end_members(connection: sa.Connection, change: Change) -> int:
    staying = sa.select(member.c.id).where(_mine(member, change)).where(member.c.state != MemberState.REMOVED.value)
    ids = [str(member_id) for member_id in connection.execute(staying).scalars()]
    connection.execute(sa.update(member).where(_mine(member, change)).values(state=MemberState.REMOVED.value))
    known = sa.update(fact).where(_mine(fact, change)).where(fact.c.valid_to.is_(None))
    connection.execute(known.values(valid_to=change.at))
    _insert_removed(connection, change, ids)
    return len(ids)


def _insert_removed(connection: sa.Connection, change: Change, member_ids: Iterable[str]) -> None:
    shared = {"noun": "member", "attribute": "state", "value": MemberState.REMOVED.value, "valid_from": change.at}
    rows = [
        {"id": new_id(), "organization_id": change.organization_id, "object_id": member_id, **shared}
        for member_id in member_ids
    ]
    if rows:
        connection.execute(sa.insert(fact), rows)


def _mine(table: sa.Table, change: Change) -> sa.ColumnElement[bool]:
    return table.c.organization_id == change.organization_id
