"""What the pages of this door share: how they are rendered, where they may lead, and what browsers may do with them."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from scim_bridge.errors import BridgeError, NotAuthenticated, SignInNotAccepted, StoreError, Unavailable
from scim_bridge.web import context, cookies, csrf
from scim_bridge.web.problems import KINDS

HOME = "/account"
# No script, no style but our own, no other site around us; a form goes back to us only.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(template: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response:
    """Render a page of this door; every form in it has the token that `csrf` asks for."""
    shared = {"csrf_field": csrf.FIELD, "csrf_token": csrf.token(), "visitor": cookies.visitor()}
    return make_response(render_template(f"login/{template}.html", **shared, **values), status)


def scripted(template: str, **values: Any) -> Response:
    """Render a page that asks a browser for a passkey, which it hands to scripts only: to ours, and to no other."""
    answer = page(template, **values)
    answer.headers["Content-Security-Policy"] = f"{POLICY}; script-src 'self'"
    return answer


def message(
    title: str, text: str, status: HTTPStatus = HTTPStatus.OK, *, link: tuple[str, str] | None = None
) -> Response:
    """Say something and where to go on; ``link`` is an address of ours and its words."""
    return page("message", status, title=title, text=text, link=link)


def go(url: str, where: str) -> Response:
    """
    Send the browser elsewhere after a form.

    A redirect would count as part of the form, which may only go to us; the page leads on by itself, without a script.
    """
    return page("going", url=url, where=where)


def away(url: str) -> Response:
    """Send the browser on after a link."""
    answer = make_response(redirect(url, HTTPStatus.SEE_OTHER))
    # The default body repeats the address, with what is secret in it.
    answer.set_data(b"")
    return answer


def query(**values: str) -> str:
    """Return the query of an address of ours."""
    return urlencode(values)


def return_to(text: str | None) -> str:
    """Return a path of ours that may be gone to afterwards; whatever could lead to another site is our home."""
    if not text or len(text) > 2000 or not text.startswith("/") or not text.isprintable() or "\\" in text:
        return HOME
    parts = urlsplit(text)
    return HOME if text.startswith("//") or parts.scheme or parts.netloc else text


def refuse(error: BridgeError) -> Response:
    """Return an error of ours as a page."""
    status = next(status for cls, status, _ in KINDS if isinstance(error, cls))
    if isinstance(error, NotAuthenticated | SignInNotAccepted):
        status = HTTPStatus.FORBIDDEN
    text = "The database cannot be used now." if isinstance(error, StoreError) else str(error)
    answer = message("That did not work", text, status, link=("/login", "Go to the sign-in page"))
    if isinstance(error, Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def refuse_http(error: HTTPException) -> Response:
    """Return an error of HTTP itself as a page."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    text = f"{status.phrase}. If you ask somebody about it, tell them this number: {context.request_id()}."
    answer = harden(message("That did not work", text, status))
    if getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]
    return answer


def harden(response: Response) -> Response:
    """Tell browsers what they may do with an answer of this door."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Frame-Options"] = "DENY"
    # Not "no-referrer": browsers then send our own forms with the origin "null", which is anybody's.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    # Who signed in, and links that open something, have no place in anybody's cache.
    response.headers["Cache-Control"] = "no-store"
    if request.is_secure or context.runtime().settings.base_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
