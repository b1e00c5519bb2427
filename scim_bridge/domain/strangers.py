"""Bindings that are not the bridge's: what of them a person should know, and which the bridge never touches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scim_bridge.domain.bindings import MANAGED_BY, MANAGED_BY_LABEL, Family
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Refused

PRIVILEGED = ("cluster-admin", "admin", "edit")
SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease")
BOOTSTRAP_LABEL = "kubernetes.io/bootstrapping"
Subject = tuple[str, str, str]


class Strangeness(StrEnum):
    """ORPHAN: ours, of a cluster that is not registered. LOOKALIKE: says it is ours, and is not."""

    ORPHAN = "orphan"
    LOOKALIKE = "lookalike"
    PRIVILEGED = "privileged"


@dataclass(frozen=True, slots=True)
class Stranger:
    """One binding on a cluster that no pass of this installation keeps."""

    kind: str
    namespace: str | None
    name: str
    role_kind: str
    role: str
    subjects: tuple[Subject, ...]
    labels: Mapping[str, str]
    of_cluster: ClusterId | None = None

    @property
    def is_system(self) -> bool:
        """Tell whether it is Kubernetes' own."""
        return self.name.startswith("system:") or BOOTSTRAP_LABEL in self.labels

    @property
    def family(self) -> Family | None:
        """Return the family that gives the same, None for a role that the bridge does not give."""
        roles = {role.value for role in KubernetesRole if role is not KubernetesRole.NONE}
        if self.role_kind != "ClusterRole" or self.role not in roles:
            return None
        return Family(self.namespace, KubernetesRole(self.role))


def strangeness_of(found: Stranger, *, claims: bool, registered: Iterable[ClusterId]) -> Strangeness | None:
    """Return what a person should know of a binding, None for one that is nobody's business."""
    if found.of_cluster is not None:
        return None if found.of_cluster in set(registered) else Strangeness.ORPHAN
    if claims or found.labels.get(MANAGED_BY_LABEL) == MANAGED_BY:
        return Strangeness.LOOKALIKE
    if not found.is_system and found.role in PRIVILEGED and any(map(is_somebody, found.subjects)):
        return Strangeness.PRIVILEGED
    return None


def is_somebody(subject: Subject) -> bool:
    """Tell whether a subject is a person, a group of people or an account that is not Kubernetes' own."""
    kind, namespace, name = subject
    if kind == "ServiceAccount":
        return namespace not in SYSTEM_NAMESPACES
    return not name.startswith("system:") or name in ("system:authenticated", "system:unauthenticated")


def require_adoptable(found: Stranger) -> Family:
    """Return the family that would give the same; raises Refused for what the bridge must never take over."""
    if found.is_system:
        raise Refused(f"{found.name} is Kubernetes' own and is left alone.")
    family = found.family
    if family is None:
        raise Refused(f"{found.name} gives the {found.role_kind} {found.role}, which the bridge does not give.")
    return family
