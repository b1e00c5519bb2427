"""Asked-for removals on their way: which clusters each concerns, and what is confirmed."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.organizations import ClusterId, OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import MemberId
from scim_bridge.store.change_queue import DueCluster, lock_clusters
from scim_bridge.store.group_subjects import clusters_standing_for
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    applied_subject,
    cluster,
    cluster_sync,
    removal_request,
    removal_request_cluster,
    sync_pass,
)

LONGEST_WRITE = timedelta(minutes=10)
"""No transaction lasts longer: a request older than that was committed before a later read began."""

SPREAD_AT_ONCE = 500

_WHOLE_CLUSTER = frozenset({ScopeKind.ORGANIZATION, ScopeKind.UNIT, ScopeKind.CLUSTER})
_CHUNK = 500
_part = removal_request_cluster


@dataclass(frozen=True, slots=True)
class Removal:
    """One request on one cluster; ``extent`` None concerns all that the member holds there."""

    id: str
    request_id: str
    organization_id: OrganizationId
    member_id: MemberId
    cause: str
    extent: frozenset[Scope] | None
    requested_at: datetime
    attempts: int

    def covers(self, family: Family) -> bool:
        """Tell whether what was taken away could have given a place in this family."""
        if self.extent is None:
            return True
        return any((scope.kind in _WHOLE_CLUSTER) == (family.namespace is None) for scope in self.extent)


def spread_removals(connection: sa.Connection, at: datetime) -> int:
    """
    Find the clusters of every new request by the record of what was applied; returns how many requests there were.

    A request whose member no cluster holds is void at once: a pass that is about to add the member looks for new
    requests in the same transaction in which it announces what it will write, so one of the two sees the other.
    """
    waiting = (
        sa.select(removal_request.c.id, removal_request.c.organization_id, removal_request.c.member_id)
        .where(removal_request.c.closed_at.is_(None), removal_request.c.dispatched_at.is_(None))
        .order_by(removal_request.c.id)
        .limit(SPREAD_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(waiting).all()
    lock_clusters(connection, {owner for _, owner, _ in rows})
    holding = _clusters_holding(connection, {member_id for _, _, member_id in rows}, at)
    parts = [
        {"id": new_id(), "organization_id": owner, "removal_request_id": id_, "cluster_id": place, "state": "open"}
        for id_, owner, member_id in rows
        for place in holding.get(member_id, ())
    ]
    if parts:
        connection.execute(sa.insert(_part), parts)
    concerned = [id_ for id_, _, member_id in rows if member_id in holding]
    idle = [id_ for id_, _, member_id in rows if member_id not in holding]
    if concerned:
        connection.execute(
            sa.update(removal_request).where(removal_request.c.id.in_(concerned)).values(dispatched_at=at)
        )
    if idle:
        connection.execute(
            sa.update(removal_request)
            .where(removal_request.c.id.in_(idle))
            .values(dispatched_at=at, closed_at=at, outcome="void")
        )
    return len(rows)


def _clusters_holding(connection: sa.Connection, members: Collection[str], at: datetime) -> dict[str, list[str]]:
    if not members:
        return {}
    query = (
        sa.select(applied_subject.c.member_id, applied_subject.c.cluster_id)
        .join(cluster, cluster.c.id == applied_subject.c.cluster_id)
        .where(applied_subject.c.member_id.in_(members), cluster.c.removed_at.is_(None))
        .distinct()
    )
    pairs = {(member_id, cluster_id) for member_id, cluster_id in connection.execute(query)}
    # Nobody is taken out there, but somebody may ask until when tokens let them in.
    pairs |= clusters_standing_for(connection, map(MemberId, members), at - LONGEST_WRITE)
    found: dict[str, list[str]] = {}
    for member_id, cluster_id in sorted(pairs):
        found.setdefault(member_id, []).append(cluster_id)
    return found


def clusters_with_removals(connection: sa.Connection, at: datetime) -> list[DueCluster]:
    """Return the clusters with a removal to try now, those that work before those that fail."""
    failures = (sa.func.coalesce(sa.func.max(cluster_sync.c.failures), 0) + sa.func.min(_part.c.attempts)).label("f")
    query = (
        sa.select(_part.c.cluster_id, _part.c.organization_id, failures)
        .outerjoin(cluster_sync, cluster_sync.c.cluster_id == _part.c.cluster_id)
        .where(_part.c.state == "open", sa.or_(_part.c.retry_at.is_(None), _part.c.retry_at <= at))
        .group_by(_part.c.cluster_id, _part.c.organization_id)
        .order_by(failures, sa.func.min(_part.c.id))
    )
    return [DueCluster(*row) for row in connection.execute(query)]


def open_removals_on(
    connection: sa.Connection, cluster_id: ClusterId, at: datetime, limit: int = 2000
) -> list[Removal]:
    """Return the removals of one cluster that may be tried now, the oldest first."""
    request = removal_request.c
    query = (
        sa.select(
            _part.c.id,
            request.id,
            request.organization_id,
            request.member_id,
            request.cause,
            request.extent,
            request.requested_at,
            _part.c.attempts,
        )
        .join(removal_request, request.id == _part.c.removal_request_id)
        .where(
            _part.c.cluster_id == cluster_id,
            _part.c.state == "open",
            sa.or_(_part.c.retry_at.is_(None), _part.c.retry_at <= at),
        )
        .order_by(_part.c.id)
        .limit(limit)
    )
    return [
        Removal(id_, request_id, owner, member_id, cause, parse_extent(extent), requested_at, attempts)
        for id_, request_id, owner, member_id, cause, extent, requested_at, attempts in connection.execute(query)
    ]


def parse_extent(text: str | None) -> frozenset[Scope] | None:
    """Read the scopes that a request takes away; None stands for everything."""
    if text is None:
        return None
    return frozenset(Scope(ScopeKind(kind), place) for kind, place in orjson.loads(text))


def close_removals(connection: sa.Connection, ids: Iterable[str], state: str, at: datetime) -> None:
    """Confirm removals on one cluster as ``done`` or ``void``; the last cluster closes the request itself."""
    for chunk in _chunks(ids):
        closed = connection.execute(
            sa.update(_part)
            .where(_part.c.id.in_(chunk), _part.c.state == "open")
            .values(state=state, done_at=at, last_error=None, retry_at=None)
            .returning(_part.c.removal_request_id)
        )
        _close_requests(connection, set(closed.scalars()), at)


def note_lingering(connection: sa.Connection, lingering: Mapping[str, Collection[str]], until: datetime) -> None:
    """Write down by which groups tokens that were given before let people in whose removal is confirmed."""
    for id_, groups in lingering.items():
        values = {"lingers": orjson.dumps(sorted(groups)).decode(), "lingers_until": until}
        connection.execute(sa.update(_part).where(_part.c.id == id_).values(values))


def _close_requests(connection: sa.Connection, ids: Collection[str], at: datetime) -> None:
    # Two clusters may confirm at the same moment: whoever comes second must see the first.
    request = removal_request.c
    connection.execute(sa.select(request.id).where(request.id.in_(ids)).order_by(request.id).with_for_update()).all()

    def is_any(state: str) -> sa.ColumnElement[bool]:
        return sa.exists().where(_part.c.removal_request_id == request.id, _part.c.state == state)

    connection.execute(
        sa.update(removal_request)
        .where(request.id.in_(ids), request.closed_at.is_(None), ~is_any("open"))
        .values(closed_at=at, outcome=sa.case((is_any("done"), "done"), else_="void"))
    )


def postpone_removals(
    connection: sa.Connection, ids: Iterable[str], reason: str | None, retry_at: datetime, *, failed: bool = True
) -> None:
    """Try removals again at a later moment; ``failed`` counts it as an attempt."""
    for chunk in _chunks(ids):
        connection.execute(
            sa.update(_part)
            .where(_part.c.id.in_(chunk), _part.c.state == "open")
            .values(attempts=_part.c.attempts + int(failed), last_error=reason, retry_at=retry_at)
        )


def try_again_now(connection: sa.Connection, organization_id: OrganizationId) -> None:
    """Let the removals of an organization that were put off be tried at once."""
    connection.execute(
        sa.update(_part)
        .where(_part.c.organization_id == organization_id, _part.c.state == "open")
        .values(retry_at=None)
    )


def request_ids(connection: sa.Connection, organization_id: OrganizationId, at: datetime) -> frozenset[str]:
    """Return the requests that a sealed read at this moment can see, as far as a later look needs them."""
    query = sa.select(removal_request.c.id).where(
        removal_request.c.organization_id == organization_id, removal_request.c.requested_at > at - LONGEST_WRITE
    )
    return frozenset(connection.execute(query).scalars())


def members_asked_since(
    connection: sa.Connection, organization_id: OrganizationId, at: datetime, seen: frozenset[str]
) -> frozenset[MemberId]:
    """Return whose removal was asked for after a sealed read at ``at`` that had ``seen`` these requests."""
    query = sa.select(removal_request.c.id, removal_request.c.member_id).where(
        removal_request.c.organization_id == organization_id, removal_request.c.requested_at > at - LONGEST_WRITE
    )
    rows = connection.execute(query)
    return frozenset(MemberId(member_id) for id_, member_id in rows if id_ not in seen)


def clusters_of_open_removals(connection: sa.Connection, organization_id: OrganizationId) -> dict[ClusterId, int]:
    """Return how many removals are open on each cluster of an organization."""
    query = (
        sa.select(_part.c.cluster_id, sa.func.count())
        .where(_part.c.organization_id == organization_id, _part.c.state == "open")
        .group_by(_part.c.cluster_id)
    )
    return {ClusterId(id_): int(count) for id_, count in connection.execute(query)}


def record_run(
    connection: sa.Connection,
    place: DueCluster,
    started_at: datetime,
    finished_at: datetime,
    *,
    updated: int,
    deleted: int,
    subjects_removed: int,
    changes: Mapping[str, Any],
    problems: Collection[str],
) -> None:
    """Write down what a run of asked-for removals did on a cluster, beside its passes: the brakes' hour counts it."""
    connection.execute(
        sa.insert(sync_pass).values(
            id=new_id(),
            organization_id=place.organization_id,
            cluster_id=place.id,
            kind="revocation",
            state="degraded" if problems else "ok",
            started_at=started_at,
            finished_at=finished_at,
            updated=updated,
            deleted=deleted,
            subjects_removed=subjects_removed,
            changes=orjson.dumps(changes).decode() if subjects_removed else None,
            failed=len(problems),
            message="; ".join(problems) or None,
        )
    )


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    found = list(values)
    return (found[start : start + _CHUNK] for start in range(0, len(found), _CHUNK))
