"""My profile: what one is in an organization, and what one may do oneself."""

from flask import Response

from scim_bridge.console.members import show_profile
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import member_profiles


@screen("GET", "/me", title="My profile", in_menu=True)
def show(visit: Visit) -> Response:
    """Show oneself."""
    mine = member_profiles.own_id(*visit.whose)
    return show_profile(visit, member_profiles.show(visit.database, visit.organization, mine))
