"""Members: found, looked at, moved between states, and given roles."""

from dataclasses import dataclass

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.domain.sessions import Session
from scim_bridge.identity import member_lists, member_profiles, member_roles, member_states
from scim_bridge.identity.api_tokens import ApiToken
from scim_bridge.identity.member_lists import ListedMember, MemberQuery
from scim_bridge.identity.member_profiles import Profile
from scim_bridge.identity.member_roles import RolesSet, RolesWanted
from scim_bridge.identity.member_states import MemberMoved
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "members"
WRITING = "organization:users:write"


class MembersAsked(Paged):
    """Which members; what is left out does not matter. Times are `90d` (ago) or ISO 8601."""

    search: str | None = Field(default=None, max_length=200, description="Beginnings of words of their names.")
    state: str | None = Field(default=None, max_length=32, description="invited, active, deactivated or removed.")
    source: str | None = Field(default=None, max_length=32, description="scim, invitation, login, manual …")
    directory: str | None = Field(default=None, max_length=63, description="Who has the say about them.")
    api_role: str | None = Field(default=None, max_length=63, description="Held themselves or by a group, in `unit`.")
    kubernetes_role: str | None = Field(default=None, max_length=63, description="The same for this axis.")
    unit: str | None = Field(default=None, max_length=1024, description="Who has a role in this unit, or above it.")
    active_before: str | None = Field(default=None, max_length=40, description="Last active before then.")
    active_since: str | None = Field(default=None, max_length=40, description="Last active since then.")
    never_active: bool = Field(default=False, description="Never active so far.")
    dormant_days: int | None = Field(default=None, ge=1, le=3650, description="Not active for so many days.")


class RolesGiven(Fields):
    """Roles in the whole organization; what is left out stays, `inherit` takes away what hands gave."""

    api_role: str | None = Field(default=None, max_length=63)
    kubernetes_role: str | None = Field(default=None, max_length=63)


class Named(Fields):
    """How somebody is called."""

    display_name: str = Field(max_length=255)


@dataclass(frozen=True, slots=True)
class MemberItem:
    """A member in a list; ``managed``: their address lies in a domain of the organization."""

    member: ListedMember
    managed: bool


@dataclass(frozen=True, slots=True)
class MemberShown:
    """A member with all that is known of them, their tokens and sessions where whoever asks may see those."""

    profile: Profile
    tokens: tuple[ApiToken, ...]
    sessions: tuple[Session, ...]


@operation("GET", "/members", tag=TAG, permission="members:read", query=MembersAsked, answers=Page[MemberItem])
def list_(call: Call) -> Page[MemberItem]:
    """List and search the members, a page at a time, whatever their number."""
    asked = call.asked(MembersAsked)
    query = MemberQuery(**asked.model_dump(exclude={"limit", "cursor"}))
    position = read_cursor(asked.cursor, 2)
    after = None if position is None else (position[0], position[1])
    found = member_lists.list_page(call.database, call.organization, query, asked.limit, after)
    items = [MemberItem(each, each.id in found.managed) for each in found.members]
    return Page(items, None if found.after is None else write_cursor(found.after))


@operation("GET", "/members/<member>", tag=TAG, permission="members:read", answers=MemberShown)
def show(call: Call, member: str) -> MemberShown:
    """Show a member: how they sign in, groups and why, tokens, states so far, and what they may do where."""
    return _shown(call, member)


@operation("GET", "/members/me", tag=TAG, answers=MemberShown)
def me(call: Call) -> MemberShown:
    """Show oneself."""
    return _shown(call, member_profiles.own_id(call.database, call.actor, call.organization))


@operation("PATCH", "/members/<member>", tag=TAG, permission=WRITING, body=Named, answers=ListedMember)
def rename(call: Call, member: str) -> ListedMember:
    """Change the name under which a member is shown."""
    name = call.given(Named).display_name
    return member_profiles.rename(call.database, call.actor, call.organization, member, name, call.request_id)


@operation("PATCH", "/members/me", tag=TAG, body=Named, answers=ListedMember)
def rename_me(call: Call) -> ListedMember:
    """Change the name under which one is shown; not for people whom the organization or a directory manages."""
    name = call.given(Named).display_name
    return member_profiles.rename_oneself(call.database, call.actor, call.organization, name, call.request_id)


@operation("POST", "/members/<member>/deactivate", tag=TAG, permission=WRITING, answers=MemberMoved)
def deactivate(call: Call, member: str) -> MemberMoved:
    """Take all access from a member, and keep what they had; a directory does not bring them back."""
    return member_states.deactivate(call.database, call.actor, call.organization, member, call.request_id)


@operation("POST", "/members/<member>/reactivate", tag=TAG, permission=WRITING, answers=MemberMoved)
def reactivate(call: Call, member: str) -> MemberMoved:
    """Give a deactivated member back what they had."""
    return member_states.reactivate(call.database, call.actor, call.organization, member, call.request_id)


@operation("DELETE", "/members/<member>", tag=TAG, permission="members:remove", answers=MemberMoved)
def remove(call: Call, member: str) -> MemberMoved:
    """Take a member out of groups, off every cluster and out of the organization."""
    return member_states.remove(call.database, call.actor, call.organization, member, call.request_id)


@operation("POST", "/members/me/leave", tag=TAG, answers=MemberMoved)
def leave(call: Call) -> MemberMoved:
    """Leave the organization; its last working owner stays."""
    return member_states.leave(call.database, call.actor, call.organization, call.request_id)


@operation(
    "PUT", "/members/<member>/roles", tag=TAG, permission="members:update_role", body=RolesGiven, answers=RolesSet
)
def set_roles(call: Call, member: str) -> RolesSet:
    """Say which roles a member has in the whole organization, in place of those that hands gave."""
    given = call.given(RolesGiven)
    wanted = RolesWanted(given.api_role, given.kubernetes_role)
    return member_roles.set_roles(call.database, call.actor, call.organization, member, wanted, call.request_id)


def _shown(call: Call, member: str) -> MemberShown:
    profile = member_profiles.show(call.database, call.organization, member)
    whose = (call.database, call.actor, call.organization, profile.member.id)
    return MemberShown(
        profile, tuple(member_profiles.visible_tokens(*whose)), tuple(member_profiles.visible_sessions(*whose))
    )
