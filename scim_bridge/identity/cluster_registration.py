"""What a cluster is registered with, and in what a registration differs from the one that is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scim_bridge.domain.namespaces import is_namespace_name
from scim_bridge.domain.organizations import CaseRule, TargetKind, Tree, UnitId
from scim_bridge.domain.safety import parse_break_glass
from scim_bridge.errors import Conflict, Invalid, Refused
from scim_bridge.identity.cluster_changes import checked_template
from scim_bridge.identity.cluster_subjects import AS_IT_IS, SubjectsWanted
from scim_bridge.identity.cluster_targets import TargetNamed, TargetRead, same_credential
from scim_bridge.identity.names import checked_name, the_unit, unit_path
from scim_bridge.identity.runtime import Keyring
from scim_bridge.store.cluster_registry import NewTarget, RegisteredCluster


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
    subjects: SubjectsWanted = AS_IT_IS

    @property
    def target(self) -> TargetNamed:
        """Return where its bindings are to go."""
        return TargetNamed(self.kubeconfig, self.manifests, self.in_cluster)


def differences(
    keyring: Keyring,
    tree: Tree,
    found: RegisteredCluster,
    wanted: ClusterWanted,
    given: TargetRead,
    subjects: Mapping[str, object],
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
        *((name.replace("_", " "), getattr(cluster, name), asked) for name, asked in subjects.items()),
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


def check_wanted(wanted: ClusterWanted) -> None:
    """Raise Invalid for what no cluster can be registered with."""
    checked_name("a cluster", wanted.name)
    checked_template(wanted.user_template)
    if not is_namespace_name(wanted.bridge_namespace):
        raise Invalid(f"{wanted.bridge_namespace!r} cannot be the name of a namespace.", field="bridge_namespace")


def require_way_in(wanted: ClusterWanted, given: TargetRead) -> None:
    """Raise Refused for a cluster that is to go live without a way in that does not depend on the bridge."""
    if wanted.break_glass is not None:
        parse_break_glass(wanted.break_glass)
    elif wanted.approve_first_plan and given.kind is TargetKind.KUBERNETES:
        raise Refused(
            "A cluster goes live only with a way in that does not depend on the bridge: say --break-glass user:NAME, "
            "group:NAME or note:TEXT."
        )


def target_wanted(
    keyring: Keyring,
    wanted: ClusterWanted,
    unit_id: UnitId | None,
    given: TargetRead,
    subjects: Mapping[str, Any],
) -> NewTarget:
    """Return what a cluster is registered with in the store."""
    return NewTarget(
        wanted.name,
        unit_id,
        given.kind,
        wanted.user_template,
        given.address,
        given.sealed(keyring),
        given.folder,
        wanted.allow_cluster_admin,
        wanted.allow_label_selectors,
        wanted.approve_first_plan,
        wanted.case_rule,
        wanted.bridge_namespace,
        subjects,
    )
