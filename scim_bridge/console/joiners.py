"""People who signed in and wait for somebody to let them join."""

from flask import Response

from scim_bridge.console.members import READING, WRITING
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import joiners


@screen("GET", "/joiners", title="Waiting to join", permission=READING)
def list_(visit: Visit) -> Response:
    """List who signed in and waits, the longest first."""
    found = joiners.list_all(visit.database, visit.organization)
    return page(visit, "joiners", found=found, places=[("Members", url("members.list"))])


@screen("POST", "/joiners/<member>/approve", title="Let somebody join", permission=WRITING)
def approve(visit: Visit, member: str) -> Response:
    """Let somebody who waits join, without any role."""
    moved = joiners.approve(*visit.whose, member, visit.request_id)
    return done(visit, "members.show", f"{moved.user_name} is a member now, without any role.", member=moved.id)


@screen("POST", "/joiners/<member>/refuse", title="Keep somebody out", permission=WRITING)
def refuse(visit: Visit, member: str) -> Response:
    """Keep somebody who waits out; they do not come back by signing in."""
    moved = joiners.refuse(*visit.whose, member, visit.request_id)
    return done(visit, "joiners.list", f"{moved.user_name} stays out.")
