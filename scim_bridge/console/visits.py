"""One request from beginning to end: who came, may they see this screen, and the page."""

from collections.abc import Callable

from flask import Response, g, request

from scim_bridge.console.screens import LONGEST_TEXT, NUL, Lacking, Screen, Visit
from scim_bridge.errors import Invalid, NotFound, Refused
from scim_bridge.identity.admission import receive
from scim_bridge.web import context, cookies, pages


class SignInFirst(Refused):
    """Nobody is signed in."""


def handler(screen: Screen) -> Callable[..., Response]:
    """Return what Flask calls for a screen."""

    def handle(**path: str) -> Response:
        visitor = cookies.visitor()
        if visitor is None:
            return _sign_in_first()
        runtime = context.runtime()
        context.limits().count(f"session {visitor.session.id}")
        # PostgreSQL has no such letter, so nothing is called that.
        if any(NUL in text for text in path.values()):
            raise NotFound("There is nothing at this address.")
        named = path.pop("organization", None)
        visit = Visit(runtime, visitor, context.request_id(), screen, path=path, query=_query(), form=_form())
        if named is not None:
            visit = _inside(visit, named)
        g.visit = visit
        if not screen.is_open_to(visit.guest):
            raise Lacking(screen.permission or "")
        return screen.view(visit, **path)

    handle.__name__ = screen.name.replace(".", "_")
    handle.__doc__ = screen.view.__doc__
    return handle


def _inside(visit: Visit, named: str) -> Visit:
    guest = receive(visit.database, visit.actor, named)
    return Visit(
        visit.runtime, visit.visitor, visit.request_id, visit.screen, guest, visit.path, visit.query, visit.form
    )


def _sign_in_first() -> Response:
    if request.method == "GET":
        return pages.sign_in_first()
    # What was typed cannot be sent again after a detour.
    raise SignInFirst("You are not signed in, or your session is over: sign in again, and repeat.")


def _query() -> dict[str, str]:
    found = {name: texts[-1] for name, texts in request.args.lists()}
    for name, text in found.items():
        _check(name, text)
    return found


def _form() -> dict[str, list[str]]:
    found = {name: list(texts) for name, texts in request.form.lists()}
    for name, texts in found.items():
        for text in texts:
            if NUL in name or NUL in text:
                raise Invalid("A form has no NUL in it.", field=name.replace(NUL, ""))
    return found


def _check(name: str, text: str) -> None:
    if NUL in name or NUL in text or len(text) > LONGEST_TEXT:
        raise Invalid("This address makes no sense.", field=name.replace(NUL, ""))
