"""Use cases of revocations: what became of somebody's access, with times and proof, for whoever has to show it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from scim_bridge.domain.objective import Performance, performance
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.people import Member, MemberState
from scim_bridge.domain.proofs import CANNOT_SEE, Verdict
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.identity.runtime import Runtime
from scim_bridge.store import revocations as store
from scim_bridge.store.api_tokens import tokens_of_account
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection
from scim_bridge.store.group_subjects import still_there
from scim_bridge.store.objective import removals_in
from scim_bridge.store.people import account_of_member
from scim_bridge.store.proofs import Proof, proofs_of_member
from scim_bridge.store.revocations import Part, Request
from scim_bridge.store.sessions import sessions_of_member


@dataclass(frozen=True, slots=True)
class TokenEnded:
    """A token of the person's that opened this organization; ``ended_at`` None: it is not revoked."""

    name: str
    prefix: str
    ended_at: datetime | None
    opens_others: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session of the person's that opened this organization; ``ended_at`` None: it did not end of itself."""

    id: str
    method: str
    began_at: datetime
    ended_at: datetime | None
    opens_others: bool


@dataclass(frozen=True, slots=True)
class OnCluster:
    """
    What became of one request on one cluster; ``proof`` is what the cluster itself answered, and when.

    ``lingers`` are groups that tokens given before carry: they let the person in until they end, by ``lingers_until``
    at the latest, and nothing is left that the bridge can do about that.
    """

    cluster: str
    state: str
    confirmed_at: datetime | None
    seconds: float | None
    is_late: bool
    attempts: int
    last_error: str | None
    verdict: str | None
    proven_at: datetime | None
    proof: Mapping[str, Any] | None
    lingers: tuple[str, ...] = ()
    lingers_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Revocation:
    """One asked-for removal; ``everything`` tells that it concerned all access, not a part of it."""

    id: str
    cause: str
    by: str
    everything: bool
    requested_at: datetime
    closed_at: datetime | None
    outcome: str | None
    seconds: float | None
    clusters: tuple[OnCluster, ...]


@dataclass(frozen=True, slots=True)
class StillBound:
    """A binding that the record has the person in now."""

    cluster: str
    namespace: str
    name: str
    subject: str


@dataclass(frozen=True, slots=True)
class RevocationReport:
    """
    What became of a person's access.

    ``is_over`` tells that the member is not active, every removal is confirmed, no token, session or binding is left,
    none of the provider's tokens carries a group that is bound, and no cluster said otherwise. ``unproven`` are the
    clusters that could not be asked.
    """

    organization: str
    person: str
    member_id: str
    email: str | None
    state: str
    made_at: datetime
    objective_seconds: float
    is_over: bool
    unproven: tuple[str, ...]
    revocations: tuple[Revocation, ...]
    tokens: tuple[TokenEnded, ...]
    sessions: tuple[SessionEnded, ...]
    bound: tuple[StillBound, ...]
    cannot_see: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeaverView:
    """Somebody who left, and how long it took until every cluster had confirmed it."""

    member_id: str
    person: str
    state: str
    cause: str
    by: str
    requested_at: datetime
    closed_at: datetime | None
    seconds: float
    is_late: bool


def report(runtime: Runtime, organization: str, person: str) -> RevocationReport:
    """Return what became of somebody's access; raises NotFound."""
    at, objective = now(), runtime.settings.revocation_objective_seconds
    with runtime.database.read() as connection:
        owner = the_organization(connection, organization)
        member = the_member(connection, owner.id, person)
        requests = store.requests_of_member(connection, member.id)
        standing = still_there(connection, [g for each in requests for part in each.parts for g in part.lingers])
        proofs = {(each.request_id, each.cluster_id): each for each in proofs_of_member(connection, member.id)}
        found = tuple(_revocation(_standing_only(each, standing), proofs, objective, at) for each in requests)
        tokens = _tokens(connection, member)
        sessions = _sessions(connection, owner.id, member)
        bound = tuple(StillBound(*each) for each in store.still_bound(connection, member.id))
    return RevocationReport(
        owner.slug,
        member.user_name,
        member.id,
        member.email,
        member.state.value,
        at,
        objective,
        _is_over(member, found, (*tokens, *sessions), bound, at),
        _unproven(found),
        found,
        tokens,
        sessions,
        bound,
        _cannot_see(found, at),
    )


def leavers(runtime: Runtime, organization: str, days: float = 30) -> list[LeaverView]:
    """Return who left in so many days, the latest first, and how long it took."""
    at, objective = now(), runtime.settings.revocation_objective_seconds
    with runtime.database.read() as connection:
        owner = the_organization(connection, organization)
        found = store.leavers_since(connection, owner.id, at - timedelta(days=days))
    return [_leaver(each, objective, at) for each in found]


def measured(runtime: Runtime, organization: str, days: float = 30) -> Performance:
    """Return how the removals of so many days did against the objective, cluster by cluster."""
    at = now()
    with runtime.database.read() as connection:
        owner = the_organization(connection, organization)
        found = removals_in(connection, owner.id, at - timedelta(days=days))
    return performance(found, runtime.settings.revocation_objective_seconds, at)


def _standing_only(request: Request, standing: set[tuple[ClusterId, str]]) -> Request:
    """Return a request less the groups that stand for nobody any more: no token opens anything by them."""
    parts = []
    for part in request.parts:
        left = tuple(each for each in part.lingers if (part.cluster_id, each) in standing)
        parts.append(replace(part, lingers=left, lingers_until=part.lingers_until if left else None))
    return replace(request, parts=tuple(parts))


def _revocation(
    request: Request, proofs: Mapping[tuple[str, ClusterId], Proof], objective: float, at: datetime
) -> Revocation:
    ended = request.closed_at
    return Revocation(
        request.id,
        request.cause,
        request.actor,
        request.extent is None,
        request.requested_at,
        ended,
        request.outcome,
        (ended - request.requested_at).total_seconds() if ended else None,
        tuple(
            _on_cluster(request, part, proofs.get((request.id, part.cluster_id)), objective, at)
            for part in request.parts
        ),
    )


def _on_cluster(request: Request, part: Part, proof: Proof | None, objective: float, at: datetime) -> OnCluster:
    taken = ((part.done_at or at) - request.requested_at).total_seconds()
    is_known = proof is not None and proof.verdict is not Verdict.PENDING
    return OnCluster(
        part.cluster,
        part.state,
        part.done_at,
        taken if part.done_at else None,
        taken > objective,
        part.attempts,
        part.last_error,
        proof.verdict.value if proof else None,
        proof.proven_at if proof else None,
        {k: v for k, v in proof.document.items() if k != "taken"} if proof and is_known else None,
        part.lingers,
        part.lingers_until,
    )


def _tokens(connection: Connection, member: Member) -> tuple[TokenEnded, ...]:
    account = account_of_member(connection, member.id)
    if account is None:
        return ()
    return tuple(
        TokenEnded(each.name, each.prefix, each.revoked_at, each.organization_id is None)
        for each in tokens_of_account(connection, account)
    )


def _sessions(connection: Connection, organization_id: OrganizationId, member: Member) -> tuple[SessionEnded, ...]:
    return tuple(
        SessionEnded(each.id, each.method.value, each.created_at, each.ended_at, each.organization_id is None)
        for each in sessions_of_member(connection, member.id, organization_id)
    )


def _is_over(
    member: Member,
    found: tuple[Revocation, ...],
    opening: tuple[TokenEnded | SessionEnded, ...],
    bound: tuple[StillBound, ...],
    at: datetime,
) -> bool:
    # What opens other organizations too opens none whose member is not active.
    return (
        member.state in (MemberState.DEACTIVATED, MemberState.REMOVED)
        and all(each.closed_at is not None for each in found)
        and all(each.ended_at is not None or each.opens_others for each in opening)
        and not bound
        and not any(part.verdict == Verdict.STILL for each in found for part in each.clusters)
        and not any(part.lingers_until and part.lingers_until > at for each in found for part in each.clusters)
    )


def _cannot_see(found: tuple[Revocation, ...], at: datetime) -> tuple[str, ...]:
    parts = [p for each in found for p in each.clusters if p.lingers_until is not None and p.lingers_until > at]
    told = {
        f"on {p.cluster}, until token expiry: a token that was given before carries {', '.join(p.lingers)} and lets "
        f"them in until it ends, by {p.lingers_until:%Y-%m-%d %H:%M} UTC; nothing is left that the bridge can do there"
        for p in parts
    }
    return (*sorted(told), *CANNOT_SEE)


def _unproven(found: tuple[Revocation, ...]) -> tuple[str, ...]:
    parts = [part for each in found for part in each.clusters if part.state == "done"]
    return tuple(sorted({p.cluster for p in parts if p.verdict not in (Verdict.GONE, Verdict.STILL)}))


def _leaver(found: store.Leaver, objective: float, at: datetime) -> LeaverView:
    seconds = ((found.closed_at or at) - found.requested_at).total_seconds()
    return LeaverView(
        found.member_id,
        found.user_name,
        found.state.value,
        found.cause,
        found.actor,
        found.requested_at,
        found.closed_at,
        seconds,
        seconds > objective,
    )
