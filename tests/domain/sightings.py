"""Bindings as a cluster has them."""

from dataclasses import dataclass

from scim_bridge.domain.bindings import Binding


@dataclass(frozen=True)
class There:
    """A binding as the cluster has it."""

    binding: Binding
    intact: bool = True
    uid: str = "uid"
    resource_version: str = "1"
