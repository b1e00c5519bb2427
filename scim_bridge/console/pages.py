"""How a screen answers: a page, the way back after a form with a word about what it did, or an error as a page."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, make_response, render_template, url_for
from werkzeug.exceptions import HTTPException

from scim_bridge.console import menu, notices
from scim_bridge.console.screens import Lacking, Visit, find_screen, is_inside
from scim_bridge.errors import BridgeError, SignInNotAccepted
from scim_bridge.identity.catalogue import built_in
from scim_bridge.web import context, cookies, pages

# Our one script, for comfort; it may ask for this very page again.
POLICY = pages.POLICY.replace("style-src", "script-src 'self'; connect-src 'self'; style-src", 1)


def page(
    visit: Visit, template: str, status: int = HTTPStatus.OK, *, title: str | None = None, **values: Any
) -> Response:
    """Render ``console/TEMPLATE.html`` inside the frame; its heading is the screen's title if none is given."""
    notice = notices.take()
    answer = _render(template, status, visit=visit, title=title or visit.screen.title, notice=notice, **values)
    notices.forget(answer)
    return answer


def done(visit: Visit, name: str, notice: str | None = None, **path: str) -> Response:
    """Go to a screen after a form, and let it tell what the form did."""
    answer = pages.away(url(name, **path))
    if notice is not None:
        notices.leave(answer, notice)
    return answer


def url(name: str, **values: Any) -> str:
    """Return the address of a screen of the organization at hand; what is no part of the path becomes its query."""
    visit: Visit | None = g.get("visit")
    if visit is not None and visit.guest is not None and is_inside(name):
        values.setdefault("organization", visit.guest.slug)
    return url_for(endpoint(name), **{key: value for key, value in values.items() if value is not None})


def to(name: str, **values: Any) -> str | None:
    """Return the address of a screen if there is one of that name and the visitor at hand may see it."""
    found, visit = find_screen(name), g.get("visit")
    return url(name, **values) if found is not None and visit and found.is_open_to(visit.guest) else None


def same(**changes: Any) -> str:
    """Return the address of the page at hand with another query: None takes a part out of it."""
    visit: Visit = g.visit
    asked = {**visit.query, **changes}
    left = {key: str(value) for key, value in asked.items() if value is not None and value != ""}
    return f"?{urlencode(left)}"


def endpoint(name: str) -> str:
    """Return what Flask calls the screen of a name."""
    return f"console.{name.replace('.', '_')}"


def refuse(error: BridgeError) -> Response:
    """Return an error of ours as a page, inside the frame where it is known who came."""
    status = pages.status_of(error)
    values: dict[str, Any] = {"text": pages.sentence_of(error), "title": _title(error, status)}
    if isinstance(error, Lacking):
        values |= {"permission": error.permission, "allows": built_in().descriptions.get(error.permission)}
    values["again"] = isinstance(error, SignInNotAccepted)
    return pages.with_patience(_render("refused", status, visit=g.get("visit"), **values), error)


def refuse_http(error: HTTPException) -> Response:
    """Return an error of HTTP itself as a page."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    text = f"{status.phrase}. If you ask somebody about it, tell them this number: {context.request_id()}."
    answer = harden(_render("refused", status, visit=None, text=text, title=_TITLES.get(status, "That did not work")))
    if getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]
    return answer


def harden(response: Response) -> Response:
    """Tell browsers what they may do with an answer of this door."""
    return pages.harden(response, POLICY)


_TITLES = {
    HTTPStatus.FORBIDDEN: "You may not do this",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.CONFLICT: "Something has changed",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much at once",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now",
}


def _title(error: BridgeError, status: HTTPStatus) -> str:
    if isinstance(error, SignInNotAccepted):
        return "Sign in another way"
    return _TITLES.get(status, "That did not work")


def _render(template: str, status: int, *, visit: Visit | None, **values: Any) -> Response:
    shared = {
        "visit": visit,
        "visitor": cookies.visitor(),
        "menu": menu.menu_of(visit) if visit and visit.guest else (),
    }
    return make_response(render_template(f"console/{template}.html", **shared, **values), status)
