"""
The REST API as verbs use it: the same requests, in this process for the terminal of the installation, or over HTTP.

Either way a verb gets the document that is answered, or the error of ours that the answer names.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from scim_bridge import errors

if TYPE_CHECKING:
    from scim_bridge.domain.actors import Actor
    from scim_bridge.identity.runtime import Runtime

PREFIX = "/api/v1"
SECONDS = 60.0
CLASSES: Mapping[int, type[errors.BridgeError]] = {
    401: errors.NotAuthenticated,
    403: errors.Refused,
    404: errors.NotFound,
    409: errors.Conflict,
    412: errors.PreconditionFailed,
    502: errors.ClusterError,
    503: errors.StoreError,
}
FIELDS = {400: errors.Invalid, 413: errors.TooLarge, 415: errors.Invalid, 422: errors.Invalid}


class Transport(Protocol):
    """How a request gets there: the status, the body and the headers that come back."""

    def __call__(self, method: str, target: str, body: bytes | None) -> tuple[int, bytes, Mapping[str, str]]:
        """Send a request; raises StoreError when there is no answer."""


class Api:
    """The API of one installation."""

    def __init__(self, transport: Transport) -> None:
        self._send = transport

    def get(self, path: str, **query: object) -> Any:
        """Read a document."""
        return self.call("GET", path, query=query)

    def post(self, path: str, body: object = None, **query: object) -> Any:
        """Make something, or have something done."""
        return self.call("POST", path, {} if body is None else body, query)

    def patch(self, path: str, body: object) -> Any:
        """Change something."""
        return self.call("PATCH", path, body)

    def put(self, path: str, body: object) -> Any:
        """Let something be as the body says."""
        return self.call("PUT", path, body)

    def delete(self, path: str, **query: object) -> Any:
        """Take something away."""
        return self.call("DELETE", path, query=query)

    def every(self, path: str, **query: object) -> Iterator[Any]:
        """Yield the items of a list, page after page."""
        cursor = None
        while True:
            page = self.get(path, **query, limit=1000, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def call(self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None) -> Any:
        """Send a request and return the document that it is answered with, None for none."""
        sent = {name: value for name, value in (query or {}).items() if value is not None}
        target = PREFIX + path + (f"?{urlencode(sent, doseq=True)}" if sent else "")
        status, answer, headers = self._send(method, target, None if body is None else json.dumps(body).encode())
        kind = headers.get("Content-Type", "").partition(";")[0]
        if status >= 400:
            raise _error(status, answer, headers)
        if not answer:
            return None
        return json.loads(answer) if kind.endswith(("/json", "+json")) else answer.decode()


def segment(text: str) -> str:
    """Return a name as one segment of a path."""
    return quote(text, safe="")


def path_of(text: str) -> str:
    """Return a path of names, like a unit's, as segments of a path."""
    return quote(text, safe="/")


def local(runtime: "Runtime", actor: "Actor") -> Api:
    """Return the API of this very installation: what a person at its terminal asks needs no token."""
    from scim_bridge.api.calls import LOCAL_ACTOR
    from scim_bridge.app import create_local_api

    client = create_local_api(runtime).test_client(use_cookies=False)

    def send(method: str, target: str, body: bytes | None) -> tuple[int, bytes, Mapping[str, str]]:
        answer = client.open(
            target,
            method=method,
            data=body,
            content_type="application/json" if body is not None else None,
            environ_overrides={LOCAL_ACTOR: actor},
        )
        return answer.status_code, answer.data, dict(answer.headers)

    return Api(send)


def remote(url: str, token: str | None) -> Api:
    """Return the API of the installation at an address."""
    import urllib3

    pool = urllib3.PoolManager(timeout=SECONDS, retries=False)
    headers = {"Authorization": f"Bearer {token or ''}", "Accept": "application/json"}

    def send(method: str, target: str, body: bytes | None) -> tuple[int, bytes, Mapping[str, str]]:
        typed = headers if body is None else {**headers, "Content-Type": "application/json"}
        try:
            answer = pool.request(method, url.rstrip("/") + target, body=body, headers=typed, redirect=False)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise errors.StoreError(f"{url} does not answer: {error}.") from None
        return answer.status, answer.data, dict(answer.headers)

    return Api(send)


def _error(status: int, answer: bytes, headers: Mapping[str, str]) -> errors.BridgeError:
    try:
        problem = json.loads(answer)
        detail, fields = str(problem["detail"]), problem.get("errors") or []
    except (ValueError, KeyError, TypeError):
        return errors.StoreError(f"The answer was {status} and no bridge's: is the address right?")
    if status == 429:
        return errors.TooManyRequests(detail, int(headers.get("Retry-After", "1")))
    if status in FIELDS:
        field = fields[0]["field"] if fields else None
        sentence = detail if field is None or field in detail or len(fields) == 1 else f"{field}: {detail}"
        return FIELDS[status](sentence, field)
    found = CLASSES.get(status, errors.BridgeError)(detail)
    found.preview = problem.get("preview")  # type: ignore[attr-defined] # a conflict may carry what is so now
    return found
