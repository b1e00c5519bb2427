"""Clusters: registered, looked at, moved between environments, and what waits on them for a person."""

from http import HTTPStatus
from pathlib import Path

from pydantic import Field

from scim_bridge.api.drafts import Drafted, drafted, only_one
from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.domain.organizations import CaseRule
from scim_bridge.identity import clusters
from scim_bridge.identity.cluster_changes import ChangeCluster, MoveCluster
from scim_bridge.identity.cluster_targets import TargetNamed, TargetRead, read_target, target_of
from scim_bridge.identity.clusters import ClusterLookedOver, ClusterView, ClusterWanted
from scim_bridge.identity.tree_drafts import TreePreview
from scim_bridge.sync import approvals, report, single
from scim_bridge.sync.approvals import Approval, WaitingPlan
from scim_bridge.sync.report import ClusterStatus
from scim_bridge.sync.single import PlannedCluster
from scim_bridge.web.paging import Page

TAG = "clusters"
READ = "clusters:read"
UPDATE = "clusters:update"
APPROVE = "organization:permissions:write"
LONGEST_KUBECONFIG = 256 * 1024


class Target(Fields):
    """Where bindings go: a kubeconfig; a folder, or the cluster this runs in, only at the installation itself."""

    kubeconfig: str | None = Field(default=None, max_length=LONGEST_KUBECONFIG, repr=False, description="Its text.")
    manifests: str | None = Field(default=None, max_length=1024)
    in_cluster: bool = False

    @property
    def read(self) -> TargetRead:
        """Return the target that is named; raises Invalid unless it is exactly one."""
        if self.kubeconfig is not None and self.manifests is None and not self.in_cluster:
            return target_of(self.kubeconfig)
        folder = None if self.manifests is None else Path(self.manifests)
        # Of a kubeconfig beside another target this says that there are two, and reads no file.
        return read_target(TargetNamed(None if self.kubeconfig is None else Path(), folder, self.in_cluster))


class NewCluster(Target):
    """A cluster to register."""

    name: str = Field(max_length=63)
    unit: str | None = Field(default=None, max_length=520, description="A path; the organization itself if left out.")
    user_template: str = Field(default="{user_name}", max_length=255)
    case_rule: CaseRule = CaseRule.KEEP
    allow_cluster_admin: bool = False
    allow_label_selectors: bool = False
    bridge_namespace: str = Field(default="scim-bridge", max_length=63)
    approve_first_plan: bool = False

    @property
    def wanted(self) -> ClusterWanted:
        """Return what the use case takes."""
        return ClusterWanted(
            self.name,
            self.unit or None,
            user_template=self.user_template,
            case_rule=self.case_rule,
            allow_cluster_admin=self.allow_cluster_admin,
            allow_label_selectors=self.allow_label_selectors,
            bridge_namespace=self.bridge_namespace,
            approve_first_plan=self.approve_first_plan,
        )


class NewCredential(Target):
    """Another credential for a cluster."""

    is_new_address: bool = Field(default=False, description="It is the same cluster, at another address.")


class ClusterChange(Fields):
    """One change of a cluster: another unit ("" is the organization itself), or its name and policy."""

    unit: str | None = Field(default=None, max_length=520)
    name: str | None = Field(default=None, max_length=63)
    user_template: str | None = Field(default=None, max_length=255)
    case_rule: CaseRule | None = None
    allow_cluster_admin: bool | None = None
    allow_label_selectors: bool | None = None


class Removing(Fields):
    """The query of a removal."""

    leave_bindings: bool = Field(default=False, description="Leave what is on it there for good.")


class Approving(Fields):
    """The plan that was read."""

    plan: str = Field(min_length=12, max_length=64, description="Its hash, or the first 12 letters of it.")


@operation(
    "GET",
    "/clusters",
    tag=TAG,
    permission=READ,
    entrance=Entrance.SOMEWHERE,
    query=Paged,
    answers=Page[ClusterView],
)
def list_(call: Call) -> Page[ClusterView]:
    """List the clusters that one may see; credentials are never shown."""
    return call.page(clusters.list_all(call.database, call.organization, call.actor), lambda each: (each.name,))


@operation(
    "POST",
    "/clusters",
    tag=TAG,
    permission="clusters:create",
    entrance=Entrance.SOMEWHERE,
    body=NewCluster,
    answers=ClusterLookedOver,
    status=HTTPStatus.CREATED,
)
def add(call: Call) -> ClusterLookedOver:
    """Register a cluster; warnings say what would keep it from working."""
    given = call.given(NewCluster)
    return clusters.add(call.runtime, call.actor, call.organization, given.wanted, call.request_id, given=given.read)


@operation("GET", "/clusters/<cluster>", tag=TAG, permission=READ, entrance=Entrance.SOMEWHERE, answers=ClusterView)
def show(call: Call, cluster: str) -> ClusterView:
    """Show a cluster and its policy."""
    return clusters.show(call.database, call.organization, cluster, call.actor)


@operation(
    "PATCH",
    "/clusters/<cluster>",
    tag=TAG,
    permission=UPDATE,
    entrance=Entrance.SOMEWHERE,
    body=ClusterChange,
    query=Drafted,
    answers=TreePreview,
)
def change(call: Call, cluster: str) -> TreePreview:
    """Move a cluster to another environment, rename it, or change what may be granted on it and by which names."""
    given = call.given(ClusterChange)
    policy = ("name", "user_template", "case_rule", "allow_cluster_admin", "allow_label_selectors")
    if only_one(given, ("unit",), policy) == ("unit",):
        return drafted(call, MoveCluster(cluster, given.unit or None))
    values = {key: getattr(given, key) for key in policy}
    return drafted(call, ChangeCluster(cluster, **values))


@operation(
    "PUT",
    "/clusters/<cluster>/credential",
    tag=TAG,
    permission=UPDATE,
    entrance=Entrance.SOMEWHERE,
    body=NewCredential,
    answers=ClusterLookedOver,
)
def update(call: Call, cluster: str) -> ClusterLookedOver:
    """Give a cluster another credential."""
    given = call.given(NewCredential)
    return clusters.update(
        call.runtime,
        call.actor,
        call.organization,
        cluster,
        given.read,
        is_new_address=given.is_new_address,
        request_id=call.request_id,
    )


@operation(
    "DELETE",
    "/clusters/<cluster>",
    tag=TAG,
    permission="clusters:delete",
    entrance=Entrance.SOMEWHERE,
    query=Removing,
    answers=ClusterView,
)
def remove(call: Call, cluster: str) -> ClusterView:
    """Forget a cluster and its credential; refused while bindings of ours are on it, unless they are to stay."""
    return clusters.remove(
        call.database,
        call.actor,
        call.organization,
        cluster,
        leave_bindings=call.asked(Removing).leave_bindings,
        request_id=call.request_id,
    )


@operation(
    "GET",
    "/clusters/<cluster>/status",
    tag=TAG,
    permission=READ,
    entrance=Entrance.SOMEWHERE,
    answers=ClusterStatus,
)
def status(call: Call, cluster: str) -> ClusterStatus:
    """Say how a cluster is doing and since when, what is held, and which removals are not confirmed."""
    name = _permitted(call, cluster, READ)
    return report.status(call.database, call.organization, name)[0]


@operation(
    "GET",
    "/clusters/<cluster>/plan",
    tag=TAG,
    permission=UPDATE,
    entrance=Entrance.SOMEWHERE,
    answers=PlannedCluster,
)
def plan(call: Call, cluster: str) -> PlannedCluster:
    """Say exactly what a pass would do on a cluster now; the cluster is asked, and nothing is written."""
    name = _permitted(call, cluster, UPDATE)
    runtime = call.runtime
    with single.opened_workshop(runtime.database, runtime.keyring, runtime.settings) as workshop:
        return single.plan(workshop, call.organization, name)[0]


@operation(
    "GET",
    "/clusters/<cluster>/waiting",
    tag=TAG,
    permission=READ,
    entrance=Entrance.SOMEWHERE,
    query=Paged,
    answers=Page[WaitingPlan],
)
def waiting(call: Call, cluster: str) -> Page[WaitingPlan]:
    """List the plans of a cluster that wait for a person."""
    name = _permitted(call, cluster, READ)
    return call.page(approvals.waiting(call.database, call.organization, name), lambda each: (each.hash,))


@operation(
    "POST",
    "/clusters/<cluster>/approve",
    tag=TAG,
    permission=APPROVE,
    entrance=Entrance.SOMEWHERE,
    body=Approving,
    answers=Approval,
)
def approve(call: Call, cluster: str) -> Approval:
    """Let exactly what a plan lists go; a first plan makes the cluster active."""
    name = _permitted(call, cluster, APPROVE)
    return approvals.approve(
        call.database,
        call.actor,
        call.organization,
        name,
        call.given(Approving).plan,
        valid_seconds=call.runtime.settings.approval_seconds,
        request_id=call.request_id,
    )


def _permitted(call: Call, cluster: str, permission: str) -> str:
    """Return the cluster's name for whoever holds a permission at it: passes know nobody, so the door asks."""
    return clusters.permitted(call.database, call.actor, call.organization, cluster, permission)
