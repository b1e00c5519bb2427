"""Members: found in a list, and looked at with all that is known of them."""

from typing import Any

from flask import Response

from scim_bridge.console.pages import done, page
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.people import MemberSource, MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.identity import api_tokens, directories, member_lists, member_profiles, roles, sessions
from scim_bridge.identity.member_lists import MemberQuery
from scim_bridge.identity.member_profiles import Profile
from scim_bridge.web.paging import read_cursor, write_cursor

READING = "members:read"
WRITING = "organization:users:write"
A_PAGE = 50
TEXTS = (
    "search",
    "state",
    "source",
    "directory",
    "api_role",
    "kubernetes_role",
    "unit",
    "active_before",
    "active_since",
)


@screen("GET", "/members", title="Members", permission=READING, in_menu=True)
def list_(visit: Visit) -> Response:
    """List and search the members, a page at a time, whatever their number."""
    texts: dict[str, Any] = {name: visit.asked(name) for name in TEXTS}
    query = MemberQuery(**texts, never_active=visit.asked("never") == "1", dormant_days=visit.number("dormant_days"))
    position = read_cursor(visit.asked("cursor"), 2)
    after = None if position is None else (position[0], position[1])
    found = member_lists.list_page(visit.database, visit.organization, query, A_PAGE, after)
    return page(
        visit,
        "members",
        found=found,
        next_cursor=None if found.after is None else write_cursor(found.after),
        states=[(each.value, each.value) for each in MemberState],
        sources=[(each.value, each.value) for each in MemberSource],
        directories=_directories(visit),
        api_roles=[(each.name, each.name) for each in roles.list_all(visit.database, visit.organization)],
        kubernetes_roles=[(each.value, each.value) for each in KubernetesRole],
    )


@screen("GET", "/members/<member>", title="Member", permission=READING)
def show(visit: Visit, member: str) -> Response:
    """Show a member: how they sign in, groups and why, tokens, sessions, and what they may do where."""
    return show_profile(visit, member_profiles.show(visit.database, visit.organization, member))


@screen("POST", "/members/<member>/sessions/<session>/end", title="End a session", permission=WRITING)
def end_session(visit: Visit, member: str, session: str) -> Response:
    """End a session of a member's: their next click leads to the sign-in page."""
    sessions.revoke(*visit.whose, session, visit.request_id)
    return done(visit, "members.show", "The session has ended.", member=member)


@screen("POST", "/members/<member>/tokens/<token>/revoke", title="Revoke a token", permission=WRITING)
def revoke_token(visit: Visit, member: str, token: str) -> Response:
    """Revoke a token of a member's: its next call is refused."""
    revoked = api_tokens.revoke(*visit.whose, token, visit.request_id)
    return done(visit, "members.show", f"The token {revoked.name or revoked.prefix} is revoked.", member=member)


def show_profile(visit: Visit, profile: Profile) -> Response:
    """Show one profile to whoever may see it, with the tokens and sessions that they may see."""
    whose = (*visit.whose, profile.member.id)
    return page(
        visit,
        "member",
        title=name_of(profile),
        profile=profile,
        member=profile.member,
        is_own=visit.guest is not None and profile.member.id == visit.guest.member_id,
        tokens=member_profiles.visible_tokens(*whose),
        sessions=member_profiles.visible_sessions(*whose),
    )


def name_of(profile: Profile) -> str:
    """Return how a page calls somebody."""
    return profile.member.display_name or profile.member.user_name


def _directories(visit: Visit) -> list[tuple[str, str]]:
    if not visit.may("organization:directories:read"):
        return []
    return [(each.name, each.name) for each in directories.list_all(visit.database, visit.organization)]
