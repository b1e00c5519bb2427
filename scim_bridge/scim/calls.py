"""
One request at the SCIM door, read off the WSGI environ and handed from function to function.

Flask keeps the request at hand where every function can reach for it, and finds it anew at each reach; at this door
that costs more than the database does. So views take a `Call`, be it Flask that calls them or `scim.lane`.
"""

from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote

from flask import current_app, request

from scim_bridge.identity.callers import Caller
from scim_bridge.identity.exchanges import Exchange
from scim_bridge.identity.journal import Journal
from scim_bridge.identity.runtime import Database, Runtime
from scim_bridge.scim import dialects, masking
from scim_bridge.scim.filters import attribute_path
from scim_bridge.scim.translate import Addresses
from scim_bridge.settings import Settings
from scim_bridge.web import context
from scim_bridge.web.limits import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from flask import Flask

PREFIX = "/scim/v2"
# Set by `scim.replay` and `scim.bulk` alone, as is the call itself by `at_hand` and `scim.lane`: what comes over HTTP
# has other names in there.
KNOWN_CALLER = "scim_bridge.known_caller"
CALL = "scim_bridge.call"
DOOR = "scim_bridge.door"
LONGEST_ID = 36
SAFE_IN_PATHS = "/:@!$&'()*+,;=~"


class Answer(NamedTuple):
    """What is answered: a body, a status and headers, as Flask takes them from a view."""

    body: bytes
    status: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Door:
    """What the SCIM door of one application is made of."""

    runtime: Runtime
    journal: Journal
    limits: Limits
    addresses: Addresses

    @property
    def settings(self) -> Settings:
        """Return the settings of this process."""
        return self.runtime.settings

    @property
    def database(self) -> Database:
        """Return where everything is."""
        return self.runtime.database


def door_of(app: "Flask") -> Door:
    """Return the door of an application, made at the first request."""
    found: Door | None = app.extensions.get(DOOR)
    if found is None:
        runtime = context.runtime_of(app)
        addresses = Addresses(runtime.settings.scim_base_url)
        found = app.extensions[DOOR] = Door(runtime, context.journal_of(app), context.limits_of(app), addresses)
    return found


class Call:
    """
    A request, and what becomes known of it on its way.

    ``object`` is what its address names. ``failure`` is what ended it on the lane, for Flask to answer.
    """

    caller: Caller | None = None
    exchange: Exchange | None = None
    secrets: frozenset[str] = frozenset()
    failure: Exception | None = None

    def __init__(
        self, environ: "WSGIEnvironment", door: Door, request_id: str, noun: str | None = None, named: str | None = None
    ) -> None:
        self.started = perf_counter()
        self.environ = environ
        self.door = door
        self.request_id = request_id
        self.noun = noun if named is not None else None
        # Whatever is longer than our ids is none of them, nor what PostgreSQL cannot store.
        self.object_id = named if named is None or (len(named) <= LONGEST_ID and "\x00" not in named) else None
        self.known_caller: Caller | None = environ.get(KNOWN_CALLER)
        self.authorization: str = environ.get("HTTP_AUTHORIZATION", "")
        self.token = dialects.bearer_token(self.authorization)

    @property
    def settings(self) -> Settings:
        """Return the settings of this process."""
        return self.door.settings

    @property
    def known(self) -> Caller:
        """Return who asks, once that has been found out."""
        assert self.caller is not None
        return self.caller

    @property
    def method(self) -> str:
        """Return the method, or the beginning of what was sent as one."""
        return str(self.environ["REQUEST_METHOD"])[:8]

    @property
    def address(self) -> str | None:
        """Return whose request this is, as far as the trusted proxies say."""
        sent = self.environ.get("REMOTE_ADDR")
        return None if sent is None else str(sent).replace("\x00", "")[:64]

    @property
    def user_agent(self) -> str:
        """Return what the client calls itself."""
        return str(self.environ.get("HTTP_USER_AGENT", "")).replace("\x00", "")[:255]

    @property
    def target(self) -> str:
        """Return the path and query that were asked for, as they go over the wire."""
        query = self.environ.get("QUERY_STRING", "").replace("\x00", "")
        return quote(_path(self.environ), safe=SAFE_IN_PATHS) + (f"?{query}" if query else "")

    @property
    def credentials(self) -> tuple[str, ...]:
        """Return what stands in the header: masked wherever else it stands, be it a token of ours or not."""
        return tuple(self.authorization.split())

    @cached_property
    def asked(self) -> dict[str, object]:
        """Return the first value of each parameter of the query, by its name in lower case."""
        query = self.environ.get("QUERY_STRING", "")
        if not query:
            return {}
        sent = query.encode("latin-1").decode() if not query.isascii() else query
        pairs = parse_qsl(sent, keep_blank_values=True, errors="werkzeug.url_quote")
        return {name.lower(): value for name, value in dict(reversed(pairs)).items()}

    def header(self, name: str) -> str | None:
        """Return a header by its name in the environ."""
        return self.environ.get(name)

    def begin(self, caller: Caller, success: int) -> Exchange:
        """Return this request of a caller as the provisioning log keeps it."""
        credentials = self.credentials
        return Exchange(
            caller=caller,
            request_id=self.request_id,
            method=self.method,
            target=masking.mask_target(self.target, credentials),
            success=success,
            started=self.started,
            user_agent=masking.mask_text(self.user_agent, credentials),
            address=self.address,
            noun=self.noun,
            object_id=self.object_id,
            read_path=attribute_path,
        )


def at_hand() -> Call:
    """Return the call that Flask is answering."""
    found: Call | None = request.environ.get(CALL)
    if found is None:
        name, named = next(iter((request.view_args or {}).items()), ("", None))
        noun = name.removesuffix("_id") if name in ("user_id", "group_id") else None
        door = door_of(current_app)
        found = request.environ[CALL] = Call(request.environ, door, context.request_id(), noun, named if noun else None)
    return found


def _path(environ: "WSGIEnvironment") -> str:
    sent = environ.get("PATH_INFO", "")
    path: str = sent if sent.isascii() else sent.encode("latin-1").decode(errors="replace")
    return path.replace("\x00", "")
