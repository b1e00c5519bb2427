"""
The short way to the views that identity providers ask all day: users and groups, one or many.

Flask's contexts, matching, hooks and response objects take longer than the database needs for a look-up. On the lane a
view is found by the words of its path, called, and its answer written out as it is. Only success is the lane's: what
fails, whatever the reason, fails once more inside Flask, where errors are answered and logged; and what the lane does
not know (any other address or method, a path that is not plain ASCII) goes to Flask untouched.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from scim_bridge.scim.calls import CALL, PREFIX, Call, Door, door_of
from scim_bridge.scim.protocol import NOT_KEPT, View, finish, views
from scim_bridge.web.context import headers_of_all, name_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOUNS = {"Users": "user", "Groups": "group"}
STATUS_LINES = {int(status): f"{status.value} {status.phrase}" for status in HTTPStatus}


class Lane:
    """Answers what it knows, and passes everything else on to the application."""

    def __init__(self, app: Flask, beyond: "WSGIApplication") -> None:
        self._flask = app
        self._beyond = beyond
        self._made: Door | None = None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        view, noun, named = _known(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if view is None:
            return self._beyond(environ, start_response)
        door = self._door
        name = name_request(environ, by_proxy=door.settings.trusted_proxies > 0)
        call = environ[CALL] = Call(environ, door, name, noun, named)
        try:
            body, status, headers = view(call) if named is None else view(call, named)
            afterwards = finish(call, status)
        except Exception as error:  # noqa: BLE001 - handed on whole
            # Raised again by the view's other self (`protocol.route`).
            call.failure = error
            return self._beyond(environ, start_response)
        whole = {**headers, **NOT_KEPT, **headers_of_all(name)}
        if body:
            whole["Content-Length"] = str(len(body))
        start_response(STATUS_LINES[status], list(whole.items()))
        answer = [body] if body else []
        return answer if afterwards is None else ClosingIterator(answer, afterwards)

    @property
    def _door(self) -> Door:
        if self._made is None:
            self._made = door_of(self._flask)
        return self._made


def _known(method: str, path: str) -> tuple[View | None, str, str | None]:
    """Return the view of an address with what it names, None for one that is not the lane's."""
    words = path.split("/")
    if not path.startswith(PREFIX) or not 4 <= len(words) <= 5 or not path.isascii() or "\x00" in path:
        return None, "", None
    collection = words[3]
    noun = NOUNS.get(collection, "")
    if len(words) == 4:
        return views.get((method, f"/{collection}")) if noun else None, noun, None
    return views.get((method, f"/{collection}/<{noun}_id>")) if words[4] else None, noun, words[4]
