"""Sign in by one's own methods, and find the way to an identity provider by address or by organization."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from scim_bridge.domain.keys import fold
from scim_bridge.domain.passkeys import site_of
from scim_bridge.errors import BridgeError
from scim_bridge.identity import accounts, passkey_sign_in, ways_in
from scim_bridge.identity.accounts import SecondFactorNeeded
from scim_bridge.identity.letters import Letters
from scim_bridge.identity.runtime import Runtime
from scim_bridge.log import get_logger
from scim_bridge.login import pages, visits
from scim_bridge.login.visits import let_in
from scim_bridge.web import context, cookies, csrf

LONGEST_EMAIL = 320

log = get_logger(__name__)


def register(door: Blueprint) -> None:
    """Give the door the routes of this room."""
    door.add_url_rule("/login", "ask", ask)
    door.add_url_rule("/login", "choose", choose, methods=["POST"])
    door.add_url_rule("/login/to/<organization>", "ask_for", ask_for)
    door.add_url_rule("/login/password", "by_password", by_password, methods=["POST"])
    door.add_url_rule("/account/forgotten", "forgotten", forgotten)
    door.add_url_rule("/account/forgotten", "send_link", send_link, methods=["POST"])
    door.add_url_rule("/login/second-factor", "by_second_factor", by_second_factor, methods=["POST"])


def ask() -> Response:
    """Ask who it is."""
    return_to = pages.return_to(request.args.get("return_to"))
    if cookies.visitor() is not None and "again" not in request.args:
        return pages.away(return_to)
    return _sign_in(return_to=return_to, ways=(), email="", ask_password=False)


def ask_for(organization: str) -> Response:
    """Show an organization's identity providers; one that is not there has none, as one without any."""
    ways = ways_in.of_organization(context.runtime().database, organization)
    return_to = pages.return_to(request.args.get("return_to"))
    return _sign_in(return_to=return_to, ways=ways, email="", ask_password=True)


def choose() -> Response:
    """Show the ways in that an address has: its organization's identity providers, or a password."""
    email = request.form.get("email", "").strip()[:LONGEST_EMAIL]
    return_to = pages.return_to(request.form.get("return_to"))
    ways = ways_in.of_address(context.runtime().database, email)
    if len(ways) == 1:
        return pages.go(f"/login/with/{ways[0].id}?{pages.query(return_to=return_to)}", ways[0].name)
    return _sign_in(return_to=return_to, ways=ways, email=email, ask_password=True)


def by_password() -> Response:
    """Sign in by address and password."""
    database = context.runtime().database
    email = request.form.get("email", "").strip()[:LONGEST_EMAIL]
    with visits.guessing(fold(email)):
        found = accounts.sign_in(database, email, request.form.get("password", ""), csrf.browser(), cookies.visit())
    return_to = pages.return_to(request.form.get("return_to"))
    if isinstance(found, SecondFactorNeeded):
        return _second_factor(found, return_to)
    return let_in(found, return_to)


def by_second_factor() -> Response:
    """Go on with a code of the app, or a recovery code."""
    runtime, browser = context.runtime(), cookies.read(cookies.BROWSER)
    attempt, code = request.form.get("attempt", "")[:128], request.form.get("code", "")[:64]
    # Whose password was right, from wherever their codes are guessed; nobody else's guesses are theirs.
    whose = accounts.whose_attempt(runtime.database, attempt, browser)
    with visits.guessing(f"second factor {whose or context.address()}"):
        begun = accounts.confirm(runtime.database, runtime.keyring, attempt, code, browser, cookies.visit())
    return let_in(begun, pages.return_to(request.form.get("return_to")))


def forgotten() -> Response:
    """Ask for whose account a link is."""
    return pages.page("forgotten")


def send_link() -> Response:
    """Send a link, if there is such an account; the answer is the same, and comes as soon."""
    runtime, limits = context.runtime(), visits.limits()
    email = request.form.get("email", "").strip()[:LONGEST_EMAIL]
    about = f"link {fold(email)}"
    limits.admit(context.address(), about)
    # Each counts: a mailbox is not to be filled by strangers.
    limits.note_wrong(context.address(), about)
    answer = pages.message("Look at your mail", "If there is an account of this address, a link is on its way.")
    # When the answer is out: how long it takes to write a mail tells that there is one to write.
    answer.call_on_close(partial(_send_link, runtime, email))
    return answer


def _send_link(runtime: Runtime, email: str) -> None:
    try:
        accounts.ask_by_mail(runtime.database, Letters.of(runtime), email)
    except BridgeError as error:
        log.warning("a link to set a password was not written", reason=str(error))


def _sign_in(**values: Any) -> Response:
    return pages.page("sign_in", has_passkeys=site_of(context.runtime().settings.base_url) is not None, **values)


def _second_factor(needed: SecondFactorNeeded, return_to: str) -> Response:
    base_url = context.runtime().settings.base_url
    if not needed.passkeys or site_of(base_url) is None:
        return pages.page("second_factor", attempt=needed.text, return_to=return_to, asked=None)
    asked = passkey_sign_in.ask_as_second_factor(base_url, needed)
    return pages.scripted("second_factor", attempt=needed.text, return_to=return_to, asked=asked)
