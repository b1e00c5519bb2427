"""Forgive slashes: base URLs are typed by people, and a redirect would lose the body of a POST."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SLASHES = re.compile("/{2,}")


class ForgivingPaths:
    """Reads ``//scim/v2//Users/`` as ``/scim/v2/Users``, below one prefix only."""

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on, its path in order."""
        path = SLASHES.sub("/", environ.get("PATH_INFO", ""))
        if path.startswith(self._prefix):
            environ["PATH_INFO"] = path.rstrip("/")
        return self._app(environ, start_response)
