"""Use cases of freezes: stop the bridge from acting somewhere, and let it act again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.freezes import Freeze, FrozenPlace, parse_place, thaw_after
from scim_bridge.domain.organizations import ClusterId, OrganizationId, Scope, ScopeKind
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity.authority import require
from scim_bridge.identity.names import the_organization
from scim_bridge.store import freezes as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import find_cluster, list_clusters
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organizations import list_organizations
from scim_bridge.store.removal_queue import try_again_now

FREEZE = "sync:freeze"
KEEP_LEAVERS = "sync:freeze_revocations"
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class FreezeWanted:
    """What to freeze: a binding on a cluster, a cluster, or all clusters; for so many hours, or until it is ended."""

    cluster: str | None = None
    binding: str | None = None
    reason: str = ""
    including_revocations: bool = False
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class FreezeView:
    """A freeze in force; ``level`` is installation, organization, cluster or binding."""

    id: str
    level: str
    cluster: str | None
    binding: str | None
    including_revocations: bool
    reason: str
    by: str
    since: datetime
    until: datetime | None


def begin(
    database: Database, actor: Actor, organization: str | None, wanted: FreezeWanted, request_id: str | None = None
) -> FreezeView:
    """
    Stop grants and inferred removals; no organization means the whole installation.

    Asked-for removals go on, unless they are included, which takes an owner and lasts a day at most. Raises Conflict
    where the very place is frozen already.
    """
    at = now()
    with database.write() as connection:
        owner, cluster_id = _place(connection, organization, wanted.cluster)
        _allow(connection, actor, owner, cluster_id, including_revocations=wanted.including_revocations)
        asked = _asked(actor, owner, cluster_id, wanted, at)
        present = store.find_freeze(connection, asked, at)
        if present is not None:
            raise Conflict(f"It is frozen already, by {present.begun_by}: end that freeze first.")
        made = store.insert_freeze(connection, asked)
        _tell(connection, actor, made, "freeze.begun", at, request_id)
        return _view(connection, made)


def end(database: Database, actor: Actor, organization: str, freeze_id: str, request_id: str | None = None) -> None:
    """End one freeze of an organization, its clusters or bindings; what waited is done at once. Raises NotFound."""
    at = now()
    with database.write() as connection:
        owner = the_organization(connection, organization).id
        found = [each for each in store.list_freezes(connection, owner, at) if each.id == freeze_id]
        if not found or found[0].organization_id is None:
            raise NotFound("There is no such freeze in this organization.")
        _end(connection, actor, found[0], at, request_id)


def end_place(
    database: Database, actor: Actor, organization: str | None, wanted: FreezeWanted, request_id: str | None = None
) -> FreezeView:
    """End the freeze of exactly this place; raises NotFound where it is not frozen."""
    at = now()
    with database.write() as connection:
        owner, cluster_id = _place(connection, organization, wanted.cluster)
        found = store.find_freeze(connection, _asked(actor, owner, cluster_id, wanted, at), at)
        if found is None:
            raise NotFound("That is not frozen: `scim-bridge freeze list` says what is.")
        view = _view(connection, found)
        _end(connection, actor, found, at, request_id)
        return view


def list_all(database: Database, organization: str) -> list[FreezeView]:
    """Return what is frozen in an organization, by the installation too, the oldest first."""
    with database.read() as connection:
        owner = the_organization(connection, organization).id
        return [_view(connection, each) for each in store.list_freezes(connection, owner, now())]


def _place(
    connection: Connection, organization: str | None, cluster: str | None
) -> tuple[OrganizationId | None, ClusterId | None]:
    if organization is None:
        if cluster is not None:
            raise Invalid("Say whose cluster it is, or freeze the whole installation.", field="organization")
        return None, None
    owner = the_organization(connection, organization)
    if cluster is None:
        return owner.id, None
    found = find_cluster(connection, owner.id, cluster)
    if found is None:
        raise NotFound(f"There is no cluster {cluster!r} in the organization {owner.slug}.")
    return owner.id, found.id


def _allow(
    connection: Connection,
    actor: Actor,
    owner: OrganizationId | None,
    cluster_id: ClusterId | None,
    *,
    including_revocations: bool,
) -> None:
    if owner is None:
        if not actor.is_trusted:
            raise Refused("Only the terminal of the installation freezes all of it.")
        return
    scope = Scope(ScopeKind.CLUSTER, cluster_id) if cluster_id is not None else None
    require(connection, actor, owner, FREEZE, scope)
    if including_revocations:
        require(connection, actor, owner, KEEP_LEAVERS, scope)


def _asked(
    actor: Actor, owner: OrganizationId | None, cluster_id: ClusterId | None, wanted: FreezeWanted, at: datetime
) -> Freeze:
    if wanted.binding is not None and cluster_id is None:
        raise Invalid("Say on which cluster the binding is.", field="cluster")
    place: FrozenPlace | None = parse_place(wanted.binding) if wanted.binding is not None else None
    length = timedelta(hours=wanted.hours) if wanted.hours is not None else None
    until = thaw_after(at, length, including_revocations=wanted.including_revocations)
    reason = " ".join(wanted.reason.split())[:LONGEST_REASON]
    return Freeze("", owner, cluster_id, place, wanted.including_revocations, reason, actor.name, at, until)


def _end(connection: Connection, actor: Actor, found: Freeze, at: datetime, request_id: str | None) -> None:
    _allow(connection, actor, found.organization_id, found.cluster_id, including_revocations=False)
    store.end_freeze(connection, found.id, actor.name, at)
    _tell(connection, actor, found, "freeze.ended", at, request_id)


def _tell(
    connection: Connection, actor: Actor, found: Freeze, action: str, at: datetime, request_id: str | None
) -> None:
    """Write the change that wakes the clusters, and the audit, of every organization that is concerned."""
    for organization_id in _concerned(connection, found):
        change = new_change(organization_id, actor, action, at, request_id)
        view = _view(connection, found)
        add_change(connection, change, view.cluster or view.level)
        detail = {
            "level": view.level,
            "cluster": view.cluster,
            "binding": view.binding,
            "including_revocations": view.including_revocations,
            "reason": view.reason,
            "until": view.until,
        }
        noun, id_ = ("cluster", found.cluster_id) if found.cluster_id else ("organization", organization_id)
        add_audit(connection, change, action, noun, id_, detail)
        if action == "freeze.ended":
            try_again_now(connection, organization_id)


def _concerned(connection: Connection, found: Freeze) -> Iterable[OrganizationId]:
    if found.organization_id is not None:
        return [found.organization_id]
    return [each.id for each in list_organizations(connection)]


def _view(connection: Connection, found: Freeze) -> FreezeView:
    level = "installation" if found.organization_id is None else "organization"
    name = None
    if found.cluster_id is not None and found.organization_id is not None:
        level = "cluster" if found.place is None else "binding"
        names = {each.id: each.name for each in list_clusters(connection, found.organization_id)}
        name = names.get(found.cluster_id, found.cluster_id)
    return FreezeView(
        found.id,
        level,
        name,
        str(found.place) if found.place else None,
        found.including_revocations,
        found.reason,
        found.begun_by,
        found.begun_at,
        found.ends_at,
    )
