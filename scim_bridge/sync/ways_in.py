"""The registered way into a cluster: written down, and asked of the cluster itself."""

from dataclasses import dataclass, replace
from datetime import datetime

from scim_bridge.clusters.gateway import Answered, Gateway, Question
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import TargetKind
from scim_bridge.domain.proofs import AUTHENTICATED, allowed_by
from scim_bridge.domain.safety import BreakGlass, WayIn, checked_group_template, parse_break_glass
from scim_bridge.errors import BridgeError, Refused
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.cluster_registry import RegisteredCluster
from scim_bridge.store.database import Connection
from scim_bridge.store.installation import instance_id
from scim_bridge.store.safety import Safety, note_seen, read_safety, write_safety
from scim_bridge.sync.places import the_cluster, the_organization
from scim_bridge.sync.single import Workshop


@dataclass(frozen=True, slots=True)
class SafetyView:
    """What is registered of a cluster's safety; ``problem`` is what keeps the way in from being one."""

    cluster: str
    break_glass: str | None
    seen_at: datetime | None
    problem: str | None
    group_template: str | None
    events: bool


def show_safety(workshop: Workshop, organization: str, cluster: str) -> SafetyView:
    """Return what is registered; raises NotFound."""
    with workshop.database.read() as connection:
        found = the_cluster(connection, the_organization(connection, organization), cluster)
        return _view(found, read_safety(connection, found.id))


def register_safety(
    workshop: Workshop,
    actor: Actor,
    organization: str,
    cluster: str,
    *,
    break_glass: str | None = None,
    group_template: str | None = None,
    events: bool | None = None,
    request_id: str | None = None,
) -> SafetyView:
    """
    Register the way in, how groups are named and whether there are Events; what is None stays.

    The cluster is asked at once whether it agrees that the way in opens it.
    A cluster that does not answer, or says no, keeps it registered with the problem: no first plan is approved then.
    """
    wanted = parse_break_glass(break_glass) if break_glass is not None else None
    template = checked_group_template(group_template) if group_template is not None else None
    at = workshop.clock()
    with workshop.database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_cluster(connection, owner, cluster)
        known = read_safety(connection, found.id)
        if wanted is not None:
            known = replace(known, break_glass=str(wanted), seen_at=None, problem=None)
        if template is not None:
            known = replace(known, group_template=template)
        if events is not None:
            known = replace(known, events=events)
        change = new_change(owner.id, actor, "cluster.safety_registered", at, request_id)
        add_change(connection, change, found.name)
        write_safety(connection, owner.id, found.id, known, at)
        detail = {
            "break_glass": known.break_glass,
            "group_template": known.group_template,
            "events": known.events,
        }
        add_audit(connection, change, change.kind, "cluster", found.id, detail)
        instance = instance_id(connection)
    if wanted is not None:
        seen, problem = _ask(workshop, found, wanted, instance)
        with workshop.database.write() as connection:
            note_seen(connection, found.organization_id, found.id, at if seen else None, problem, at)
    return show_safety(workshop, organization, cluster)


def require_way_in(connection: Connection, found: RegisteredCluster) -> None:
    """Raise Refused unless somebody can enter this Kubernetes API when the bridge has locked everybody out."""
    if found.kind is TargetKind.MANIFESTS:
        # Whoever owns the repository can take any commit back.
        return
    safety = read_safety(connection, found.id)
    verb = f"scim-bridge cluster safety {found.name} --break-glass user:NAME"
    if safety.break_glass is None:
        raise Refused(f"Register a way into {found.name} that does not depend on the bridge first: {verb}.")
    if safety.problem is not None:
        raise Refused(f"The way into {found.name}, {safety.break_glass}, does not work: {safety.problem} ({verb})")


def _ask(workshop: Workshop, found: RegisteredCluster, wanted: BreakGlass, instance: str) -> tuple[bool, str | None]:
    """Return whether the cluster agreed, and what it said if it did not."""
    if wanted.kind is WayIn.NOTE:
        return False, None
    try:
        answer = _whole_power(workshop.targets.open(found.id), wanted)
    except BridgeError as error:
        return False, f"it could not be asked: {error}"
    if answer is None:
        return False, None
    if not answer.allowed:
        return False, f"the cluster does not let {wanted} do everything."
    by = allowed_by(answer.reason)
    if by is not None and by.name.startswith(f"scimb-{instance[:12]}-"):
        return False, f"it is the bridge itself that lets {wanted} in, by {by.name}."
    return True, None


def _whole_power(gateway: Gateway, wanted: BreakGlass) -> Answered | None:
    is_user = wanted.kind is WayIn.USER
    user = wanted.name if is_user else "scim-bridge:break-glass"
    groups = (AUTHENTICATED,) if is_user else (wanted.name, AUTHENTICATED)
    return gateway.ask(Question(user, groups, "*", "*", "*"))


def _view(found: RegisteredCluster, safety: Safety) -> SafetyView:
    return SafetyView(
        found.name, safety.break_glass, safety.seen_at, safety.problem, safety.group_template, safety.events
    )
