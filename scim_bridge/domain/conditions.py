"""What a person should know about a cluster, and how well it is."""

from enum import StrEnum

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.desired import Condition
from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterThrottled,
    ClusterUnreachable,
    ForeignObject,
    StaleBinding,
)


class Health(StrEnum):
    """OK: as desired. Degraded: something is held or could not be written. Failing: the cluster does not work."""

    UNKNOWN = "unknown"
    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


def of_unreadable(error: ClusterError) -> Condition:
    """Return the condition of a cluster that could not be read."""
    if isinstance(error, ClusterThrottled):
        return Condition("Throttled", "", str(error))
    if isinstance(error, ClusterDenied):
        return Condition("AccessDenied", "", str(error))
    return Condition("Unreachable", "", str(error))


def of_failed_write(family: Family, error: ClusterError) -> Condition | None:
    """Return the condition that explains a write that failed; None when the next pass is expected to mend it."""
    place = f"namespace {family.namespace}" if family.namespace else "the whole cluster"
    about = f"{family.role.value} in {place}"
    text = str(error)
    match error:
        case StaleBinding():
            return None
        case ForeignObject():
            return Condition("ForeignConflict", about, text)
        case ClusterThrottled():
            return Condition("Throttled", "", text)
        case ClusterUnreachable():
            return Condition("Unreachable", "", text)
        case ClusterDenied():
            return Condition("BindDenied", about, text)
        case ClusterRejected() if "clusterrole" in text.lower() and "not found" in text.lower():
            return Condition("RoleMissing", family.role.value, text)
        case ClusterRejected() if family.namespace and _says_namespace_is_gone(text.lower()):
            return Condition("NamespaceMissing", family.namespace, text)
    return Condition("WriteRefused", about, text)


def _says_namespace_is_gone(text: str) -> bool:
    return "namespace" in text and ("not found" in text or "terminat" in text)
