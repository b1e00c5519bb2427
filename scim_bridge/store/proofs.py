"""Proofs of removals: what is still to be asked of clusters, and what they answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.bindings import Family, SubjectKind
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.proofs import Verdict
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import cluster, cluster_sync, removal_proof

ASK_AGAIN_FOR = timedelta(days=7)
"""So long a cluster that still lets somebody in is asked again whether it does."""

_columns = removal_proof.c


@dataclass(frozen=True, slots=True)
class Taken:
    """A confirmed removal on one cluster: whom it took out of what, and which groups their tokens carry yet."""

    request_id: str
    organization_id: OrganizationId
    member_id: MemberId
    subjects: tuple[str, ...]
    families: tuple[Family, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """One removal on one cluster with the cluster's answers; ``document`` is as `domain.proofs` makes it."""

    id: str
    request_id: str
    organization_id: OrganizationId
    cluster_id: ClusterId
    member_id: MemberId
    verdict: Verdict
    document: Mapping[str, Any]
    attempts: int
    asked_for_at: datetime
    proven_at: datetime | None

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return the names that were taken out."""
        return tuple(self.document["taken"]["subjects"])

    @property
    def lingering(self) -> frozenset[str]:
        """Return the groups that the person's tokens carry until they end, and no longer."""
        return frozenset(self.document["taken"].get("groups", ()))

    @property
    def families(self) -> tuple[Family, ...]:
        """Return the families they were taken out of."""
        return tuple(
            Family(namespace, KubernetesRole(role), SubjectKind(kind))
            for namespace, role, kind in self.document["taken"]["families"]
        )


def ask_for_proofs(connection: sa.Connection, cluster_id: ClusterId, taken: Iterable[Taken], at: datetime) -> None:
    """Let a cluster be asked about these removals; one that is confirmed anew is asked about anew."""
    for each in taken:
        connection.execute(
            sa.delete(removal_proof).where(
                _columns.removal_request_id == each.request_id, _columns.cluster_id == cluster_id
            )
        )
        families = [[f.namespace, f.role.value, f.subject_kind.value] for f in each.families]
        connection.execute(
            sa.insert(removal_proof).values(
                id=new_id(),
                organization_id=each.organization_id,
                removal_request_id=each.request_id,
                cluster_id=cluster_id,
                member_id=each.member_id,
                verdict=Verdict.PENDING.value,
                document=_text(
                    {"taken": {"subjects": sorted(each.subjects), "families": families, "groups": sorted(each.groups)}}
                ),
                asked_for_at=at,
            )
        )


def clusters_to_ask(connection: sa.Connection, at: datetime) -> list[DueCluster]:
    """Return the clusters that something is to be asked of now."""
    failures = sa.func.coalesce(sa.func.max(cluster_sync.c.failures), 0)
    query = (
        sa.select(_columns.cluster_id, _columns.organization_id, failures)
        .join(cluster, cluster.c.id == _columns.cluster_id)
        .outerjoin(cluster_sync, cluster_sync.c.cluster_id == _columns.cluster_id)
        .where(cluster.c.removed_at.is_(None), *_due(at))
        .group_by(_columns.cluster_id, _columns.organization_id)
        .order_by(failures)
    )
    return [DueCluster(*row) for row in connection.execute(query)]


def due_proofs(connection: sa.Connection, cluster_id: ClusterId, at: datetime, limit: int = 20) -> list[Proof]:
    """Return what a cluster is to be asked now: the oldest first, before those that are only asked again."""
    again = sa.case((_columns.verdict == Verdict.PENDING.value, 0), else_=1)
    query = sa.select(removal_proof).where(_columns.cluster_id == cluster_id, *_due(at))
    return [_proof(row) for row in connection.execute(query.order_by(again, _columns.id).limit(limit))]


def _due(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    asked = sa.or_(
        _columns.verdict == Verdict.PENDING.value,
        sa.and_(_columns.verdict == Verdict.STILL.value, _columns.asked_for_at > at - ASK_AGAIN_FOR),
    )
    return asked, sa.or_(_columns.retry_at.is_(None), _columns.retry_at <= at)


def keep_proof(
    connection: sa.Connection,
    proof: Proof,
    verdict: Verdict,
    document: Mapping[str, Any],
    at: datetime,
    retry_at: datetime | None,
) -> None:
    """Write down what a cluster answered."""
    connection.execute(
        sa.update(removal_proof)
        .where(_columns.id == proof.id)
        .values(
            verdict=verdict.value,
            document=_text({"taken": proof.document["taken"], **document}),
            attempts=proof.attempts + 1,
            proven_at=at,
            retry_at=retry_at,
        )
    )


def ask_later(connection: sa.Connection, proofs: Iterable[Proof], retry_at: datetime) -> None:
    """Ask again later: the cluster did not answer."""
    ids = [each.id for each in proofs]
    connection.execute(
        sa.update(removal_proof).where(_columns.id.in_(ids)).values(attempts=_columns.attempts + 1, retry_at=retry_at)
    )


def proofs_of_member(connection: sa.Connection, member_id: MemberId) -> list[Proof]:
    """Return every proof about a member, the oldest first."""
    query = sa.select(removal_proof).where(_columns.member_id == member_id).order_by(_columns.id)
    return [_proof(row) for row in connection.execute(query)]


def remaining_access(connection: sa.Connection, cluster_id: ClusterId, at: datetime) -> list[Proof]:
    """Return the proofs of the past days that say a cluster still lets somebody in."""
    query = sa.select(removal_proof).where(
        _columns.cluster_id == cluster_id,
        _columns.verdict == Verdict.STILL.value,
        _columns.asked_for_at > at - ASK_AGAIN_FOR,
    )
    return [_proof(row) for row in connection.execute(query.order_by(_columns.id).limit(100))]


def _text(document: Mapping[str, Any]) -> str:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def _proof(row: sa.Row[Any]) -> Proof:
    return Proof(
        row.id,
        row.removal_request_id,
        row.organization_id,
        row.cluster_id,
        row.member_id,
        Verdict(row.verdict),
        orjson.loads(row.document),
        row.attempts,
        row.asked_for_at,
        row.proven_at,
    )
