"""Kubernetes Events, as plain dicts."""

from datetime import datetime
from typing import Any

from scim_bridge.domain.notices import Notice


def event_document(namespace: str, notice: Notice, at: datetime) -> dict[str, Any]:
    """Return an Event about the bridge's own namespace: what it is about must lie where it lies."""
    time = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": notice.name, "namespace": namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Namespace", "name": namespace, "namespace": namespace},
        "type": "Warning",
        "reason": notice.reason,
        "message": notice.message,
        "source": {"component": "scim-bridge"},
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }
