"""One's own account: methods, sessions, password; and the link with which a password is set."""

from io import BytesIO

import segno
from flask import Blueprint, Response, request
from markupsafe import Markup

from scim_bridge.domain.passkeys import site_of
from scim_bridge.identity import accounts, own_sessions, passkeys, second_factors
from scim_bridge.login import pages
from scim_bridge.login.visits import own_secret, the_visitor
from scim_bridge.web import context, cookies, csrf


def register(door: Blueprint) -> None:
    """Give the door the routes of this room."""
    door.add_url_rule("/account", "account", show)
    door.add_url_rule("/account/sessions/<session_id>/end", "end_session", end_session, methods=["POST"])
    door.add_url_rule("/account/password", "change_password", change_password, methods=["POST"])
    door.add_url_rule("/account/second-factor", "enrol", enrol, methods=["POST"])
    door.add_url_rule("/account/second-factor/confirm", "confirm", confirm, methods=["POST"])
    door.add_url_rule("/account/second-factor/codes", "renew_codes", renew_codes, methods=["POST"])
    door.add_url_rule("/account/second-factor/remove", "remove_factor", remove_factor, methods=["POST"])
    door.add_url_rule("/account/password/<text>", "link", link)
    door.add_url_rule("/account/password/<text>", "use_link", use_link, methods=["POST"])


def show() -> Response:
    """Show one's own account."""
    visitor, runtime = the_visitor(), context.runtime()
    return pages.page(
        "account",
        account=accounts.show(runtime.database, visitor),
        passkeys=passkeys.list_all(runtime.database, visitor),
        has_passkeys=site_of(runtime.settings.base_url) is not None,
        sessions=own_sessions.list_all(runtime.database, visitor),
        this=visitor.session.id,
    )


def end_session(session_id: str) -> Response:
    """End one of one's own sessions."""
    own_sessions.end(context.runtime().database, the_visitor(), session_id)
    return pages.away(pages.ACCOUNT)


def change_password() -> Response:
    """Change the password."""
    visitor = the_visitor()
    old, new = request.form.get("old", ""), request.form.get("new", "")
    with own_secret():
        accounts.change_password(context.runtime().database, visitor, old, new)
    return pages.message("The password is changed", "Your other sessions have ended.", link=_HOME)


def enrol() -> Response:
    """Show the secret of one-time codes, as a picture and as text."""
    runtime = context.runtime()
    with own_secret():
        made = second_factors.enrol(runtime.database, runtime.keyring, the_visitor(), request.form.get("password", ""))
    return pages.page("enrol", secret=made.secret, picture=_picture(made.uri))


def confirm() -> Response:
    """Switch one-time codes on, and show the recovery codes once."""
    runtime = context.runtime()
    with own_secret():
        codes = second_factors.confirm(runtime.database, runtime.keyring, the_visitor(), request.form.get("code", ""))
    return pages.page("codes", codes=codes)


def renew_codes() -> Response:
    """Show new recovery codes once."""
    runtime, code = context.runtime(), request.form.get("code", "")
    with own_secret():
        codes = second_factors.renew_recovery_codes(runtime.database, runtime.keyring, the_visitor(), code)
    return pages.page("codes", codes=codes)


def remove_factor() -> Response:
    """Switch one-time codes off."""
    runtime = context.runtime()
    with own_secret():
        second_factors.remove(runtime.database, runtime.keyring, the_visitor(), request.form.get("code", ""))
    return pages.message("The second factor is off", "Your password alone opens your account now.", link=_HOME)


def link(text: str) -> Response:
    """Show the form to which a link leads; looking at it uses nothing up, as some mail programs look."""
    facts = accounts.look_at_link(context.runtime().database, text)
    return pages.page("set_password", name=facts.name)


def use_link(text: str) -> Response:
    """Set the password, once."""
    accounts.set_password(context.runtime().database, text, request.form.get("password", ""))
    answer = pages.message("The password is set", "Sign in with it now.", link=("/login", "Go to the sign-in page"))
    cookies.forget(answer, cookies.SESSION)
    csrf.renew()
    return answer


_HOME = (pages.ACCOUNT, "Back to your account")


def _picture(uri: str) -> Markup:
    out = BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", xmldecl=False, svgns=True, scale=5, light="#fff", title="QR code")
    # Of our own making: bars on a white ground, and no text of anybody's in it.
    return Markup(out.getvalue().decode())  # noqa: S704
