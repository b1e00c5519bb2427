"""Clusters as drafts: move to another environment, rename, and change what may be granted on them and how."""

from dataclasses import dataclass, replace

from scim_bridge.domain.bindings import template_fields
from scim_bridge.domain.organizations import CaseRule, Cluster, ClusterId, Scope, Tree
from scim_bridge.errors import Conflict, Invalid
from scim_bridge.identity.cluster_subjects import AS_IT_IS, SubjectsWanted, check_whole
from scim_bridge.identity.names import checked_name, the_scope, the_unit, unit_path
from scim_bridge.identity.project_changes import owned
from scim_bridge.identity.tree import refuse_owned
from scim_bridge.identity.tree_drafts import Desk, Outcome
from scim_bridge.identity.unit_changes import unit_scope
from scim_bridge.store import tree_changes as store
from scim_bridge.store.tree_changes import POLICIES, policy_text

MAX_TEMPLATE = 255
MOVE = "clusters:move_environment"


@dataclass(frozen=True, slots=True)
class MoveCluster:
    """Put a cluster into another unit; ``to`` None: below the organization itself."""

    cluster: str
    to: str | None
    kind: str = "cluster.moved"

    def carry_out(self, desk: Desk) -> Outcome:
        """Move it; raises Conflict where two projects would have one namespace on it."""
        present, scope = cluster_named(desk.tree, self.cluster)
        unit_id = the_unit(desk.tree, self.to)
        desk.require(MOVE, scope)
        desk.require(MOVE, unit_scope(desk.tree, unit_id))
        if unit_id == present.unit_id:
            return _same(scope, present)
        desk.require_inherited(scope, unit_id, MOVE)
        desk.begin(present.name)
        store.move_cluster(desk.connection, desk.change, present.id, unit_id)
        detail = {"name": present.name, "from": unit_path(desk.tree, present.unit_id), "to": self.to or ""}
        desk.audit(scope, detail)
        tree = desk.reread()
        for each in tree.projects.values():
            if present.id in tree.clusters_of_project(each):
                refuse_owned(tree, each, owned(tree, each))
        desk.follow()
        return Outcome(scope, f"cluster:{present.name}", f"cluster:{present.name}")


@dataclass(frozen=True, slots=True)
class ChangeCluster:
    """Give a cluster another name or policy; None leaves each as it is."""

    cluster: str
    name: str | None = None
    user_template: str | None = None
    case_rule: CaseRule | None = None
    allow_cluster_admin: bool | None = None
    allow_label_selectors: bool | None = None
    subjects: SubjectsWanted = AS_IT_IS
    kind: str = "cluster.changed"

    def carry_out(self, desk: Desk) -> Outcome:
        """Change it; raises Invalid for a template that names nobody, Conflict where the name is taken."""
        present, scope = cluster_named(desk.tree, self.cluster)
        policy = self._policy(desk, present)
        desk.require("clusters:update", scope)
        before = {each: getattr(present, each) for each in ("name", *POLICIES)}
        changed = {each: was for each, was in before.items() if policy_text(was) != policy_text(getattr(policy, each))}
        if not changed:
            return _same(scope, present)
        if set(changed) - {"name"}:
            # Names and roles that a cluster takes decide who gets what there: that is granting.
            desk.require("organization:permissions:write", scope)
        if "allow_cluster_admin" in changed and policy.allow_cluster_admin:
            desk.require("kubernetes_roles:grant:cluster-admin", scope)
        if set(changed) & set(SubjectsWanted.__slots__):
            check_whole(policy)
        if "name" in changed and any(each.name == policy.name for each in desk.tree.clusters.values()):
            raise Conflict(f"There is a cluster {policy.name} already.")
        desk.begin(present.name)
        store.set_policy(desk.connection, desk.change, present, policy)
        desk.audit(scope, {"old": changed, "new": {each: getattr(policy, each) for each in changed}})
        desk.follow((f"cluster:{present.name}", f"cluster:{policy.name}"))
        return Outcome(scope, f"cluster:{present.name}", f"cluster:{policy.name}")

    def _policy(self, desk: Desk, present: Cluster) -> Cluster:
        asked = {
            "name": None if self.name is None else checked_name("a cluster", self.name),
            "user_template": None if self.user_template is None else checked_template(self.user_template),
            "case_rule": self.case_rule,
            "allow_cluster_admin": self.allow_cluster_admin,
            "allow_label_selectors": self.allow_label_selectors,
            **self.subjects.values(desk.connection, desk.change.organization_id),
        }
        return replace(present, **{each: value for each, value in asked.items() if value is not None})


def checked_template(template: str) -> str:
    """Return a template that renders people's names, or raise Invalid."""
    template_fields(template)
    if len(template) > MAX_TEMPLATE or template != template.strip() or not template.isprintable():
        raise Invalid(
            f"A user template is one line of at most {MAX_TEMPLATE} characters without blanks at its ends.",
            field="user_template",
        )
    return template


def cluster_named(tree: Tree, name: str) -> tuple[Cluster, Scope]:
    """Return a cluster by its name and its scope; raises NotFound."""
    scope = the_scope(tree, f"cluster:{name}")
    return tree.clusters[ClusterId(scope.id)], scope


def _same(scope: Scope, present: Cluster) -> Outcome:
    return Outcome(scope, f"cluster:{present.name}", f"cluster:{present.name}", changed=False)
