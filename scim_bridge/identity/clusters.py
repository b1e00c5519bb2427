"""Use cases of clusters: register a target, look at it, give it another credential, forget it."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from scim_bridge.clusters.git import want_commits as want_commits
from scim_bridge.clusters.manifest_files import prepare_folder
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import (
    CaseRule,
    ClusterId,
    Scope,
    ScopeKind,
    SubjectMode,
    TargetKind,
    Tree,
)
from scim_bridge.domain.safety import parse_break_glass
from scim_bridge.errors import Conflict, NotFound, Refused, StoreError
from scim_bridge.identity.authority import authority_of, require
from scim_bridge.identity.cluster_registration import ClusterWanted as ClusterWanted
from scim_bridge.identity.cluster_registration import (
    check_wanted,
    differences,
    refuse_others,
    require_way_in,
    target_wanted,
)
from scim_bridge.identity.cluster_subjects import check_whole, directory_called
from scim_bridge.identity.cluster_targets import (
    PreflightProblem,
    TargetNamed,
    TargetRead,
    forgotten_owner,
    look_over,
    read_target,
    same_credential,
)
from scim_bridge.identity.mapping import tree_grew
from scim_bridge.identity.names import the_organization, the_unit, unit_path
from scim_bridge.identity.rules import rules_naming
from scim_bridge.identity.runtime import Keyring, Runtime
from scim_bridge.store import cluster_registry as store
from scim_bridge.store import grants
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import NewTarget, RegisteredCluster
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.organizations import Organization, lock_for_rules
from scim_bridge.store.safety import Safety, write_safety
from scim_bridge.store.tree import read_tree
from scim_bridge.store.tree_changes import end_listings

ONLY_HERE = "A folder, or the cluster this runs in, is registered at the installation itself."


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster without its credential; ``bindings`` is how many of our objects were last seen on it."""

    id: ClusterId
    name: str
    unit: str
    kind: TargetKind
    state: str
    address: str
    user_template: str
    case_rule: CaseRule
    allow_cluster_admin: bool
    allow_label_selectors: bool
    bridge_namespace: str
    bindings: int
    created_at: datetime
    subject_mode: SubjectMode
    group_template: str
    group_case: CaseRule
    group_directory: str
    group_filter: str
    group_limit: int
    token_minutes: int
    excluded_namespaces: str
    created: bool = False


@dataclass(frozen=True, slots=True)
class ClusterLookedOver:
    """A registered cluster, whether this call changed anything, and what would keep its passes from working."""

    cluster: ClusterView
    changed: bool
    warnings: tuple[PreflightProblem, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ClusterRegistered:
    """A cluster that is registered now, and what it takes to look its target over."""

    view: ClusterView
    target: tuple[RegisteredCluster, TargetRead, str]


def add(
    runtime: Runtime,
    actor: Actor,
    organization: str,
    wanted: ClusterWanted,
    request_id: str | None = None,
    *,
    given: TargetRead | None = None,
) -> ClusterLookedOver:
    """
    Register a cluster; the same again changes nothing, other values for its name are a Conflict that names them.

    Raises Invalid for a target that cannot be one. A target that does not answer, or not as it should, is registered
    and comes with warnings: clusters are often made in the same hour as their registration. ``given`` is the target
    where it was read already.
    """
    target = given or read_target(wanted.target)
    done = register(runtime, actor, organization, wanted, target, request_id=request_id)
    return ClusterLookedOver(done.view, done.view.created, look_over(runtime, *done.target, now()))


def register(
    runtime: Runtime,
    actor: Actor,
    organization: str,
    wanted: ClusterWanted,
    given: TargetRead,
    *,
    rehearsing: bool = False,
    request_id: str | None = None,
) -> ClusterRegistered:
    """Register a cluster whose target is read already, and ask it nothing; ``rehearsing`` leaves a folder alone."""
    check_wanted(wanted)
    with runtime.database.write() as connection:
        owner = the_organization(connection, organization)
        lock_for_rules(connection, owner.id, exclusive=True)
        tree, instance = read_tree(connection, owner.id), instance_id(connection)
        unit_id = the_unit(tree, wanted.unit)
        subjects = wanted.subjects.values(connection, owner.id)
        check_whole(subjects)
        require_way_in(wanted, given)
        _require_registering(connection, actor, owner, tree.scopes_of_unit(unit_id)[0], wanted, given)
        found = store.find_cluster(connection, owner.id, wanted.name)
        if found is not None and found.name == wanted.name:
            others = differences(runtime.keyring, tree, found, wanted, given, subjects)
            refuse_others(list(others), wanted.name)
            registered, created = found, False
        else:
            change = new_change(owner.id, actor, "cluster.added", now(), request_id)
            target = target_wanted(runtime.keyring, wanted, unit_id, given, subjects)
            registered, created = _register(connection, change, target), True
            if wanted.break_glass is not None:
                way_in = Safety(break_glass=str(parse_break_glass(wanted.break_glass)))
                write_safety(connection, owner.id, registered.id, way_in, change.at)
            if given.folder is not None and not rehearsing:
                may_replace = forgotten_owner(connection, owner.id, instance)
                prepare_folder(Path(given.folder), registered.id, instance, may_replace)
            tree = read_tree(connection, owner.id)
        view = _view(connection, tree, registered, created=created)
    return ClusterRegistered(view, (registered, given, instance))


def update(
    runtime: Runtime,
    actor: Actor,
    organization: str,
    name: str,
    target: TargetNamed | TargetRead,
    *,
    is_new_address: bool = False,
    request_id: str | None = None,
) -> ClusterLookedOver:
    """
    Give a cluster another credential; the one it has already changes nothing.

    Raises Conflict for another server's, unless it is said to be the same cluster at a new address.
    """
    given = target if isinstance(target, TargetRead) else read_target(target)
    with runtime.database.write() as connection:
        owner = the_organization(connection, organization)
        found = _the_cluster(connection, owner, name)
        require(connection, actor, owner.id, "clusters:update", Scope(ScopeKind.CLUSTER, found.id))
        if not actor.is_trusted and given.kubeconfig is None:
            raise Refused(ONLY_HERE)
        if TargetKind.MANIFESTS in (found.kind, given.kind):
            raise Refused(f"Only a Kubernetes API has a credential, and {name} stays what it is: add another cluster.")
        if found.address != given.address and not is_new_address:
            raise Conflict(
                f"The cluster {name} is at {found.address}, and the credential is for {given.address}: say "
                "--new-address if that is the same cluster."
            )
        changed = found.address != given.address or not _has_credential(runtime.keyring, found, given)
        if changed:
            change = new_change(owner.id, actor, "cluster.credential_replaced", now(), request_id)
            add_change(connection, change, name)
            store.replace_credential(connection, change, found.id, given.sealed(runtime.keyring), given.address)
            detail = {"name": name, "from": found.address, "to": given.address}
            add_audit(connection, change, change.kind, "cluster", found.id, detail)
            found = store.read_target(connection, found.id)
        view, instance = _view(connection, read_tree(connection, owner.id), found), instance_id(connection)
    return ClusterLookedOver(view, changed, look_over(runtime, found, given, instance, now()))


def list_all(
    database: Database, organization: str, actor: Actor | None = None, permission: str = "clusters:read"
) -> list[ClusterView]:
    """Return the clusters by name; to an actor, those at which they hold a permission."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        tree = read_tree(connection, owner.id)
        found = store.list_clusters(connection, owner.id)
        if actor is not None and not actor.is_trusted:
            authority = authority_of(connection, actor, owner.id)
            found = [each for each in found if authority.may(permission, Scope(ScopeKind.CLUSTER, each.id))]
        return [_view(connection, tree, each) for each in found]


def show(database: Database, organization: str, name: str, actor: Actor | None = None) -> ClusterView:
    """Return one cluster; raises NotFound, and Refused for an actor who may not see it."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        if actor is not None:
            place = Scope(ScopeKind.CLUSTER, _the_cluster(connection, owner, name).id)
            require(connection, actor, owner.id, "clusters:read", place)
        return _view(connection, read_tree(connection, owner.id), _the_cluster(connection, owner, name))


def permitted(database: Database, actor: Actor, organization: str, name: str, permission: str) -> str:
    """Return a cluster's name for an actor who holds a permission at it; raises NotFound and Refused."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = _the_cluster(connection, owner, name)
        require(connection, actor, owner.id, permission, Scope(ScopeKind.CLUSTER, found.id))
        return found.name


def remove(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    *,
    leave_bindings: bool = False,
    request_id: str | None = None,
) -> ClusterView:
    """
    Forget a cluster; nothing on it is touched.

    Raises Refused while our bindings are on it, unless they are to stay there with nobody to look after them, and while
    a mapping rule names it or a project is on no other cluster. Grants at it end.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        lock_for_rules(connection, owner.id, exclusive=True)
        found = _the_cluster(connection, owner, name)
        require(connection, actor, owner.id, "clusters:delete", Scope(ScopeKind.CLUSTER, found.id))
        tree = read_tree(connection, owner.id)
        view = _view(connection, tree, found)
        if view.bindings and not leave_bindings:
            raise Refused(
                f"{view.bindings} bindings are on {name}: take the grants away first, or leave them there for good "
                "with --leave-bindings."
            )
        _refuse_needed(connection, owner, tree, found)
        change = new_change(owner.id, actor, "cluster.removed", now(), request_id)
        add_change(connection, change, name)
        origins = grants.origins_at(connection, owner.id, [Scope(ScopeKind.CLUSTER, found.id)])
        ended = grants.close_origins(connection, change, origins)
        end_listings(connection, change, found.id)
        store.remove_cluster(connection, change, found.id)
        detail = {"name": name, "left": view.bindings, "grants_ended": len(ended)}
        add_audit(connection, change, "cluster.removed", "cluster", found.id, detail)
        return view


def _refuse_needed(connection: Connection, owner: Organization, tree: Tree, found: RegisteredCluster) -> None:
    """Raise Refused for a cluster that something would look for in vain, or would no longer say where it is."""
    named = rules_naming(connection, owner.id, f"cluster:{found.name}")
    if named:
        raise Refused(f"{found.name} is named by {', '.join(named)}: change or remove these mapping rules first.")
    # Without one that it lists, a project would be on the clusters of its unit: nobody asked for that.
    alone = sorted(each.name for each in tree.projects.values() if each.cluster_ids == {found.id})
    if alone:
        raise Refused(f"The project {alone[0]} lists no other cluster than {found.name}: give it others first.")


def _require_registering(
    connection: Connection,
    actor: Actor,
    owner: Organization,
    place: Scope,
    wanted: ClusterWanted,
    given: TargetRead,
) -> None:
    """Raise Refused for what somebody may not register: whoever decides who gets what on a cluster grants it."""
    require(connection, actor, owner.id, "clusters:create", place)
    if not actor.is_trusted and given.kubeconfig is None:
        raise Refused(ONLY_HERE)
    if wanted.allow_cluster_admin:
        require(connection, actor, owner.id, "kubernetes_roles:grant:cluster-admin", place)
    if wanted.allow_label_selectors or wanted.approve_first_plan:
        require(connection, actor, owner.id, "organization:permissions:write", place)


def _register(connection: Connection, change: Change, target: NewTarget) -> RegisteredCluster:
    add_change(connection, change, target.name)
    made = store.insert_cluster(connection, change, target)
    detail = {
        "name": target.name,
        "unit": target.unit_id,
        "kind": target.kind.value,
        "address": target.address,
        "user_template": target.user_template,
        "case_rule": target.case_rule.value,
        "allow_cluster_admin": target.allow_cluster_admin,
        "allow_label_selectors": target.allow_label_selectors,
        "bridge_namespace": target.bridge_namespace,
        "approved_first_plan": target.approved,
        **target.subjects,
    }
    add_audit(connection, change, "cluster.added", "cluster", made.id, detail)
    tree_grew(connection, change)
    return made


def _has_credential(keyring: Keyring, found: RegisteredCluster, given: TargetRead) -> bool:
    try:
        return same_credential(keyring, found, given)
    except StoreError:
        # The key that sealed it is lost: a new credential is the way out.
        return False


def _the_cluster(connection: Connection, owner: Organization, name: str) -> RegisteredCluster:
    found = store.find_cluster(connection, owner.id, name)
    if found is None:
        raise NotFound(f"There is no cluster {name!r} in the organization {owner.slug}.")
    return found


def _view(connection: Connection, tree: Tree, found: RegisteredCluster, *, created: bool = False) -> ClusterView:
    return ClusterView(
        found.id,
        found.name,
        unit_path(tree, found.cluster.unit_id),
        found.kind,
        found.state,
        found.address,
        found.cluster.user_template,
        found.cluster.case_rule,
        found.cluster.allow_cluster_admin,
        found.cluster.allow_label_selectors,
        found.cluster.bridge_namespace,
        store.count_applied(connection, found.id),
        found.created_at,
        found.cluster.subject_mode,
        found.cluster.group_template,
        found.cluster.group_case,
        directory_called(connection, found.cluster.group_directory),
        found.cluster.group_filter,
        found.cluster.group_limit,
        found.cluster.token_minutes,
        found.cluster.excluded_namespaces,
        created,
    )
