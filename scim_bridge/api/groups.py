"""Groups: all of them to be read, those made by hand to be changed."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.domain.people import MemberId
from scim_bridge.identity import group_imports, group_lists, hand_groups, hand_members
from scim_bridge.identity.group_imports import PlannedLine
from scim_bridge.identity.group_lists import GroupMember, GroupQuery, GroupShown
from scim_bridge.identity.hand_groups import ListedGroup
from scim_bridge.identity.hand_members import MembersChanged
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "groups"
READING = "members:read"
WRITING = "organization:groups:write"


class GroupsAsked(Paged):
    """Which groups; what is left out does not matter."""

    search: str | None = Field(default=None, max_length=200, description="A part of the name.")
    directory: str | None = Field(default=None, max_length=63, description="Whose they are.")
    by_hand: bool = Field(default=False, description="Only those that no directory owns.")


class NewGroup(Fields):
    """A group to be made."""

    name: str = Field(max_length=128)
    description: str | None = Field(default=None, max_length=4096)


class GroupGiven(Fields):
    """What a group is called and what it is for; what is left out stays."""

    name: str | None = Field(default=None, max_length=128)
    description: str | None = Field(default=None, max_length=4096)


class PeoplePut(Fields):
    """Whom to put in, by id, userName, e-mail address or a search that finds one person; and until when."""

    members: tuple[str, ...] = Field(min_length=1, max_length=1000)
    expires: str | None = Field(default=None, max_length=40, description="`30d` or a date; never if left out.")


class PeopleTaken(Fields):
    """Whom to take out, by id, userName or e-mail address."""

    members: tuple[str, ...] = Field(min_length=1, max_length=1000)


class TeamsGiven(Fields):
    """Teams of another system, as the text of a file; with ``dry_run`` nothing is written."""

    format: Literal["csv", "json"]
    content: str
    dry_run: bool = True


@dataclass(frozen=True, slots=True)
class TeamsImported:
    """What each line leads to, or led to when ``applied``."""

    lines: tuple[PlannedLine, ...]
    problems: int
    applied: bool


@dataclass(frozen=True, slots=True)
class Nested:
    """Whether that changed anything."""

    changed: bool


@operation("GET", "/groups", tag=TAG, permission=READING, query=GroupsAsked, answers=Page[ListedGroup])
def list_(call: Call) -> Page[ListedGroup]:
    """List the groups by name, whoever owns them."""
    asked = call.asked(GroupsAsked)
    query = GroupQuery(asked.search, asked.directory, asked.by_hand)
    position = read_cursor(asked.cursor, 2)
    after = None if position is None else (position[0], position[1])
    found = group_lists.list_page(call.database, call.organization, query, asked.limit, after)
    return Page(found.groups, None if found.after is None else write_cursor(found.after))


@operation(
    "POST",
    "/groups",
    tag=TAG,
    permission=WRITING,
    body=NewGroup,
    answers=ListedGroup,
    status=HTTPStatus.CREATED,
)
def create(call: Call) -> ListedGroup:
    """Make a group; every unit, project and service can use it."""
    given, of = call.given(NewGroup), (call.database, call.actor, call.organization)
    return hand_groups.create(*of, given.name, given.description, call.request_id)


@operation("GET", "/groups/<group>", tag=TAG, permission=READING, answers=GroupShown)
def show(call: Call, group: str) -> GroupShown:
    """Show a group, the groups in it and around it, and whose it is."""
    return group_lists.show(call.database, call.organization, group)


@operation("PATCH", "/groups/<group>", tag=TAG, permission=WRITING, body=GroupGiven, answers=ListedGroup)
def change(call: Call, group: str) -> ListedGroup:
    """Rename or describe a group made by hand."""
    given = call.given(GroupGiven)
    name = given.name if "name" in given.model_fields_set else None
    described = "description" in given.model_fields_set
    of = (call.database, call.actor, call.organization)
    return hand_groups.change(*of, group, name, given.description, call.request_id, describing=described).group


@operation("DELETE", "/groups/<group>", tag=TAG, permission=WRITING, answers=ListedGroup)
def delete(call: Call, group: str) -> ListedGroup:
    """Take a group made by hand away, and at once what it gave."""
    return hand_groups.delete(call.database, call.actor, call.organization, group, call.request_id)


@operation("GET", "/groups/<group>/members", tag=TAG, permission=READING, query=Paged, answers=Page[GroupMember])
def members(call: Call, group: str) -> Page[GroupMember]:
    """List who is in a group: their state, when they were last active, and why they are in it."""
    asked = call.asked(Paged)
    position = read_cursor(asked.cursor, 1)
    after = None if position is None else MemberId(position[0])
    found = group_lists.members_page(call.database, call.organization, group, asked.limit, after)
    return Page(found.members, None if found.after is None else write_cursor((found.after,)))


@operation("POST", "/groups/<group>/members", tag=TAG, permission=WRITING, body=PeoplePut, answers=MembersChanged)
def add(call: Call, group: str) -> MembersChanged:
    """Put people into a group made by hand: all of those named, or nobody."""
    given, of = call.given(PeoplePut), (call.database, call.actor, call.organization)
    return hand_members.add(*of, group, given.members, given.expires, call.request_id)


@operation(
    "POST", "/groups/<group>/members/remove", tag=TAG, permission=WRITING, body=PeopleTaken, answers=MembersChanged
)
def remove(call: Call, group: str) -> MembersChanged:
    """Take people out of a group made by hand; they lose at once what it gave."""
    given, of = call.given(PeopleTaken), (call.database, call.actor, call.organization)
    return hand_members.remove(*of, group, given.members, call.request_id)


@operation("PUT", "/groups/<group>/groups/<child>", tag=TAG, permission=WRITING, answers=Nested)
def nest(call: Call, group: str, child: str) -> Nested:
    """Put a group into one made by hand."""
    return Nested(hand_members.nest(call.database, call.actor, call.organization, group, child, call.request_id))


@operation("DELETE", "/groups/<group>/groups/<child>", tag=TAG, permission=WRITING, answers=Nested)
def unnest(call: Call, group: str, child: str) -> Nested:
    """Take a group out of one made by hand."""
    return Nested(hand_members.unnest(call.database, call.actor, call.organization, group, child, call.request_id))


@operation("POST", "/groups/import", tag=TAG, permission=WRITING, body=TeamsGiven, answers=TeamsImported)
def import_(call: Call) -> TeamsImported:
    """Make groups of the teams of another system; a dry run says line by line what it would do."""
    given, of = call.given(TeamsGiven), (call.database, call.actor, call.organization)
    made = group_imports.import_teams(*of, given.content, given.format, call.request_id, dry_run=given.dry_run)
    return TeamsImported(made.lines, made.problems, made.applied)
