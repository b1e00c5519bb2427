"""
The HTTP side of a simulated identity provider: one request out, one answer in, measured.

An answer of 400 or more, and no answer at all, are raised as RequestFailed. Patience is limited to what Okta honours:
whole seconds in Retry-After.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import urllib3

from scim_bridge.errors import Invalid, RequestFailed
from scim_bridge.simulator.wire import Request

# Okta closes the socket after a minute (idp-behaviour 1.29), and gives a task up after ten tries (1.31).
ANSWER_WITHIN = 60.0
TRIES = 10
LONGEST_WAIT = 120


@dataclass(frozen=True)
class Answer:
    """What came back; ``answered_at`` is the monotonic clock's time, ``seconds`` how long it took."""

    status: int
    body: dict[str, Any] = field(repr=False)
    answered_at: float
    seconds: float
    content_type: str = ""

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Return what a ListResponse holds."""
        found: list[dict[str, Any]] = self.body.get("Resources") or []
        return found


class Client:
    """Sends requests with a directory's token; ``latencies`` holds the seconds of every one that was answered."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base_url = _without_query(base_url)
        self.latencies: list[float] = []
        self._token = token
        self._tries = tries
        self._sleep = sleep
        self._clock = clock
        self._pool = urllib3.PoolManager(retries=False, timeout=ANSWER_WITHIN, maxsize=8)

    def send(self, request: Request) -> Answer:
        """Send a request, again when told so by Retry-After; raises RequestFailed, with the server's own words."""
        for _ in range(self._tries - 1):
            response, answer = self._exchange(request)
            wait = _told_to_wait(response)
            if wait is None:
                break
            self._sleep(wait)
        else:
            response, answer = self._exchange(request)
        if answer.status >= 400:
            raise RequestFailed(request.method, request.target, answer.status, _detail(answer, response), answer.body)
        return answer

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.clear()

    def _exchange(self, request: Request) -> tuple[urllib3.BaseHTTPResponse, Answer]:
        started = self._clock()
        try:
            response = self._pool.request(
                request.method,
                self.base_url + request.target,
                headers=self._headers(request),
                body=request.body or None,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise RequestFailed(request.method, request.target, None, str(error)) from error
        answered_at = self._clock()
        self.latencies.append(answered_at - started)
        kind = response.headers.get("Content-Type", "")
        return response, Answer(response.status, _document(response), answered_at, answered_at - started, kind)

    def _headers(self, request: Request) -> Mapping[str, str]:
        # Entra documents no User-Agent: rather none than urllib3's.
        plain = {"User-Agent": urllib3.util.SKIP_HEADER, "Authorization": f"Bearer {self._token}"}
        return plain | dict(request.headers)


def _without_query(base_url: str) -> str:
    # Entra's administrators type a flag behind the address (idp-behaviour 2.1).
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Invalid(f"{base_url} is no SCIM base URL; it looks like https://host/scim/v2.", field="base_url")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _told_to_wait(response: urllib3.BaseHTTPResponse) -> int | None:
    if response.status not in (429, 503):
        return None
    told = response.headers.get("Retry-After", "")
    # A date, or none, makes Okta wait five minutes (idp-behaviour 1.31): for a simulator that is a failure to show.
    return int(told) if told.isascii() and told.isdigit() and int(told) <= LONGEST_WAIT else None


def _document(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        document = orjson.loads(response.data or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _detail(answer: Answer, response: urllib3.BaseHTTPResponse) -> str:
    said = answer.body.get("detail")
    return str(said) if said else (response.reason or "no detail")
