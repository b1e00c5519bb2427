"""
Taking over a binding that somebody made by hand: a command of its own, planned, never done by a pass.

The bridge cannot make such an object its own, for the name of its own says what it is. So it takes it away, once the
plan has said who keeps the same by the bridge's own binding, and who loses it because nobody here gives it to them.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.clusters.gateway import Gateway, Giver, ObservedBinding
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.bindings import Family, SubjectKind
from scim_bridge.domain.safety import parse_break_glass
from scim_bridge.domain.strangers import require_adoptable
from scim_bridge.errors import Conflict, NotFound, Refused
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.cluster_registry import ACTIVE, RegisteredCluster
from scim_bridge.store.freezes import freezes_on
from scim_bridge.store.safety import read_safety
from scim_bridge.sync.inspecting import as_stranger
from scim_bridge.sync.places import the_cluster, the_organization
from scim_bridge.sync.single import Workshop

Clock = Callable[[], datetime]
SHORTEST_HASH = 12


@dataclass(frozen=True, slots=True)
class Adoption:
    """
    What taking over a binding would do, or did: ``keeps`` have the same by the bridge, ``loses`` by nobody.

    ``hash`` is of exactly this: another version of the object, or another answer, has another one.
    """

    cluster: str
    kind: str
    namespace: str | None
    name: str
    role: str
    keeps: tuple[str, ...]
    loses: tuple[str, ...]
    hash: str
    done: bool = False


def plan_adoption(
    workshop: Workshop, organization: str, cluster: str, name: str, namespace: str | None = None
) -> Adoption:
    """Return what taking over a binding would do; nothing is written. Raises NotFound, Refused and ClusterError."""
    registered = _registered(workshop, organization, cluster)
    gateway = workshop.targets.open(registered.id)
    return _plan(workshop, gateway, registered, name, namespace)[0]


def adopt(
    workshop: Workshop,
    actor: Actor,
    organization: str,
    cluster: str,
    name: str,
    namespace: str | None,
    plan_hash: str,
    request_id: str | None = None,
) -> Adoption:
    """
    Take over a binding as its plan says; raises Conflict with the new plan when that is another one by now.

    The audit is written first: what is taken away and not written down would be worse than the other way round.
    """
    registered = _registered(workshop, organization, cluster)
    gateway = workshop.targets.open(registered.id)
    planned, giver = _plan(workshop, gateway, registered, name, namespace)
    if len(plan_hash) < SHORTEST_HASH or not planned.hash.startswith(plan_hash):
        raise Conflict(
            f"By now it would be plan {planned.hash[:SHORTEST_HASH]}: {len(planned.keeps)} keep what it gives, and "
            f"{', '.join(planned.loses) or 'nobody'} would lose it."
        )
    with workshop.database.write() as connection:
        change = new_change(registered.organization_id, actor, "binding.adopted", workshop.clock(), request_id)
        add_change(connection, change, registered.name)
        detail = {
            "cluster": registered.name,
            "kind": planned.kind,
            "namespace": planned.namespace,
            "name": planned.name,
            "role": planned.role,
            "keeps": planned.keeps,
            "loses": planned.loses,
        }
        add_audit(connection, change, "binding.adopted", "cluster", registered.id, detail)
    gateway.take_away(giver)
    return Adoption(**{each: getattr(planned, each) for each in Adoption.__slots__} | {"done": True})


def _registered(workshop: Workshop, organization: str, cluster: str) -> RegisteredCluster:
    with workshop.database.read() as connection:
        return the_cluster(connection, the_organization(connection, organization), cluster)


def _plan(
    workshop: Workshop, gateway: Gateway, registered: RegisteredCluster, name: str, namespace: str | None
) -> tuple[Adoption, Giver]:
    found = [each for each in gateway.everybody() if (each.name, each.namespace) == (name, namespace)]
    if not found:
        raise NotFound(f"There is no binding {name!r} {f'in {namespace}' if namespace else 'of the whole cluster'}.")
    giver = found[0]
    if giver.key is not None and giver.key.cluster_id == registered.id:
        raise Refused(f"{name} is the bridge's already.")
    family = require_adoptable(as_stranger(giver))
    _refuse(workshop, registered, giver, family)
    kept = _given_by_us(gateway.list_bindings(), family)
    keeps = tuple(sorted(n for kind, _, n in giver.subjects if kind == SubjectKind.USER and n in kept))
    loses = tuple(sorted(f"{kind} {n}" for kind, _, n in giver.subjects if kind != SubjectKind.USER or n not in kept))
    text = json.dumps([giver.uid, giver.resource_version, name, namespace, keeps, loses])
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Adoption(registered.name, giver.kind, namespace, name, giver.role, keeps, loses, digest), giver


def _refuse(workshop: Workshop, registered: RegisteredCluster, giver: Giver, family: Family) -> None:
    """Raise Refused for what must stay: the way in, and anything on a cluster that is not approved or is frozen."""
    if registered.state != ACTIVE:
        raise Refused(f"The first plan of {registered.name} is not approved: the bridge gives nobody anything there.")
    with workshop.database.read() as connection:
        way_in = read_safety(connection, registered.id).break_glass
        freezes = freezes_on(connection, registered.organization_id, registered.id, workshop.clock())
    if way_in and any(parse_break_glass(way_in).names(each) for each in giver.subjects):
        raise Refused(f"{giver.name} opens the way in that does not depend on the bridge, {way_in}; it stays.")
    if freezes.covers(family):
        raise Refused(f"It is frozen: {freezes.sentence}.")


def _given_by_us(bindings: list[ObservedBinding], family: Family) -> set[str]:
    """Return whom bindings of ours, as the cluster has them now, give the same."""
    return {name for each in bindings if each.binding.key.family == family for name in each.binding.subjects}
