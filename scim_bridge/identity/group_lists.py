"""Use cases that read groups: all of them, one of them, and who is in it at a glance."""

from dataclasses import dataclass

from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.identity.names import the_directory, the_group, the_organization
from scim_bridge.store import group_lists as store
from scim_bridge.store.database import Database
from scim_bridge.store.group_lists import GroupMember as GroupMember
from scim_bridge.store.group_lists import GroupPlace as GroupPlace
from scim_bridge.store.group_lists import ListedGroup as ListedGroup
from scim_bridge.store.group_lists import NestedGroup as NestedGroup

MOST_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """
    What a list of groups is asked for; what is None does not matter.

    ``search`` is a part of the name, ``by_hand`` leaves out what directories own.
    """

    search: str | None = None
    directory: str | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some of the groups, and where the next page begins."""

    groups: tuple[ListedGroup, ...]
    after: GroupPlace | None


@dataclass(frozen=True, slots=True)
class GroupShown:
    """One group with the groups in it and around it; ``read_only`` says why hands cannot change it, if so."""

    group: ListedGroup
    contains: tuple[NestedGroup, ...]
    contained_in: tuple[NestedGroup, ...]
    read_only: str | None


@dataclass(frozen=True, slots=True)
class GroupMemberPage:
    """Some of the people in a group, and where the next page begins."""

    group_id: GroupId
    group: str
    members: tuple[GroupMember, ...]
    after: MemberId | None


def list_page(
    database: Database, organization: str, query: GroupQuery, count: int = 100, after: GroupPlace | None = None
) -> GroupPage:
    """Return a page of an organization's groups, by name, whoever owns them."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        directory = None if query.directory is None else the_directory(connection, owner.id, query.directory).id
        most = min(max(count, 1), MOST_A_PAGE)
        found, place = store.list_groups(connection, owner.id, query.search, directory, query.by_hand, most, after)
        return GroupPage(tuple(found), place)


def show(database: Database, organization: str, group: str) -> GroupShown:
    """Return one group; raises NotFound, and Conflict for a name that several have."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = store.one_group(connection, the_group(connection, owner.id, group).id)
        reason = None
        if found.directory is not None and found.directory_state != "detached":
            reason = f"It belongs to the directory {found.directory}, which alone says what is in it."
        inner = tuple(store.nested_in(connection, found.id))
        return GroupShown(found, inner, tuple(store.nested_around(connection, found.id)), reason)


def members_page(
    database: Database, organization: str, group: str, count: int = 100, after: MemberId | None = None
) -> GroupMemberPage:
    """Return a page of the people in a group: who they are, their state, when last active, and why they are in it."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = the_group(connection, owner.id, group)
        members, place = store.members_page(connection, found.id, min(max(count, 1), MOST_A_PAGE), after)
        return GroupMemberPage(found.id, found.name, tuple(members), place)
