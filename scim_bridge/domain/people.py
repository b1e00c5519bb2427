"""People and the groups they are in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

AccountId = NewType("AccountId", str)
MemberId = NewType("MemberId", str)
GroupId = NewType("GroupId", str)
DirectoryId = NewType("DirectoryId", str)
ScimUserId = NewType("ScimUserId", str)


class MemberState(StrEnum):
    """Only active members have access."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    REMOVED = "removed"


class MemberSource(StrEnum):
    """The door a member came in by."""

    SCIM = "scim"
    INVITATION = "invitation"
    LOGIN = "login"
    MANUAL = "manual"
    APPLICATION = "application"


class DirectoryKind(StrEnum):
    """The identity provider behind a directory; it only changes how requests are read."""

    OKTA = "okta"
    ENTRA = "entra"
    ONELOGIN = "onelogin"
    JUMPCLOUD = "jumpcloud"
    GOOGLE = "google"
    AUTHENTIK = "authentik"
    GENERIC = "generic"


class DirectoryState(StrEnum):
    """Pending writes land and grant nothing; paused answers 503 and access stays; detached is over."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class Member:
    """
    A person in one organization, with what subject templates may use.

    Of members who render the same subject the earlier keeps it (UUIDv7 ids give the order). An application user is a
    member and no person: it has API roles, and never a binding.
    """

    id: MemberId
    state: MemberState
    user_name: str
    email: str | None = None
    external_id: str | None = None
    display_name: str | None = None
    is_person: bool = True

    @property
    def is_active(self) -> bool:
        """Tell whether anything may give them access."""
        return self.state is MemberState.ACTIVE


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """
    What tells whether a group may stand for its members on a cluster.

    ``doubts`` are in words what the bridge cannot answer for: whoever is in it at the identity provider and not here.
    ``held`` are members whom the provider has taken out and a brake keeps in: no token of theirs carries the group.
    """

    id: GroupId
    name: str
    external_id: str | None = None
    directory_id: DirectoryId | None = None
    doubts: tuple[str, ...] = ()
    held: frozenset[MemberId] = frozenset()


@dataclass(frozen=True, slots=True)
class Membership:
    """A member in a group."""

    group_id: GroupId
    member_id: MemberId


@dataclass(frozen=True, slots=True)
class Nesting:
    """A group in a group: members of ``child_id`` are members of ``parent_id`` too."""

    parent_id: GroupId
    child_id: GroupId


def groups_above(start: Iterable[GroupId], nestings: Mapping[GroupId, Iterable[GroupId]]) -> set[GroupId]:
    """Return the groups given and all that contain them; ``nestings`` maps child to parents; cycles are safe."""
    found: set[GroupId] = set()
    waiting = list(start)
    while waiting:
        group_id = waiting.pop()
        if group_id not in found:
            found.add(group_id)
            waiting.extend(nestings.get(group_id, ()))
    return found
