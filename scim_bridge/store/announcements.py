"""
What a pass is about to write, recorded before it writes: how passes and asked-for removals never miss each other.

A person may be deactivated between a pass's sealed read and its write. Nobody waits for anybody; three rules do it:

1. **Announce.** In one transaction that holds the cluster's row of ``cluster_sync`` (`removal_queue.spread_removals`
   takes the same lock) the pass looks for requests that its sealed read did not have: whoever they concern is added
   nowhere. Everybody else who is to be added is recorded as if they were there already. So of a request and an
   announcement one always sees the other: a later request finds the cluster by the record, and is not void.
2. **Confirm.** A request that came after the announcement may be closed by its lane before the pass's write arrives:
   the subject was not there yet. So the transaction that records a confirmed write looks again, and gives every such
   request a new open part for this cluster. New, not the old one opened again: a lane that looked before the write and
   closes after it closes the old part, by its id, and takes the new one up.
3. **Remember.** A process that dies between write and confirmation leaves the record of the announcement. The next
   pass finds the subject on the cluster and not in desired, and knows it as asked for: requests count as asked for
   an hour beyond their end, and members who are not active for ever (`passes.open_requests`).

A record that was announced and is not confirmed has an empty digest, and an empty uid while its object was never seen.
The next pass puts both right from what it observes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_bridge.domain.bindings import BindingKey, binding_name
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.store.applied import Applied, Whom, record_applied
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.installation import instance_id
from scim_bridge.store.removal_queue import LONGEST_WRITE, members_asked_since
from scim_bridge.store.schema import (
    applied_binding,
    applied_subject,
    cluster_sync,
    removal_request,
    removal_request_cluster,
)

_part = removal_request_cluster


@dataclass(frozen=True, slots=True)
class Sight:
    """What a sealed read saw of the removal requests, and when: later ones are what a pass has to look out for."""

    organization_id: OrganizationId
    cluster_id: ClusterId
    at: datetime
    requests: frozenset[str]
    members: Mapping[str, MemberId]
    groups: Mapping[str, GroupId] = field(default_factory=dict)

    @property
    def whom(self) -> Whom:
        """Return whom the subjects stand for."""
        return Whom(self.members, self.groups)


@dataclass(frozen=True, slots=True)
class Addition:
    """Subjects that come into one object."""

    key: BindingKey
    subjects: tuple[str, ...]


def lock_cluster(connection: sa.Connection, cluster_id: ClusterId) -> None:
    """Let requests and announcements of one cluster see each other (SQLite has one writer anyway)."""
    query = sa.select(cluster_sync.c.cluster_id).where(cluster_sync.c.cluster_id == cluster_id)
    connection.execute(query.with_for_update()).one()


def asked_since(connection: sa.Connection, sight: Sight) -> frozenset[str]:
    """Return the subjects whose removal was asked for after the sealed read; call `lock_cluster` before."""
    late = members_asked_since(connection, sight.organization_id, sight.at, sight.requests)
    return frozenset(subject for subject, member_id in sight.members.items() if member_id in late)


def announce(connection: sa.Connection, sight: Sight, additions: Iterable[Addition]) -> None:
    """Record who is about to be added where; the cost is a few statements however many objects there are."""
    wanted = list(additions)
    if not wanted:
        return
    query = sa.select(applied_binding.c.key, applied_binding.c.id).where(
        applied_binding.c.cluster_id == sight.cluster_id
    )
    ids: dict[str, str] = dict(connection.execute(query).all())
    present = [{"present": ids[each.key.canonical]} for each in wanted if each.key.canonical in ids]
    if present:
        unconfirmed = sa.update(applied_binding).where(applied_binding.c.id == sa.bindparam("present"))
        connection.execute(unconfirmed.values(digest=""), present)
    made = [_announced(connection, sight, each) for each in wanted if each.key.canonical not in ids]
    if made:
        connection.execute(sa.insert(applied_binding), made)
        ids |= {row["key"]: row["id"] for row in made}
    whom = sight.whom
    rows = [
        {
            "cluster_id": sight.cluster_id,
            "subject": subject,
            "binding_id": ids[each.key.canonical],
            "member_id": holder[0],
            "group_id": holder[1],
        }
        for each in wanted
        for subject in each.subjects
        for holder in [whom.of(each.key, subject)]
    ]
    if rows:
        _insert_subjects(connection, rows)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A write that the cluster confirmed, and the subjects that came in and went out by it."""

    applied: Applied
    added: Collection[str]
    removed: Collection[str] = ()


def confirm(connection: sa.Connection, sight: Sight, confirmed: Sequence[Confirmed], at: datetime) -> None:
    """Record confirmed writes; whoever's removal was asked for meanwhile gets it asked anew."""
    lock_cluster(connection, sight.cluster_id)
    record_applied(connection, [each.applied for each in confirmed], sight.whom, at)
    came = {sight.whom.of(each.applied.binding.key, subject)[0] for each in confirmed for subject in each.added}
    members = {each for each in came if each is not None}
    if members:
        _ask_anew(connection, sight, members, at)


def _announced(connection: sa.Connection, sight: Sight, addition: Addition) -> dict[str, Any]:
    key = addition.key
    return {
        "id": new_id(),
        "organization_id": key.organization_id,
        "cluster_id": key.cluster_id,
        "name": binding_name(instance_id(connection), key),
        "namespace": key.family.namespace or "",
        "key": key.canonical,
        "uid": "",
        "resource_version": "",
        "digest": "",
        "subject_count": len(addition.subjects),
        "applied_at": sight.at,
    }


def _insert_subjects(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(applied_subject)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["cluster_id", "subject", "binding_id"],
            set_={
                name: sa.func.coalesce(statement.excluded[name], applied_subject.c[name])
                for name in ("member_id", "group_id")
            },
        ),
        rows,
    )


def _ask_anew(connection: sa.Connection, sight: Sight, members: Collection[MemberId], at: datetime) -> None:
    late = members_asked_since(connection, sight.organization_id, sight.at, sight.requests) & set(members)
    if not late:
        return
    query = sa.select(removal_request.c.id).where(
        removal_request.c.organization_id == sight.organization_id,
        removal_request.c.member_id.in_(late),
        # One that is not spread yet will find this cluster by the record.
        removal_request.c.dispatched_at.is_not(None),
        removal_request.c.requested_at > sight.at - LONGEST_WRITE,
    )
    found = connection.execute(query.order_by(removal_request.c.id)).scalars().all()
    for request_id in [each for each in found if each not in sight.requests]:
        connection.execute(
            sa.delete(_part).where(_part.c.removal_request_id == request_id, _part.c.cluster_id == sight.cluster_id)
        )
        connection.execute(
            sa.insert(_part).values(
                id=new_id(),
                organization_id=sight.organization_id,
                removal_request_id=request_id,
                cluster_id=sight.cluster_id,
                state="open",
            )
        )
        connection.execute(
            sa.update(removal_request).where(removal_request.c.id == request_id).values(closed_at=None, outcome=None)
        )
