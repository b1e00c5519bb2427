"""
Forms that only our own pages can send: a token in each, made from the browser's own cookie and its session.

No key is kept: the cookie is random, no script and no other site can read it, and over https none can set it.
"""

import hmac
import secrets
from hashlib import sha256
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, request

from scim_bridge.errors import Refused
from scim_bridge.web import context, cookies

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE = ("GET", "HEAD", "OPTIONS")
OWN_SITE = ("same-origin", "none")


def protect(door: Blueprint, exempt: frozenset[str] = frozenset()) -> None:
    """Guard every form of a door but those of the views named ``exempt``, which no browser sends."""

    def check() -> None:
        if request.method not in SAFE and (request.endpoint or "").rpartition(".")[2] not in exempt:
            _check()

    door.before_request(check)
    door.after_request(_keep_browser)


def token() -> str:
    """Return what a form of this page has to send back."""
    return _token(browser())


def browser() -> str:
    """Return the secret of this browser, made now if it has none."""
    if "browser" not in g:
        g.browser = cookies.read(cookies.BROWSER) or secrets.token_urlsafe(32)
    found: str = g.browser
    return found


def renew() -> None:
    """Give the browser another secret: what somebody knew of it before it signed in is worth nothing afterwards."""
    g.browser = secrets.token_urlsafe(32)


def _check() -> None:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in OWN_SITE or not _is_own(
        request.headers.get("Origin")
    ):
        raise Refused("This form was sent from another site.")
    known = cookies.read(cookies.BROWSER)
    sent = request.form.get(FIELD) or request.headers.get(HEADER) or ""
    if known is None or not hmac.compare_digest(sent.encode(), _token(known).encode()):
        raise Refused(
            "This page was open for too long, or cookies are switched off. Go back, load it again, and repeat."
        )


def _token(of: str) -> str:
    session = cookies.read(cookies.SESSION) or ""
    return hmac.new(of.encode(), b"csrf:" + session.encode(), sha256).hexdigest()


def _is_own(origin: str | None) -> bool:
    if origin is None:
        return True
    own, sent = urlsplit(context.runtime().settings.base_url), urlsplit(origin)
    return (own.scheme, own.netloc) == (sent.scheme, sent.netloc)


def _keep_browser(response: Response) -> Response:
    if "browser" in g and cookies.read(cookies.BROWSER) != g.browser:
        cookies.write(response, cookies.BROWSER, g.browser)
    return response
