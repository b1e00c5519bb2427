"""Clusters: registered, looked at, moved between environments, forgotten."""

from http import HTTPStatus
from pathlib import Path

from pydantic import Field

from scim_bridge.api.drafts import Drafted, drafted, only_one
from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.domain.organizations import CaseRule, SubjectMode
from scim_bridge.errors import Invalid
from scim_bridge.identity import clusters
from scim_bridge.identity.cluster_changes import ChangeCluster, MoveCluster
from scim_bridge.identity.cluster_subjects import SubjectsWanted
from scim_bridge.identity.cluster_targets import TargetNamed, TargetRead, read_target, target_of
from scim_bridge.identity.clusters import ClusterLookedOver, ClusterView, ClusterWanted
from scim_bridge.identity.tree_drafts import TreePreview
from scim_bridge.web.paging import Page

TAG = "clusters"
READ = "clusters:read"
UPDATE = "clusters:update"
LONGEST_KUBECONFIG = 256 * 1024
SUBJECTS = tuple(SubjectsWanted.__slots__)


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


class Subjects(Fields):
    """Whom bindings name, and how the cluster's tokens name groups; what is left out is, or stays, as it is."""

    subject_mode: SubjectMode | None = Field(default=None, description="Whether groups stand for people.")
    group_template: str | None = Field(default=None, max_length=255, description="With {group} or {external_id}.")
    group_case: CaseRule | None = None
    group_directory: str | None = Field(default=None, max_length=63, description="Whose groups its tokens carry.")
    group_filter: str | None = Field(default=None, max_length=255, description="Which of them; * is anything.")
    group_limit: int | None = Field(default=None, description="Who is in more gets tokens without groups.")
    token_minutes: int | None = Field(default=None, description="How long a token lasts.")
    excluded_namespaces: str | None = Field(
        default=None, max_length=1024, description="No project may have these; joined by commas, * is anything."
    )

    @property
    def wanted_subjects(self) -> SubjectsWanted:
        """Return what the use cases take."""
        return SubjectsWanted(**{name: getattr(self, name) for name in SUBJECTS})


class NewCluster(Target, Subjects):
    """A cluster to register."""

    name: str = Field(max_length=63)
    unit: str | None = Field(default=None, max_length=520, description="A path; the organization itself if left out.")
    user_template: str = Field(default="{user_name}", max_length=255)
    case_rule: CaseRule = CaseRule.KEEP
    allow_cluster_admin: bool = False
    allow_label_selectors: bool = False
    bridge_namespace: str = Field(default="scim-bridge", max_length=63)
    approve_first_plan: bool = False
    break_glass: str | None = Field(default=None, max_length=320, description="user:NAME, group:NAME or note:TEXT.")
    git: bool = Field(default=False, description="Commit each pass in a folder of manifests.")
    git_push: str | None = Field(default=None, max_length=255, description="The remote that commits are pushed to.")

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
            break_glass=self.break_glass,
            subjects=self.wanted_subjects,
        )


class NewCredential(Target):
    """Another credential for a cluster."""

    is_new_address: bool = Field(default=False, description="It is the same cluster, at another address.")


class ClusterChange(Subjects):
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
    if (given.git or given.git_push) and given.manifests is None:
        raise Invalid("Only a folder of manifests has commits.", field="git")
    made = clusters.add(call.runtime, call.actor, call.organization, given.wanted, call.request_id, given=given.read)
    if given.manifests is not None and (given.git or given.git_push):
        clusters.want_commits(Path(given.manifests), given.git_push)
    return made


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
    if only_one(given, ("unit",), (*policy, *SUBJECTS)) == ("unit",):
        return drafted(call, MoveCluster(cluster, given.unit or None))
    values = {key: getattr(given, key) for key in policy}
    return drafted(call, ChangeCluster(cluster, **values, subjects=given.wanted_subjects))


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
