"""Which namespaces of a cluster belong to which project or service."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from scim_bridge.domain.organizations import (
    Cluster,
    NamespaceClaim,
    Project,
    ProjectId,
    Scope,
    ScopeKind,
    Service,
    Tree,
)
from scim_bridge.errors import Invalid

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SELECTOR_TERM = re.compile(r"(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]{0,316})(?P<sign>!?=)(?P<value>[-A-Za-z0-9_.]{0,63})")


NAME_LABEL = "kubernetes.io/metadata.name"
"""Kubernetes gives every namespace its name as this label (since 1.21; here it counts on older ones too)."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Labels that a namespace must have, and such as it must not have; a label that is not there is none of those."""

    wanted: Mapping[str, str]
    unwanted: tuple[tuple[str, str], ...] = ()

    def selects(self, name: str, labels: Mapping[str, str]) -> bool:
        """Tell whether a namespace is selected."""
        has = {NAME_LABEL: name, **labels}
        return self.wanted.items() <= has.items() and not any(has.get(key) == value for key, value in self.unwanted)


@dataclass(frozen=True, slots=True)
class NamespaceMap:
    """
    The namespaces of each project and service scope on one cluster.

    ``problems`` are (kind, about, message). ``complete`` is False when selectors count and nobody knows what they
    select: then what is missing here is unknown, not absent.
    """

    of_scope: Mapping[Scope, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[tuple[str, str, str], ...] = ()
    complete: bool = True


def is_namespace_name(name: str) -> bool:
    """Tell whether Kubernetes takes a string as a namespace's name (RFC 1123 label, at most 63 characters)."""
    return _NAME.fullmatch(name) is not None


def is_forbidden(cluster: Cluster, namespace: str) -> bool:
    """Tell whether no project may have a namespace: Kubernetes' own, ``default``, and the bridge's."""
    return namespace.startswith("kube-") or namespace in ("default", cluster.bridge_namespace)


def parse_selector(text: str) -> Selector:
    """
    Read a label selector, ``team=web,stage!=lab``; raises Invalid for anything else.

    One that only leaves out is refused: it would select everybody else's namespaces, and all that are still to come.
    """
    terms: dict[str, str] = {}
    unwanted = []
    for part in text.split(","):
        found = _SELECTOR_TERM.fullmatch(part.strip())
        if found is None:
            raise Invalid(
                f"The label selector {text!r} must be key=value or key!=value, joined by commas.", field="selector"
            )
        if found["sign"] == "=":
            terms[found["key"]] = found["value"]
        else:
            unwanted.append((found["key"], found["value"]))
    if not terms:
        message = f"The label selector {text!r} says only what it leaves out: name a label that is wanted too."
        raise Invalid(message, field="selector")
    return Selector(terms, tuple(unwanted))


def map_namespaces(
    tree: Tree, cluster: Cluster, namespaces: Mapping[str, Mapping[str, str]] | None = None
) -> NamespaceMap:
    """
    Give every namespace that is claimed on a cluster to one project, the earlier of two that claim it.

    ``namespaces`` are those of the cluster with their labels, None when they are not known.
    """
    owner: dict[str, Project] = {}
    services: dict[ProjectId, list[Service]] = {}
    for service in tree.services.values():
        services.setdefault(service.project_id, []).append(service)
    of_scope: dict[Scope, tuple[str, ...]] = {}
    problems: list[tuple[str, str, str]] = []
    for project in sorted(tree.projects.values(), key=lambda each: each.id):
        if cluster.id not in tree.clusters_of_project(project):
            continue
        mine = services.get(project.id, [])
        wanted = set(_claimed(project, cluster, namespaces, problems)) | {service.namespace for service in mine}
        held = []
        for namespace in sorted(wanted):
            problem = _problem(cluster, project, namespace, owner)
            if problem is not None:
                problems.append(problem)
                continue
            owner[namespace] = project
            held.append(namespace)
        of_scope[Scope(ScopeKind.PROJECT, project.id)] = tuple(held)
        of_scope |= {Scope(ScopeKind.SERVICE, each.id): (each.namespace,) for each in mine if each.namespace in held}
    return NamespaceMap(of_scope, tuple(problems), not any(kind == "NamespacesUnknown" for kind, _, _ in problems))


def _problem(
    cluster: Cluster, project: Project, namespace: str, owner: Mapping[str, Project]
) -> tuple[str, str, str] | None:
    if is_forbidden(cluster, namespace) or not is_namespace_name(namespace):
        message = f"project {project.name} claims {namespace!r}, which no project may have; it grants nothing there"
        return ("NamespaceForbidden", f"{project.name}/{namespace}", message)
    first = owner.get(namespace)
    if first is not None:
        message = (
            f"project {project.name} claims {namespace!r}, which {first.name} already has; it grants nothing there"
        )
        return ("NamespaceConflict", f"{project.name}/{namespace}", message)
    return None


def _claimed(
    project: Project,
    cluster: Cluster,
    namespaces: Mapping[str, Mapping[str, str]] | None,
    problems: list[tuple[str, str, str]],
) -> Iterator[str]:
    for claim in project.namespaces:
        if claim.cluster_id not in (None, cluster.id):
            continue
        if claim.name is not None:
            yield claim.name
        elif not cluster.allow_label_selectors:
            message = f"project {project.name} selects namespaces by label, which this cluster does not allow"
            problems.append(("SelectorsNotAllowed", project.name, message))
        elif namespaces is None:
            message = f"project {project.name} selects namespaces by label, and the cluster's namespaces are not known"
            problems.append(("NamespacesUnknown", project.name, message))
        else:
            yield from _selected(project, claim, cluster, namespaces, problems)


def _selected(
    project: Project,
    claim: NamespaceClaim,
    cluster: Cluster,
    namespaces: Mapping[str, Mapping[str, str]],
    problems: list[tuple[str, str, str]],
) -> Iterator[str]:
    try:
        wanted = parse_selector(claim.selector or "")
    except Invalid as error:
        problems.append(("SelectorInvalid", f"{project.name}/{claim.selector}"[:255], str(error)))
        return
    for name, labels in namespaces.items():
        # A label on kube-system must not even be reported: whoever can label could make noise.
        if not is_forbidden(cluster, name) and wanted.selects(name, labels):
            yield name
