"""How a cluster names people and groups, as somebody asks for it: checked, and with its directory found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim_bridge.domain.group_subjects import checked_group_template
from scim_bridge.domain.namespaces import checked_exclusions
from scim_bridge.domain.organizations import CaseRule, Cluster, OrganizationId, SubjectMode
from scim_bridge.domain.people import DirectoryId
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.store.database import Connection
from scim_bridge.store.directories import find_directory, get_directory

MAX_FILTER = 255
MOST_GROUPS = 10_000
LONGEST_TOKEN = 24 * 60


@dataclass(frozen=True, slots=True)
class SubjectsWanted:
    """Whom a cluster's bindings are to name, and how its tokens name groups; None leaves each as it is."""

    subject_mode: SubjectMode | None = None
    group_template: str | None = None
    group_case: CaseRule | None = None
    group_directory: str | None = None
    group_filter: str | None = None
    group_limit: int | None = None
    token_minutes: int | None = None
    excluded_namespaces: str | None = None

    def values(self, connection: Connection, organization_id: OrganizationId) -> dict[str, Any]:
        """Return what is asked for as a cluster has it; raises Invalid, and NotFound for an unknown directory."""
        found = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}
        if self.group_template:
            found["group_template"] = checked_group_template(self.group_template)
        if self.group_directory:
            directory = find_directory(connection, organization_id, self.group_directory)
            if directory is None:
                raise NotFound(f"There is no directory {self.group_directory!r} in this organization.")
            found["group_directory"] = directory.id
        if self.excluded_namespaces:
            found["excluded_namespaces"] = checked_exclusions(self.excluded_namespaces)
        _check_filter(self.group_filter)
        _check_number("group_limit", self.group_limit, MOST_GROUPS)
        _check_number("token_minutes", self.token_minutes, LONGEST_TOKEN)
        return found


AS_IT_IS = SubjectsWanted()


def directory_called(connection: Connection, directory_id: str) -> str:
    """Return the name of the directory whose groups a cluster's tokens carry, nothing where nobody said."""
    return get_directory(connection, DirectoryId(directory_id)).name if directory_id else ""


def check_whole(cluster: Cluster | Mapping[str, Any]) -> None:
    """Raise Invalid for a policy that lets groups stand for people and does not say how tokens name which."""
    values = cluster if isinstance(cluster, Mapping) else {n: getattr(cluster, n) for n in Cluster.__slots__}
    if values.get("subject_mode", SubjectMode.USER) == SubjectMode.USER:
        return
    for name, what in (("group_template", "how its tokens name a group"), ("group_directory", "whose groups they are")):
        if not values.get(name):
            raise Invalid(f"Groups stand for people only on a cluster of which somebody said {what}.", field=name)


def _check_filter(text: str | None) -> None:
    if text is not None and (not text.strip() or len(text) > MAX_FILTER or not text.isprintable()):
        raise Invalid("A group filter is a name of groups, in which * stands for anything.", field="group_filter")


def _check_number(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise Invalid(f"That is a number from 1 to {most}.", field=name)
