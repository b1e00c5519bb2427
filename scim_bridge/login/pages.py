"""What the pages of this door share: how they are rendered, and how an error is told."""

from http import HTTPStatus
from typing import Any

from flask import Response, make_response, render_template
from werkzeug.exceptions import HTTPException

from scim_bridge.errors import BridgeError
from scim_bridge.web import context, cookies, csrf, pages
from scim_bridge.web.pages import away as away
from scim_bridge.web.pages import harden as harden
from scim_bridge.web.pages import query as query
from scim_bridge.web.pages import return_to as return_to

ACCOUNT = "/account"


def page(template: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response:
    """Render a page of this door; every form in it has the token that `csrf` asks for."""
    shared = {"csrf_field": csrf.FIELD, "csrf_token": csrf.token(), "visitor": cookies.visitor()}
    return make_response(render_template(f"login/{template}.html", **shared, **values), status)


def scripted(template: str, **values: Any) -> Response:
    """Render a page that asks a browser for a passkey, which it hands to scripts only: to ours, and to no other."""
    answer = page(template, **values)
    answer.headers["Content-Security-Policy"] = f"{pages.POLICY}; script-src 'self'"
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


def refuse(error: BridgeError) -> Response:
    """Return an error of ours as a page."""
    link = (pages.SIGN_IN, "Go to the sign-in page")
    answer = message("That did not work", pages.sentence_of(error), pages.status_of(error), link=link)
    return pages.with_patience(answer, error)


def refuse_http(error: HTTPException) -> Response:
    """Return an error of HTTP itself as a page."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    text = f"{status.phrase}. If you ask somebody about it, tell them this number: {context.request_id()}."
    answer = harden(message("That did not work", text, status))
    if getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]
    return answer
