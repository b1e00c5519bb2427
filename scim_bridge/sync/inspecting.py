"""Looking at all of a cluster: who else gives access there, what is left of us, and what a person is called."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scim_bridge.clusters.gateway import Gateway, Giver, Question
from scim_bridge.domain.bindings import render_subject, template_fields
from scim_bridge.domain.desired import desired_families
from scim_bridge.domain.organizations import Cluster
from scim_bridge.domain.people import Member, MemberState
from scim_bridge.domain.proofs import AUTHENTICATED, PROBES, allowed_by
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.domain.safety import BreakGlass, parse_break_glass
from scim_bridge.domain.strangers import Strangeness, Stranger, is_somebody, strangeness_of
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import RegisteredCluster, list_clusters
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.people import find_members
from scim_bridge.store.safety import read_safety
from scim_bridge.store.snapshot import read_organization
from scim_bridge.sync.places import the_cluster, the_organization
from scim_bridge.sync.single import Workshop


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a binding names; ``person`` is the member whom this cluster would know by that name, and their state."""

    kind: str
    namespace: str
    name: str
    person: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A binding that no pass keeps, and what it is: orphan, lookalike or privileged."""

    what: str
    kind: str
    namespace: str | None
    name: str
    role: str
    subjects: tuple[Subject, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class TriedSubject:
    """What a person is called on a cluster, who else would be, where the bridge puts them, and what they may do now."""

    cluster: str
    person: str
    state: str
    subject: str | None
    problem: str | None
    same_as: tuple[str, ...]
    families: tuple[str, ...]
    may: tuple[str, ...]
    asked: bool


SENTENCES = {
    Strangeness.ORPHAN: "it was written by this installation for a cluster that is not registered any more",
    Strangeness.LOOKALIKE: "it says that it is the bridge's and is not: somebody edited it, or another bridge wrote it",
    Strangeness.PRIVILEGED: "somebody gave this role by hand, and no pass will ever take it away",
}


def find_strangers(
    workshop: Workshop, organization: str, cluster: str, *, only: Strangeness | None = None
) -> list[Found]:
    """
    Return the bindings on a cluster that no pass keeps and that a person should know of.

    Raises NotFound, and ClusterError when the cluster cannot be read whole: a part would look like all there is.
    """
    with workshop.database.read() as connection:
        registered = the_cluster(connection, the_organization(connection, organization), cluster)
    found = strangers_on(workshop.database, workshop.targets.open(registered.id), registered)
    return [each for each in found if only in (None, each.what)]


def strangers_on(database: Database, gateway: Gateway, registered: RegisteredCluster) -> list[Found]:
    """Return the same of a cluster that is at hand; raises ClusterError when it cannot be read whole."""
    with database.read() as connection:
        live = [each.id for each in list_clusters(connection, registered.organization_id)]
        names = _people(connection, registered)
        way_in = _way_in(connection, registered)
    found = []
    for giver in gateway.everybody():
        stranger = as_stranger(giver)
        what = strangeness_of(stranger, claims=giver.claims, registered=live)
        if what is not None and not _is_way_in(stranger, way_in):
            found.append(_found(what, stranger, names))
    return sorted(found, key=lambda each: (each.what, each.namespace or "", each.name))


def as_stranger(giver: Giver) -> Stranger:
    """Return a binding as the rules look at it."""
    return Stranger(
        giver.kind,
        giver.namespace,
        giver.name,
        giver.role_kind,
        giver.role,
        giver.subjects,
        dict(giver.labels),
        giver.key.cluster_id if giver.key else None,
    )


def try_subject(
    workshop: Workshop, organization: str, cluster: str, person: str, *, template: str | None = None
) -> TriedSubject:
    """Return what a person is called on a cluster, by its own template or another, and what they may do there now."""
    at = now()
    with workshop.database.read() as connection:
        owner = the_organization(connection, organization)
        registered = the_cluster(connection, owner, cluster)
        found = find_members(connection, owner.id, person)
        snapshot = read_organization(connection, owner.id, at)
    if not found:
        raise NotFound(f"There is no person {person!r} in this organization.")
    if len(found) > 1:
        raise Conflict(f"{person!r} names {len(found)} people; name one by its id.")
    member, place = found[0], _with_template(registered.cluster, template)
    subject, problem = None, None
    try:
        subject = render_subject(place, member)
    except Invalid as error:
        problem = str(error)
    same = tuple(
        each.user_name
        for each in snapshot.members.values()
        if each.id != member.id and subject is not None and _rendered(place, each) == subject
    )
    _, families = desired_families(snapshot, registered.id, member.id)
    may, asked = _may(workshop.targets.open(registered.id), subject, [each.namespace for each in families])
    texts = tuple(sorted(f"{each.role.value} in {each.namespace or 'the whole cluster'}" for each in families))
    return TriedSubject(
        registered.name, member.user_name, member.state.value, subject, problem, same, texts, may, asked
    )


def _with_template(cluster: Cluster, template: str | None) -> Cluster:
    if template is None:
        return cluster
    template_fields(template)
    return replace(cluster, user_template=template)


def _may(gateway: Gateway, subject: str | None, namespaces: list[str | None]) -> tuple[tuple[str, ...], bool]:
    if subject is None:
        return (), False
    told = []
    for namespace in sorted({None, *namespaces}, key=lambda each: each or ""):
        for probe in PROBES[KubernetesRole.EDIT]:
            names = (probe.verb, probe.resource, probe.api_group, probe.subresource)
            answer = gateway.ask(Question(subject, (AUTHENTICATED,), *names, namespace))
            if answer is None:
                return (), False
            if answer.allowed:
                by = allowed_by(answer.reason)
                told.append(f"{probe} in {namespace or 'the whole cluster'}: {by or answer.reason or 'no reason'}")
    return tuple(told), True


def _people(connection: Connection, registered: RegisteredCluster) -> Mapping[str, tuple[str, str]]:
    snapshot = read_organization(connection, registered.organization_id, now())
    found: dict[str, tuple[str, str]] = {}
    for member in snapshot.members.values():
        name = _rendered(registered.cluster, member) if member.is_person else None
        if name is not None:
            found.setdefault(name, (member.user_name, member.state.value))
    return found


def _rendered(cluster: Cluster, member: Member) -> str | None:
    try:
        return render_subject(cluster, member)
    except Invalid:
        return None


def _way_in(connection: Connection, registered: RegisteredCluster) -> BreakGlass | None:
    text = read_safety(connection, registered.id).break_glass
    return parse_break_glass(text) if text else None


def _is_way_in(found: Stranger, way_in: BreakGlass | None) -> bool:
    """Tell whether a binding opens the registered way in and nothing else."""
    somebody = [each for each in found.subjects if is_somebody(each)]
    return way_in is not None and bool(somebody) and all(way_in.names(each) for each in somebody)


def _found(what: Strangeness, found: Stranger, names: Mapping[str, tuple[str, str]]) -> Found:
    subjects = tuple(
        Subject(kind, namespace, name, *(names.get(name, (None, None)) if kind == "User" else (None, None)))
        for kind, namespace, name in found.subjects
    )
    gone = [each.person for each in subjects if each.state not in (None, MemberState.ACTIVE.value)]
    sentence = SENTENCES[what] + (f"; {', '.join(filter(None, gone))} left the organization" if gone else "")
    return Found(what.value, found.kind, found.namespace, found.name, found.role, subjects, sentence)
