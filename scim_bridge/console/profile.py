"""My profile: what one is in an organization, and what one may do oneself."""

from flask import Response

from scim_bridge.console.members import show_profile
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import kubeconfigs, member_profiles


@screen("GET", "/me", title="My profile", in_menu=True)
def show(visit: Visit) -> Response:
    """Show oneself."""
    mine = member_profiles.own_id(*visit.whose)
    return show_profile(visit, member_profiles.show(visit.database, visit.organization, mine))


@screen("GET", "/me/kubeconfig", title="My kubeconfig", is_file=True)
def kubeconfig(visit: Visit) -> Response:
    """Hand out what kubectl needs for the clusters that one has access on; no secret is in it."""
    found = kubeconfigs.of_member(*visit.whose, "me")
    answer = Response(found.text, content_type="application/yaml")
    answer.headers["Content-Disposition"] = 'attachment; filename="kubeconfig"'
    return answer
