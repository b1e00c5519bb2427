"""What a cluster is registered with, and in what a registration differs from the one that is there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scim_bridge.domain.organizations import CaseRule, Tree
from scim_bridge.errors import Conflict
from scim_bridge.identity.cluster_targets import TargetNamed, TargetRead, same_credential
from scim_bridge.identity.names import the_unit, unit_path
from scim_bridge.identity.runtime import Keyring
from scim_bridge.store.cluster_registry import RegisteredCluster


@dataclass(frozen=True, slots=True)
class ClusterWanted:
    """What a cluster is registered with: ``unit`` is a path, and exactly one of the three targets is named."""

    name: str
    unit: str | None = None
    kubeconfig: Path | None = None
    manifests: Path | None = None
    in_cluster: bool = False
    user_template: str = "{user_name}"
    case_rule: CaseRule = CaseRule.KEEP
    allow_cluster_admin: bool = False
    allow_label_selectors: bool = False
    bridge_namespace: str = "scim-bridge"
    approve_first_plan: bool = False
    break_glass: str | None = None

    @property
    def target(self) -> TargetNamed:
        """Return where its bindings are to go."""
        return TargetNamed(self.kubeconfig, self.manifests, self.in_cluster)


def differences(
    keyring: Keyring, tree: Tree, found: RegisteredCluster, wanted: ClusterWanted, given: TargetRead
) -> Iterator[str]:
    """Yield what of a registration is not as the cluster is; policy that a person set otherwise is never undone."""
    cluster = found.cluster
    values: tuple[tuple[str, object, object], ...] = (
        ("unit", unit_path(tree, cluster.unit_id), unit_path(tree, the_unit(tree, wanted.unit))),
        ("target", found.kind.value, given.kind.value),
        ("address", found.address, given.address),
        ("user template", cluster.user_template, wanted.user_template),
        ("case", cluster.case_rule.value, wanted.case_rule.value),
        ("allow-cluster-admin", cluster.allow_cluster_admin, wanted.allow_cluster_admin),
        ("allow-label-selectors", cluster.allow_label_selectors, wanted.allow_label_selectors),
        ("bridge namespace", cluster.bridge_namespace, wanted.bridge_namespace),
    )
    different = [f"its {what} is {_said(has)}, not {_said(asked)}" for what, has, asked in values if has != asked]
    yield from different
    if not different and not same_credential(keyring, found, given):
        yield f"its credential is another one (`scim-bridge cluster update {found.name}` replaces it)"
    # An approval is of one plan that somebody read: naming the flag later is none.
    if wanted.approve_first_plan and not found.approved_first_plan:
        yield "its first plan waits for `scim-bridge sync approve`"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "the organization itself"


def refuse_others(different: list[str], name: str) -> None:
    """Raise Conflict for a name that is registered with other values, and say which."""
    if different:
        raise Conflict(f"The cluster {name} exists already: {'; '.join(different)}.")
