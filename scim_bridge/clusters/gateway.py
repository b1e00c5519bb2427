"""
What a cluster can do for us, whatever its target is.

A gateway never answers with a part: what cannot be read raises, because unknown is not empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scim_bridge.domain.bindings import Binding, BindingKey
from scim_bridge.domain.notices import Notice
from scim_bridge.domain.planning import Change
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


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody with these names do this there? ``namespace`` None: everywhere."""

    user: str
    groups: tuple[str, ...]
    verb: str
    resource: str
    api_group: str = ""
    subresource: str = ""
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A cluster's own answer; ``reason`` names the binding that allows it, ``problem`` what it could not evaluate."""

    allowed: bool
    reason: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Giver:
    """
    A binding on a cluster, whose ever it is; subjects are (kind, namespace, name).

    ``key`` is that of an object of this installation, None for all others; ``claims`` tells that it says it is ours.
    """

    kind: str
    namespace: str | None
    name: str
    role_kind: str
    role: str
    subjects: tuple[tuple[str, str, str], ...]
    key: BindingKey | None = None
    claims: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    uid: str = ""
    resource_version: str = ""


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

    def rehearse(self, change: Change, observed: ObservedBinding | None) -> None:
        """Let the target check one change and keep nothing of it; raises what `apply` or `delete` would raise."""

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of every namespace that can hold bindings, by name."""

    def preflight(self, roles: Iterable[KubernetesRole]) -> list[PreflightProblem]:
        """Return what would keep these roles from being bound."""

    def ask(self, question: Question) -> Answered | None:
        """Ask the cluster itself whether somebody may do something; None where there is nobody to ask."""

    def everybody(self) -> list[Giver]:
        """Return every binding there, whose ever it is; raises rather than return a part."""

    def take_away(self, giver: Giver) -> None:
        """
        Delete exactly this version of somebody else's binding; only for what a person asked for by name.

        Raises StaleBinding when it changed, ClusterRejected where a target holds none of others'.
        """

    def credential_ends(self) -> datetime | None:
        """Return when its credential ends, None for one that does not or does not say."""

    def publish(self, message: str) -> None:
        """Let what was written, now or before a crash, be seen by whoever carries it on; nothing for an API."""

    def tell(self, namespace: str, notice: Notice, at: datetime) -> None:
        """Write an Event into a namespace, once for each name; nothing where there are no Events."""

    def probe(self) -> None:
        """Ask whether it is there at all, at the least cost; raises when it is not."""

    def close(self) -> None:
        """Let go of connections and files."""
