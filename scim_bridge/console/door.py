"""The console, whole: importing the rooms declares their screens, and this gives the application their routes."""

from flask import Blueprint, Flask

# Importing a room declares its screens.
from scim_bridge.console import (  # noqa: F401
    audit,
    chooser,
    cluster_changes,
    clusters,
    directories,
    directory_log,
    directory_states,
    directory_tokens,
    domains,
    explorer,
    grants,
    group_members,
    groups,
    invitations,
    joiners,
    member_states,
    members,
    organization,
    overview,
    pages,
    people,
    profile,
    roles,
    rule_drafts,
    rule_versions,
    rules,
    search,
    sign_in,
    times,
    tree_changes,
    tree_places,
    visits,
)
from scim_bridge.console.screens import SCREENS
from scim_bridge.errors import BridgeError
from scim_bridge.web import cookies, csrf

PREFIX = "/console"
refuse_http = pages.refuse_http


def register(app: Flask) -> None:
    """Put the door into an application."""
    door = Blueprint("console", __name__, url_prefix=PREFIX, template_folder="templates")
    csrf.protect(door)
    for screen in SCREENS:
        endpoint = screen.name.replace(".", "_")
        door.add_url_rule(screen.path, endpoint, visits.handler(screen), methods=[screen.method])
    door.register_error_handler(BridgeError, pages.refuse)
    door.after_request(pages.harden)
    door.after_request(cookies.note_use)
    app.register_blueprint(door)
    app.jinja_env.globals.update(url=pages.url, same=pages.same, to=pages.to)
    app.jinja_env.filters.update(
        moment=times.moment,
        exact=times.exact,
        seconds=times.seconds,
        span=times.span,
        initials=people.initials,
        tint=people.tint,
    )
