"""
What a cluster answered, as our own errors: the one place that knows.

    the answer                                       the error
    401, 403                                         ClusterDenied
    403 because the namespace is being deleted       ClusterRejected
    404, 400, 405, 415, 422 of Kubernetes itself,    ClusterRejected
      413, and the 500 "request is too large"
    409, whoever was first                           StaleBinding
    429                                              ClusterThrottled
    everything else: other 5xx, redirects, 410,      ClusterUnreachable
      a 404 of some proxy, no answer, half an
      answer, no JSON, an answer of another kind

Why our own: a caller decides by class whether to wait, to read again or to tell a person, and must never take an
answer that says nothing ("404 page not found" of some proxy) for one that says "not there".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterThrottled,
    ClusterUnreachable,
    StaleBinding,
)

PERMANENT = (400, 404, 405, 406, 415, 422)
LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that arrived whole; ``document`` is None when it is no JSON object."""

    status: int
    headers: Mapping[str, str]
    document: dict[str, Any] | None
    text: str = field(default="", repr=False)

    @property
    def is_ok(self) -> bool:
        """Tell whether the request was done."""
        return 200 <= self.status <= 299

    @property
    def reason(self) -> str:
        """Return Kubernetes' one word for what is wrong, empty when the answer is not one of its Status objects."""
        found = self.document or {}
        return str(found.get("reason", "")) if found.get("kind") == "Status" else ""

    @property
    def message(self) -> str:
        """Return what the cluster said, cut to a readable length."""
        found = (self.document or {}).get("message") or self.text.strip()
        return str(found)[:LONGEST_MESSAGE] or f"HTTP status {self.status}"

    @property
    def details(self) -> Mapping[str, Any]:
        """Return which object a refusal is about."""
        found = (self.document or {}).get("details")
        return found if isinstance(found, dict) and self.reason else {}

    @property
    def causes(self) -> list[Mapping[str, Any]]:
        """Return the single reasons of a refusal."""
        found = self.details.get("causes")
        return [cause for cause in found if isinstance(cause, dict)] if isinstance(found, list) else []

    def says_gone(self, name: str) -> bool:
        """Tell whether Kubernetes itself says that this very object does not exist."""
        return self.status == 404 and self.reason == "NotFound" and self.details.get("name") == name

    def of_kind(self, kind: str, about: str) -> dict[str, Any]:
        """Return the document of a successful answer, or raise what the answer means."""
        if not self.is_ok:
            raise from_answer(self, about)
        if self.document is None or self.document.get("kind") != kind:
            found = "no JSON" if self.document is None else repr(self.document.get("kind"))
            raise ClusterUnreachable(f"{about}: the cluster answered with {found} instead of a {kind}.")
        return self.document


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Read an answer's body, which may be anything."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Answer(status, headers, None, body[:LONGEST_MESSAGE].decode(errors="replace"))
    return Answer(status, headers, document if isinstance(document, dict) else None)


def from_answer(answer: Answer, about: str) -> ClusterError:
    """Return the error that an unsuccessful answer means; ``about`` says in a few words what was asked."""
    message = f"{about}: {answer.message}"
    if answer.status == 403 and any(cause.get("reason") == "NamespaceTerminating" for cause in answer.causes):
        return ClusterRejected(message)
    if answer.status in (401, 403):
        return ClusterDenied(message)
    if answer.status == 409:
        return StaleBinding(message)
    if answer.status == 429:
        return ClusterThrottled(message, _retry_after(answer))
    if _is_too_large(answer) or (answer.status in PERMANENT and answer.reason):
        return ClusterRejected(message)
    if 300 <= answer.status <= 399:
        return ClusterUnreachable(f"{about}: redirected, which is not followed; register the API server's own address.")
    return ClusterUnreachable(message)


def _is_too_large(answer: Answer) -> bool:
    """Tell whether the object is too large: for the server or a proxy before it (413), or for etcd (a 500)."""
    return answer.status == 413 or (answer.status == 500 and "request is too large" in answer.message)


def _retry_after(answer: Answer) -> float | None:
    for found in (answer.headers.get("Retry-After"), answer.details.get("retryAfterSeconds")):
        try:
            seconds = float(str(found))
        except ValueError:
            continue
        # "inf" and "nan" are numbers too.
        if 0 <= seconds <= 86_400:
            return seconds
    return None


def from_transport(error: HTTPError, server: str, timeouts: tuple[float, float]) -> ClusterUnreachable:
    """Return the error for a request that got no answer, or only a part of one."""
    return ClusterUnreachable(f"{server} {_what_happened(error, timeouts)}.")


def _what_happened(error: HTTPError, timeouts: tuple[float, float]) -> str:
    if isinstance(error, urllib3.exceptions.ProxyError):
        return f"cannot be reached through its proxy: {_cause(error)}"
    if isinstance(error, NameResolutionError):
        return "cannot be found: its name does not resolve"
    if isinstance(error, NewConnectionError):
        return f"cannot be reached: {_cause(error)}"
    if isinstance(error, ConnectTimeoutError):
        return f"did not take a connection within {timeouts[0]:g} s"
    if isinstance(error, ReadTimeoutError):
        return f"did not answer within {timeouts[1]:g} s"
    if isinstance(error, SSLError):
        return f"has no certificate that can be trusted: {error}"
    return "broke the connection before its answer was whole"


def _cause(error: BaseException) -> str:
    cause = error.__cause__ or error
    return getattr(cause, "strerror", None) or type(cause).__name__
