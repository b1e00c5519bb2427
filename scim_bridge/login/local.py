"""Sign in by one's own methods, and find the way to an identity provider by address or by organization."""

from flask import Blueprint, Response, current_app, request

from scim_bridge.domain.keys import fold
from scim_bridge.errors import NotAuthenticated
from scim_bridge.identity import accounts, ways_in
from scim_bridge.identity.accounts import SecondFactorNeeded
from scim_bridge.identity.letters import Letters
from scim_bridge.identity.sessions import SessionBegun
from scim_bridge.login import pages
from scim_bridge.web import context, cookies, csrf
from scim_bridge.web.limits import GuessLimits

LIMITS = "scim_bridge.guess_limits"
LONGEST_EMAIL = 320


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
    return pages.page("sign_in", return_to=return_to, ways=(), email="", ask_password=False)


def ask_for(organization: str) -> Response:
    """Show an organization's identity providers; one that is not there has none, as one without any."""
    ways = ways_in.of_organization(context.runtime().database, organization)
    return_to = pages.return_to(request.args.get("return_to"))
    return pages.page("sign_in", return_to=return_to, ways=ways, email="", ask_password=True)


def choose() -> Response:
    """Show the ways in that an address has: its organization's identity providers, or a password."""
    email = request.form.get("email", "").strip()[:LONGEST_EMAIL]
    return_to = pages.return_to(request.form.get("return_to"))
    ways = ways_in.of_address(context.runtime().database, email)
    if len(ways) == 1:
        return pages.go(f"/login/with/{ways[0].id}?{pages.query(return_to=return_to)}", ways[0].name)
    return pages.page("sign_in", return_to=return_to, ways=ways, email=email, ask_password=True)


def by_password() -> Response:
    """Sign in by address and password."""
    runtime, limits = context.runtime(), _limits()
    email = request.form.get("email", "").strip()[:LONGEST_EMAIL]
    limits.admit(context.address(), fold(email))
    try:
        found = accounts.sign_in(
            runtime.database, email, request.form.get("password", ""), csrf.browser(), cookies.visit()
        )
    except NotAuthenticated:
        limits.note_wrong(context.address(), fold(email))
        raise
    return_to = pages.return_to(request.form.get("return_to"))
    if isinstance(found, SecondFactorNeeded):
        return pages.page("second_factor", attempt=found.text, return_to=return_to)
    return _let_in(found, return_to)


def by_second_factor() -> Response:
    """Go on with a code of the app, or a recovery code."""
    runtime, limits = context.runtime(), _limits()
    attempt = request.form.get("attempt", "")[:128]
    limits.admit(context.address(), "second factor")
    try:
        begun = accounts.confirm(
            runtime.database,
            runtime.keyring,
            attempt,
            request.form.get("code", "")[:64],
            cookies.read(cookies.BROWSER),
            cookies.visit(),
        )
    except NotAuthenticated:
        limits.note_wrong(context.address(), "second factor")
        raise
    return _let_in(begun, pages.return_to(request.form.get("return_to")))


def forgotten() -> Response:
    """Ask for whose account a link is."""
    return pages.page("forgotten")


def send_link() -> Response:
    """Send a link, if there is such an account; the answer is the same."""
    runtime, limits = context.runtime(), _limits()
    email = request.form.get("email", "").strip()[:LONGEST_EMAIL]
    about = f"link {fold(email)}"
    limits.admit(context.address(), about)
    # Each counts: a mailbox is not to be filled by strangers.
    limits.note_wrong(context.address(), about)
    accounts.ask_by_mail(runtime.database, Letters.of(runtime), email)
    return pages.message("Look at your mail", "If there is an account of this address, a link is on its way.")


def _let_in(begun: SessionBegun, return_to: str) -> Response:
    answer = pages.away(return_to)
    cookies.sign_in(answer, begun)
    # Whatever was known of this browser before it signed in is worth nothing now.
    csrf.renew()
    return answer


def _limits() -> GuessLimits:
    found: GuessLimits = current_app.extensions[LIMITS]
    return found
