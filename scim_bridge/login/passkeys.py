"""Passkeys: make and remove one's own, and sign in with one. The only pages with a script, which is ours."""

from flask import Blueprint, Response, request

from scim_bridge.identity import passkey_sign_in, passkeys
from scim_bridge.identity.sessions import Visit
from scim_bridge.login import pages
from scim_bridge.login.visits import BACK, guessing, let_in, own_secret, the_visitor
from scim_bridge.web import context, cookies, csrf


def register(door: Blueprint) -> None:
    """Give the door the routes of this room."""
    door.add_url_rule("/login/passkey", "ask_passkey", ask, methods=["POST"])
    door.add_url_rule("/login/passkey/answer", "by_passkey", by_passkey, methods=["POST"])
    door.add_url_rule("/login/second-factor/passkey", "by_second_passkey", by_second_passkey, methods=["POST"])
    door.add_url_rule("/account/passkeys", "begin_passkey", begin, methods=["POST"])
    door.add_url_rule("/account/passkeys/make", "make_passkey", make, methods=["POST"])
    door.add_url_rule("/account/passkeys/remove", "remove_passkey", remove, methods=["POST"])


def ask() -> Response:
    """Ask the browser for whatever passkey it has for us."""
    runtime = context.runtime()
    context.limits().count(f"address {context.address()}")
    asked = passkey_sign_in.ask(runtime.database, runtime.settings.base_url, csrf.browser())
    return pages.scripted("passkey", asked=asked, return_to=pages.return_to(request.form.get("return_to")))


def by_passkey() -> Response:
    """Sign in by the passkey alone."""
    runtime = context.runtime()
    with guessing(f"passkey {context.address()}"):
        begun = passkey_sign_in.sign_in(runtime.database, runtime.settings.base_url, *_answer())
    return let_in(begun, pages.return_to(request.form.get("return_to")))


def by_second_passkey() -> Response:
    """Go on, after the password, with a passkey of the same account."""
    runtime = context.runtime()
    with guessing(f"passkey {context.address()}"):
        begun = passkey_sign_in.confirm(runtime.database, runtime.settings.base_url, *_answer())
    return let_in(begun, pages.return_to(request.form.get("return_to")))


def begin() -> Response:
    """Ask the browser to make a passkey."""
    runtime, password = context.runtime(), request.form.get("password", "")
    base_url = runtime.settings.base_url
    with own_secret():
        asked = passkeys.begin(runtime.database, base_url, the_visitor(), password, csrf.browser())
    return pages.scripted("new_passkey", asked=asked)


def make() -> Response:
    """Add the passkey that the browser made; show recovery codes if there were none."""
    runtime = context.runtime()
    text, answer, browser, _ = _answer()
    name = request.form.get("name", "")
    codes = passkeys.make(runtime.database, runtime.settings.base_url, the_visitor(), text, answer, name, browser)
    return pages.page("codes", codes=codes) if codes else pages.away(pages.ACCOUNT)


def remove() -> Response:
    """Take a passkey away."""
    named, password = request.form.get("passkey", ""), request.form.get("password", "")
    with own_secret():
        passkeys.remove(context.runtime().database, the_visitor(), named, password)
    return pages.message("The passkey is removed", "It opens nothing, and your other sessions have ended.", link=BACK)


def _answer() -> tuple[str, str, str | None, Visit]:
    """Return the challenge's text, what the browser made of it, which browser that is, and from where it comes."""
    sent = request.form
    return sent.get("attempt", "")[:128], sent.get("answer", ""), cookies.read(cookies.BROWSER), cookies.visit()
