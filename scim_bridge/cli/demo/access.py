"""
Who has what on which cluster: as the manifests say it, and as it should be by the identity providers' own lists.

Neither side asks the bridge: what it wrote is read from the files, what is right from the simulated companies.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scim_bridge.simulator import Company, IdentityProvider, Okta

KINDS = ("ClusterRoleBinding", "RoleBinding")
ANYWHERE = ""

# (group, cluster, namespace or anywhere, role): the rules of the demo in the form that it checks them with.
OKTA_GIVES = (
    ("platform-engineers", "prod-eu", ANYWHERE, "edit"),
    ("platform-engineers", "prod-us", ANYWHERE, "edit"),
    ("developers", "prod-eu", ANYWHERE, "view"),
    ("developers", "prod-us", ANYWHERE, "view"),
    ("developers", "staging", ANYWHERE, "edit"),
)
ENTRA_GIVES = (
    ("auditors", "prod-eu", ANYWHERE, "view"),
    ("auditors", "prod-us", ANYWHERE, "view"),
    ("auditors", "staging", ANYWHERE, "view"),
    ("team-shop", "prod-eu", "shop", "edit"),
    ("team-shop", "prod-us", "shop", "edit"),
)
STRENGTH = {"view": 1, "edit": 2}


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """One person's role on one cluster, or in one namespace of it."""

    subject: str
    cluster: str
    namespace: str
    role: str

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return self.cluster if self.namespace == ANYWHERE else f"{self.cluster}/{self.namespace}"


def on_disk(folders: Mapping[str, Path]) -> frozenset[Access]:
    """Return what the manifests of all clusters give."""
    return frozenset(each for cluster, folder in folders.items() for each in _in_folder(cluster, folder))


def files_of(folder: Path) -> list[Path]:
    """Return the files of a cluster's bindings."""
    return sorted(file for file in folder.rglob("*.yaml") if _binding(file) is not None)


def right(providers: Iterable[IdentityProvider], template: str) -> frozenset[Access]:
    """Return what people should have, by who is in which group of the identity providers that have sent theirs."""
    return frozenset(
        each
        for provider in providers
        if provider.group_ids
        for each in _given(provider.company, OKTA_GIVES if isinstance(provider, Okta) else ENTRA_GIVES, template)
    )


def _given(company: Company, gives: Iterable[tuple[str, str, str, str]], template: str) -> Iterator[Access]:
    working = {person.key for person in company.working()}
    strongest: dict[tuple[str, str, str], str] = {}
    for group, cluster, namespace, role in gives:
        for person in company.members(company.group(group)):
            if person.key not in working:
                continue
            place = (template.format(user_name=person.user_name), cluster, namespace)
            # Both groups speak about one unit: there the strongest role wins.
            if STRENGTH[role] > STRENGTH.get(strongest.get(place, ""), 0):
                strongest[place] = role
    return (Access(*place, role) for place, role in strongest.items())


def _in_folder(cluster: str, folder: Path) -> Iterator[Access]:
    for file in files_of(folder):
        document = _binding(file) or {}
        namespace = document["metadata"].get("namespace", ANYWHERE)
        for subject in document.get("subjects") or []:
            yield Access(subject["name"], cluster, namespace, document["roleRef"]["name"])


def _binding(file: Path) -> dict[str, Any] | None:
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError):
        # It is being replaced at this moment; the next look sees it.
        return None
    is_binding = isinstance(document, dict) and document.get("kind") in KINDS
    return document if is_binding else None
