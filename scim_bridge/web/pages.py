"""What the doors that show pages share: where a page may lead, and what browsers may do with it."""

from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from flask import Response, make_response, redirect, request

from scim_bridge.errors import BridgeError, NotAuthenticated, SignInNotAccepted, StoreError, Unavailable
from scim_bridge.web import context
from scim_bridge.web.problems import KINDS

SIGN_IN = "/login"
CONSOLE = "/console/"
LONGEST_PATH = 2000
# No style but our own, no other site around us; a form goes back to us only. Scripts are for a door to allow.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def away(url: str) -> Response:
    """Send the browser on after a link or a form."""
    answer = make_response(redirect(url, HTTPStatus.SEE_OTHER))
    # The default body repeats the address, with what is secret in it.
    answer.set_data(b"")
    return answer


def query(**values: str) -> str:
    """Return the query of an address of ours."""
    return urlencode(values)


def return_to(text: str | None, home: str = CONSOLE) -> str:
    """Return a path of ours that may be gone to afterwards; whatever could lead to another site is ``home``."""
    if not text or len(text) > LONGEST_PATH or not text.startswith("/") or not text.isprintable() or "\\" in text:
        return home
    parts = urlsplit(text)
    return home if text.startswith("//") or parts.scheme or parts.netloc else text


def sign_in_first() -> Response:
    """Send a browser to the sign-in page, and back here afterwards."""
    here = request.full_path if request.query_string else request.path
    return away(f"{SIGN_IN}?{query(return_to=here[:LONGEST_PATH])}")


def status_of(error: BridgeError) -> HTTPStatus:
    """Return the status of the page that tells of an error: a page asks for no credential, so 401 is no answer."""
    if isinstance(error, NotAuthenticated | SignInNotAccepted):
        return HTTPStatus.FORBIDDEN
    return next(status for cls, status, _ in KINDS if isinstance(error, cls))


def sentence_of(error: BridgeError) -> str:
    """Return what a page tells of an error: never which database it is."""
    return "The database cannot be used now." if isinstance(error, StoreError) else str(error)


def with_patience(response: Response, error: BridgeError) -> Response:
    """Tell the browser when to come again, if the error says so."""
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def harden(response: Response, policy: str = POLICY) -> Response:
    """Tell browsers what they may do with an answer of a door that shows pages."""
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers["X-Frame-Options"] = "DENY"
    # With "no-referrer" browsers would send our own forms with the origin "null", like those of other sites.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    # Who signed in, and links that open something, have no place in anybody's cache.
    response.headers["Cache-Control"] = "no-store"
    if request.is_secure or context.runtime().settings.base_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
