"""After a removal: ask the cluster itself, with the names that the person's token would be turned into."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scim_bridge.clusters.gateway import Gateway, Question
from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.bindings import Family, binding_name, render_subject
from scim_bridge.domain.desired import Condition
from scim_bridge.domain.group_subjects import groups_in_token
from scim_bridge.domain.organizations import Cluster
from scim_bridge.domain.people import MemberState, groups_above
from scim_bridge.domain.proofs import (
    AUTHENTICATED,
    CANNOT_SEE,
    FOLDER,
    PROBES,
    Asked,
    Probe,
    Verdict,
    allowed_by,
    places_of,
    proof_document,
    verdict_of,
)
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterError, Invalid
from scim_bridge.log import get_logger
from scim_bridge.store.applied import applied_digests, recorded_keys
from scim_bridge.store.audit import add_audit
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.conditions import add_condition
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.group_facts import group_facts
from scim_bridge.store.installation import instance_id
from scim_bridge.store.proofs import Proof, ask_later, due_proofs, keep_proof
from scim_bridge.store.snapshot import read_members

Clock = Callable[[], datetime]

ASK_AGAIN = timedelta(minutes=10)
"""A binding of somebody else's that lets a leaver in is looked at again after this time."""
ATTEMPTS = 10
LONGEST_WAIT = 600.0
SCHEDULER = Actor(ActorKind.SCHEDULER, "proofs")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is read of the store before the first question."""

    proofs: list[Proof]
    snapshot: Snapshot
    cluster: Cluster
    groups: dict[str, tuple[str, ...]]
    ours: frozenset[tuple[str | None, str]]


def prove_removals(
    database: Database, gateway: Gateway, place: DueCluster, clock: Clock, goes_on: Callable[[], bool]
) -> int:
    """
    Ask a cluster about the removals it has confirmed, and keep what it answers; returns how many are proven.

    Never raises for what the cluster does: what it does not answer now it is asked later.
    """
    sight = _read(database, place, clock())
    done = 0
    for proof in sight.proofs:
        if not goes_on():
            break
        try:
            verdict, document = _prove(gateway, sight, proof)
        except ClusterError as error:
            _put_off(database, sight.proofs[done:], clock(), str(error))
            break
        with database.write() as connection:
            _keep(connection, place, proof, verdict, document, clock())
        done += 1
    return done


def put_off_proofs(database: Database, place: DueCluster, reason: str, clock: Clock) -> None:
    """Ask later: the cluster's gateway could not even be opened."""
    with database.read() as connection:
        proofs = due_proofs(connection, place.id, clock())
    if proofs:
        _put_off(database, proofs, clock(), reason)


def _read(database: Database, place: DueCluster, at: datetime) -> _Sight:
    with database.read() as connection:
        proofs = due_proofs(connection, place.id, at)
        members = sorted({each.member_id for each in proofs})
        snapshot = read_members(connection, place.organization_id, members, at)
        instance = instance_id(connection)
        keys = recorded_keys(applied_digests(connection, place.id))
        return _Sight(
            proofs,
            snapshot,
            snapshot.tree.clusters[place.id],
            _groups(connection, place, snapshot),
            frozenset((key.family.namespace, binding_name(instance, key)) for key in keys),
        )


def _groups(connection: Connection, place: DueCluster, snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Return each member's groups as the cluster's tokens name them; none where nobody said how it does."""
    cluster = snapshot.tree.clusters[place.id]
    if not cluster.group_template:
        return {}
    above = {m: groups_above(found, snapshot.parents_of) for m, found in snapshot.groups_of.items()}
    facts = group_facts(connection, set().union(*above.values()))
    names = {each: groups_in_token(cluster, [fact]) for each, fact in facts.items()}
    return {m: tuple(sorted(name for each in found for name in names.get(each, ()))) for m, found in above.items()}


def _prove(gateway: Gateway, sight: _Sight, proof: Proof) -> tuple[Verdict, dict[str, object]]:
    member = sight.snapshot.members.get(proof.member_id)
    subjects = list(proof.subjects)
    if not subjects and member is not None:
        with suppress(Invalid):
            subjects = [render_subject(sight.cluster, member)]
    families = proof.families or _all_roles(sight.cluster)
    places, left_out = places_of(families)
    # What tokens that were given before carry is told with its end; what stays when they have ended is asked.
    carried = [each for each in sight.groups.get(proof.member_id, ()) if each not in proof.lingering]
    groups = (*carried, AUTHENTICATED)
    answers: list[Asked] = []
    for subject in subjects:
        for role, namespace in places:
            for probe in PROBES[role]:
                answer = _ask(gateway, sight, subject, groups, probe, namespace)
                if answer is None:
                    return Verdict.UNKNOWN, proof_document(subjects, groups, (), notes=(FOLDER, *CANNOT_SEE))
                answers.append(answer)
    document = proof_document(subjects, groups, answers, left_out=left_out)
    if not subjects:
        return Verdict.UNKNOWN, document
    is_active = member is not None and member.state is MemberState.ACTIVE
    return verdict_of(answers, is_active=is_active), document


def _all_roles(cluster: Cluster) -> Iterable[Family]:
    roles = [KubernetesRole.VIEW, KubernetesRole.EDIT]
    if cluster.allow_cluster_admin:
        roles.append(KubernetesRole.CLUSTER_ADMIN)
    return [Family(None, role) for role in roles]


def _ask(
    gateway: Gateway, sight: _Sight, subject: str, groups: tuple[str, ...], probe: Probe, namespace: str | None
) -> Asked | None:
    answer = gateway.ask(
        Question(subject, groups, probe.verb, probe.resource, probe.api_group, probe.subresource, namespace)
    )
    if answer is None:
        return None
    found = allowed_by(answer.reason) if answer.allowed else None
    by = str(found) if found else answer.reason or ("something that gives no reason" if answer.allowed else "")
    ours = found is not None and (found.namespace, found.name) in sight.ours
    return Asked(subject, probe, namespace, answer.allowed, by if answer.allowed else "", ours)


def _put_off(database: Database, proofs: list[Proof], at: datetime, reason: str) -> None:
    wait = min(2.0 ** min(proofs[0].attempts, 10), LONGEST_WAIT)
    given_up = [each for each in proofs if each.attempts + 1 >= ATTEMPTS]
    with database.write() as connection:
        ask_later(connection, proofs, at + timedelta(seconds=wait))
        for each in given_up:
            notes = (f"the cluster did not answer {ATTEMPTS} times: {reason}", *CANNOT_SEE)
            keep_proof(connection, each, Verdict.UNKNOWN, proof_document(each.subjects, (), (), notes=notes), at, None)


def _keep(
    connection: Connection,
    place: DueCluster,
    proof: Proof,
    verdict: Verdict,
    document: dict[str, object],
    at: datetime,
) -> None:
    still = verdict is Verdict.STILL
    keep_proof(connection, proof, verdict, document, at, at + ASK_AGAIN if still else None)
    if not still:
        return
    condition = still_condition(replace(proof, document=document))
    add_condition(connection, place.organization_id, place.id, condition, at)
    if proof.verdict is not Verdict.STILL:
        change = new_change(place.organization_id, SCHEDULER, "removal.access_remains", at)
        add_change(connection, change, condition.about)
        detail = {"cluster": place.id, "message": condition.message}
        add_audit(connection, change, "removal.access_remains", "member", proof.member_id, detail)
        log.error("somebody who was removed still has access", cluster=place.id, reason=condition.message)


def still_condition(proof: Proof) -> Condition:
    """Return what a person should know of somebody whom a cluster still lets in."""
    allowed = [each for each in proof.document.get("questions", ()) if each["allowed"]]
    subject = allowed[0]["subject"] if allowed else proof.member_id
    by = sorted({each["by"] for each in allowed})
    message = f"{subject} was removed and may still {allowed[0]['question'] if allowed else 'act'}: {'; '.join(by[:5])}"
    return Condition("AccessRemains", subject, message)
