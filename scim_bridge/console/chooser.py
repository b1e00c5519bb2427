"""Which organization: those that somebody is a member of, or is invited to."""

from flask import Response

from scim_bridge.console.pages import page, url
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.domain.people import MemberState
from scim_bridge.identity import organizations
from scim_bridge.web.pages import away


@screen("GET", "/", title="Your organizations", entrance=Entrance.SIGNED_IN)
def show(visit: Visit) -> Response:
    """Show the organizations to choose from; who has only one is led into it."""
    found = organizations.list_mine(visit.database, visit.actor)
    active = [each for each, state in found if state is MemberState.ACTIVE]
    if len(active) == 1 and "choose" not in visit.query:
        return away(url("overview.show", organization=active[0].slug))
    return page(visit, "chooser", organizations=found)
