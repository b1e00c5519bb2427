"""
What a cluster can do for us, whatever its target is.

A gateway never answers with a part: what cannot be read raises, because unknown is not empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from scim_bridge.domain.bindings import Binding, BindingKey
from scim_bridge.domain.roles import KubernetesRole


@dataclass(frozen=True, slots=True)
class ObservedBinding:
    """
    One binding of ours as the cluster has it.

    ``resource_version`` is what a write must name; ``intact`` is False when somebody edited more than the subjects.
    """

    binding: Binding
    name: str
    uid: str
    resource_version: str
    intact: bool = True


@dataclass(frozen=True, slots=True)
class PreflightProblem:
    """A reason why a pass would fail, found before it: ``kind`` is a CamelCase word, ``message`` a sentence."""

    kind: str
    message: str


class Gateway(Protocol):
    """
    One cluster's bindings of ours.

    Every method may raise ClusterUnreachable (state unknown), ClusterThrottled and ClusterDenied.
    """

    def describe(self) -> str:
        """Return the target's address for people; it holds no secret."""

    def list_bindings(self) -> list[ObservedBinding]:
        """Return all our bindings from one consistent read; raises rather than return a part."""

    def get(self, key: BindingKey) -> ObservedBinding | None:
        """Return one binding, or None when it is not there; raises ForeignObject when that name is not ours."""

    def apply(self, binding: Binding, observed: ObservedBinding | None) -> ObservedBinding:
        """
        Write one binding: create it, or replace exactly the ``observed`` version.

        Raises StaleBinding when it changed meanwhile (or exists already), ForeignObject when that name is not ours,
        ClusterRejected when it can never be accepted.
        """

    def delete(self, observed: ObservedBinding) -> None:
        """Delete exactly the observed version; one that is gone already is done. Raises StaleBinding."""

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of every namespace that can hold bindings, by name."""

    def preflight(self, roles: Iterable[KubernetesRole]) -> list[PreflightProblem]:
        """Return what would keep these roles from being bound."""

    def close(self) -> None:
        """Let go of connections and files."""
