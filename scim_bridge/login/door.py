"""The login door, whole: its routes, its guard against forged forms, and its errors as pages."""

from flask import Blueprint, Flask

from scim_bridge.errors import BridgeError
from scim_bridge.login import account, invitations, local, oidc, own_organizations, pages, passkeys, visits
from scim_bridge.settings import Settings
from scim_bridge.web import cookies, csrf
from scim_bridge.web.limits import GuessLimits

PREFIXES = ("/login", "/logout", "/account", "/invitations")

refuse_http = pages.refuse_http


def register(app: Flask, settings: Settings) -> None:
    """Put the door into an application."""
    door = Blueprint(
        "login", __name__, template_folder="templates", static_folder="static", static_url_path="/login/static"
    )
    # Sent by an identity provider itself; the token in it is signed.
    csrf.protect(door, exempt=frozenset({"hear"}))
    for room in (visits, local, oidc, passkeys, account, own_organizations, invitations):
        room.register(door)
    door.register_error_handler(BridgeError, pages.refuse)
    door.after_request(pages.harden)
    door.after_request(cookies.note_use)
    app.register_blueprint(door)
    app.extensions[visits.LIMITS] = GuessLimits(settings.refused_per_minute)
