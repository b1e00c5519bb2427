"""Who is here, how often somebody may be wrong about that, and how somebody is let in."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus

from flask import Blueprint, Response, current_app, request

from scim_bridge.errors import NotAuthenticated
from scim_bridge.identity.sessions import SessionBegun, Visitor
from scim_bridge.login import pages
from scim_bridge.web import context, cookies, csrf
from scim_bridge.web.limits import GuessLimits
from scim_bridge.web.pages import sign_in_first

LIMITS = "scim_bridge.guess_limits"
BACK = (pages.ACCOUNT, "Back to your account")


class SignInFirst(Exception):
    """The page is for who is signed in."""


def register(door: Blueprint) -> None:
    """Let the door ask whoever is not signed in to do so."""
    door.register_error_handler(SignInFirst, _sign_in_first)


def the_visitor() -> Visitor:
    """Return who is signed in; raises SignInFirst."""
    found = cookies.visitor()
    if found is None:
        raise SignInFirst
    return found


def limits() -> GuessLimits:
    """Return how often somebody may be wrong about who they are."""
    found: GuessLimits = current_app.extensions[LIMITS]
    return found


@contextmanager
def guessing(about: str) -> Iterator[None]:
    """Count whoever is wrong within the block; raises TooManyRequests for whoever was so too often."""
    found, address = limits(), context.address()
    found.admit(address, about)
    try:
        yield
    except NotAuthenticated:
        found.note_wrong(address, about)
        raise


def own_secret() -> AbstractContextManager[None]:
    """Count whoever is wrong about what opens the account that they are in: an open browser is no proof."""
    return guessing(f"own secret {the_visitor().session.account_id}")


def let_in(begun: SessionBegun, return_to: str) -> Response:
    """Give the browser its session and send it on."""
    answer = pages.away(return_to)
    cookies.sign_in(answer, begun)
    # Whatever was known of this browser before it signed in is worth nothing now.
    csrf.renew()
    return answer


def _sign_in_first(_: SignInFirst) -> Response:
    if request.method == "GET":
        return sign_in_first()
    link_to = ("/login", "Go to the sign-in page")
    return pages.message("You are not signed in", "Your session is over.", HTTPStatus.FORBIDDEN, link=link_to)
