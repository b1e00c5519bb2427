"""
Proofs of removals: what a cluster itself is asked about somebody after their access was taken away.

The bridge's word that a binding is gone is not the cluster's word that access is: somebody may have bound the same
person by hand, or a group they are in. So the cluster is asked, with the names that their token would be turned into.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.roles import KubernetesRole

AUTHENTICATED = "system:authenticated"
"""The group that every token makes somebody a member of."""
MOST_PLACES = 20
"""So many roles and namespaces of one person are asked about; the rest is said not to have been."""

CANNOT_SEE = (
    "sessions that are open already (kubectl exec, port-forward, attach) last until they are closed",
    "ServiceAccount tokens that the person read or made keep working",
    "tokens that carry a group keep that group until they expire, where a group is bound by somebody else",
    "authorizers other than RBAC may answer differently for what was not asked",
)
FOLDER = "a folder of manifests answers no questions: ask the cluster that it is applied to"


class Verdict(StrEnum):
    """GONE: the cluster says no to every question. STILL: to some it says yes. UNKNOWN: it could not be asked."""

    PENDING = "pending"
    GONE = "gone"
    STILL = "still"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that a role allows, whatever else it does."""

    verb: str
    resource: str
    api_group: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        part = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {part}" + (f".{self.api_group}" if self.api_group else "")


_VIEW = (Probe("list", "pods"), Probe("get", "configmaps"), Probe("list", "deployments", "apps"))
_EDIT = (
    *_VIEW,
    Probe("create", "pods"),
    Probe("create", "pods", subresource="exec"),
    Probe("get", "secrets"),
    Probe("delete", "deployments", "apps"),
)
_ADMIN = (*_EDIT, Probe("create", "clusterrolebindings", "rbac.authorization.k8s.io"), Probe("*", "*", "*"))
PROBES: Mapping[KubernetesRole, tuple[Probe, ...]] = {
    KubernetesRole.VIEW: _VIEW,
    KubernetesRole.EDIT: _EDIT,
    KubernetesRole.CLUSTER_ADMIN: _ADMIN,
}


@dataclass(frozen=True, slots=True)
class AllowedBy:
    """The binding that a cluster names as its reason."""

    kind: str
    namespace: str | None
    name: str
    role: str
    subject: str

    def __str__(self) -> str:
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{place}, {self.role} to {self.subject}"


_REASON = re.compile(
    r'RBAC: allowed by (?P<kind>ClusterRoleBinding|RoleBinding) "(?P<place>[^"]*)" '
    r'of (?:ClusterRole|Role) "(?P<role>[^"]*)" to (?P<subject>.+)',
    re.DOTALL,
)


def allowed_by(reason: str) -> AllowedBy | None:
    """Read the binding out of the RBAC authorizer's reason; None for other words."""
    found = _REASON.fullmatch(reason)
    if found is None:
        return None
    name, _, namespace = found["place"].rpartition("/") if found["kind"] == "RoleBinding" else (found["place"], "", "")
    return AllowedBy(found["kind"], namespace or None, name, found["role"], found["subject"])


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and the cluster's answer; ``ours`` tells that a binding of this installation allows it."""

    subject: str
    probe: Probe
    namespace: str | None
    allowed: bool
    by: str = ""
    ours: bool = False


def places_of(families: Iterable[Family]) -> tuple[list[tuple[KubernetesRole, str | None]], int]:
    """Return which roles are asked about where, the strongest first, and how many are left out."""
    found = sorted({(each.role, each.namespace) for each in families}, key=lambda p: (-p[0].strength, p[1] or ""))
    return found[:MOST_PLACES], max(0, len(found) - MOST_PLACES)


def verdict_of(answers: Iterable[Asked], *, is_active: bool) -> Verdict:
    """
    Return what the answers amount to.

    Who is still a member may be allowed by a binding of ours: they have another role. Who has left may not.
    """
    remaining = [each for each in answers if each.allowed and not (each.ours and is_active)]
    return Verdict.STILL if remaining else Verdict.GONE


def proof_document(
    subjects: Iterable[str],
    groups: Iterable[str],
    answers: Iterable[Asked],
    *,
    left_out: int = 0,
    notes: Iterable[str] = CANNOT_SEE,
) -> dict[str, Any]:
    """Return a proof as it is kept and printed."""
    left = [f"{left_out} more places were not asked about"] if left_out else []
    return {
        "subjects": sorted(subjects),
        "groups": sorted(groups),
        "questions": [
            {
                "subject": each.subject,
                "question": str(each.probe),
                "namespace": each.namespace,
                "allowed": each.allowed,
                "by": each.by,
                "ours": each.ours,
            }
            for each in answers
        ],
        "cannot_see": [*left, *notes],
    }
