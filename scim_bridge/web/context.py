"""What every HTTP door needs to know: of the process it runs in, and of the request at hand."""

import re
from secrets import token_hex
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, Response, current_app, g, request

from scim_bridge.identity.journal import Journal
from scim_bridge.identity.runtime import Runtime
from scim_bridge.identity.scim_port import ScimPort
from scim_bridge.log import bind_request
from scim_bridge.web.limits import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

EXTENSION = "scim_bridge"
SCIM = "scim_bridge.scim"
JOURNAL = "scim_bridge.journal"
LIMITS = "scim_bridge.limits"
REQUEST_ID_HEADER = "X-Request-Id"
REQUEST_ID_SENT = "HTTP_X_REQUEST_ID"
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The name of a request that came inside another one; what comes over HTTP has other names in there.
REQUEST_ID = "scim_bridge.request_id"


def runtime() -> Runtime:
    """Return the runtime of the application that serves this request."""
    return runtime_of(current_app)


def runtime_of(app: Flask) -> Runtime:
    """Return the runtime of an application."""
    found: Runtime = app.extensions[EXTENSION]
    return found


def scim() -> ScimPort:
    """Return the SCIM door of this application, for other doors."""
    found: ScimPort = current_app.extensions[SCIM]
    return found


def journal_of(app: Flask) -> Journal:
    """Return where an application's requests wait to be logged."""
    found: Journal = app.extensions[JOURNAL]
    return found


def limits_of(app: Flask) -> Limits:
    """Return what callers of an application may ask."""
    found: Limits = app.extensions[LIMITS]
    return found


def limits() -> Limits:
    """Return what callers of this application may ask."""
    return limits_of(current_app)


def request_id() -> str:
    """Return the name under which this request is found in every log."""
    found: str = g.request_id
    return found


def keep_name(name: str) -> None:
    """Let what is logged from here on bear the name of this request again, after others came inside it."""
    bind_request(name)


def started() -> float:
    """Return when this request arrived, as `time.perf_counter` has it."""
    found: float = g.started
    return found


def address() -> str | None:
    """Return whose request this is, as far as the trusted proxies say."""
    return None if request.remote_addr is None else _clean(request.remote_addr)[:64]


def user_agent() -> str:
    """Return what the client calls itself."""
    return _clean(request.headers.get("User-Agent", ""))[:255]


def target() -> str:
    """Return the path and query that were asked for, as they go over the wire."""
    query = _clean(request.query_string.decode("latin-1"))
    return quote(request.path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")


def register(app: Flask) -> None:
    """Give every request of the application a name and a time, and tell the client the name."""
    app.before_request(_begin)
    app.after_request(_name_it)


def name_request(environ: "WSGIEnvironment", *, by_proxy: bool) -> str:
    """Give a request its name, under which every log line of this thread stands from now on; it keeps the first one."""
    name: str | None = environ.get(REQUEST_ID)
    if name is None:
        sent = environ.get(REQUEST_ID_SENT, "")
        # Only a proxy that we trust may name requests: anybody else could write another request's name into the logs.
        name = environ[REQUEST_ID] = sent if by_proxy and NAME.fullmatch(sent) else token_hex(16)
    bind_request(name)
    return name


def headers_of_all(name: str) -> dict[str, str]:
    """Return the headers of every answer of every door to the request of this name."""
    return {REQUEST_ID_HEADER: name, "X-Content-Type-Options": "nosniff"}


def _begin() -> None:
    g.started = perf_counter()
    g.request_id = name_request(request.environ, by_proxy=runtime().settings.trusted_proxies > 0)


def _name_it(response: Response) -> Response:
    response.headers.update(headers_of_all(request_id()))
    return response


def _clean(text: str) -> str:
    return text.replace("\x00", "")
