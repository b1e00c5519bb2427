"""What a cluster answered, as an error that tells a caller what to do."""

from typing import Any

import orjson
import pytest

from scim_bridge.clusters.errors import LONGEST_MESSAGE, Answer, from_answer, read_answer
from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterThrottled,
    ClusterUnreachable,
    StaleBinding,
)


def answer(
    status: int, reason: str = "", message: str = "said so", headers: dict[str, str] | None = None, **details: Any
) -> Answer:
    """Return a Status object of Kubernetes."""
    document = {"kind": "Status", "status": "Failure", "message": message, "reason": reason, "code": status}
    if details:
        document["details"] = details
    return read_answer(status, headers or {}, orjson.dumps(document))


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (answer(400, "BadRequest"), ClusterRejected),
        (answer(401, "Unauthorized"), ClusterDenied),
        (answer(403, "Forbidden"), ClusterDenied),
        (answer(403, "Forbidden", causes=[{"reason": "NamespaceTerminating"}]), ClusterRejected),
        (answer(403, "Forbidden", causes=[{"reason": "SomethingElse"}, "x"]), ClusterDenied),
        (answer(403, "Forbidden", causes="NamespaceTerminating"), ClusterDenied),
        (answer(404, "NotFound"), ClusterRejected),
        (answer(409, "AlreadyExists"), StaleBinding),
        (answer(409, "Conflict"), StaleBinding),
        (answer(410, "Expired"), ClusterUnreachable),
        (answer(413, "RequestEntityTooLarge"), ClusterRejected),
        (answer(415, "UnsupportedMediaType"), ClusterRejected),
        (answer(422, "Invalid"), ClusterRejected),
        (answer(429, "TooManyRequests"), ClusterThrottled),
        (answer(500, "InternalError"), ClusterUnreachable),
        (answer(500, "", "etcdserver: request is too large"), ClusterRejected),
        (answer(503, "ServiceUnavailable", "request is too large"), ClusterUnreachable),
        (answer(504, "Timeout"), ClusterUnreachable),
        (answer(302), ClusterUnreachable),
        (answer(100), ClusterUnreachable),
        (read_answer(404, {}, b"404 page not found\n"), ClusterUnreachable),
        (read_answer(404, {}, b'{"error": "no such route"}'), ClusterUnreachable),
        (read_answer(400, {}, b"Client sent an HTTP request to an HTTPS server."), ClusterUnreachable),
        (read_answer(403, {}, b"<html>blocked</html>"), ClusterDenied),
        (read_answer(413, {}, b"<html>nginx</html>"), ClusterRejected),
        (read_answer(502, {}, b""), ClusterUnreachable),
    ],
)
def test_an_answer_is_an_error_that_says_what_to_do(found: Answer, error: type[ClusterError]) -> None:
    raised = from_answer(found, "Doing it")

    assert type(raised) is error
    assert str(raised).startswith("Doing it: ")


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        ("7", {}, 7),
        ("0", {}, 0),
        (None, {"retryAfterSeconds": 3}, 3),
        ("2", {"retryAfterSeconds": 3}, 2),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {}, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {"retryAfterSeconds": 3}, 3),
        ("-1", {}, None),
        ("inf", {}, None),
        ("nan", {}, None),
        ("1e9", {}, None),
        (None, {"retryAfterSeconds": None}, None),
        (None, {}, None),
    ],
)
def test_patience_is_a_number_of_seconds_or_unknown(
    header: str | None, details: dict[str, Any], seconds: float | None
) -> None:
    headers = {"Retry-After": header} if header is not None else {}

    raised = from_answer(answer(429, "TooManyRequests", headers=headers, **details), "Listing")

    assert isinstance(raised, ClusterThrottled)
    assert raised.retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"null", b"[]", b"3", b'"x"', b"{", b'{"kind": 5}'])
def test_a_body_may_be_anything(body: bytes) -> None:
    found = read_answer(500, {}, body)

    assert found.reason == ""
    assert found.message
    assert found.causes == []
    assert not found.says_gone("x")


def test_a_long_message_is_cut() -> None:
    found = read_answer(500, {}, b"x" * 100_000)

    assert len(str(from_answer(found, "Listing"))) <= LONGEST_MESSAGE + len("Listing: ")


@pytest.mark.parametrize(
    ("found", "gone"),
    [
        (answer(404, "NotFound", name="b"), True),
        (answer(404, "NotFound", name="another"), False),
        (answer(404, "NotFound"), False),
        (answer(404, name="b"), False),
        (answer(410, "NotFound", name="b"), False),
        (answer(404, "NotFound", name=["b"]), False),
        (read_answer(404, {}, b"404 page not found"), False),
        (read_answer(404, {}, b'{"reason": "NotFound", "details": {"name": "b"}}'), False),
        (read_answer(404, {}, b'{"kind": "Status", "reason": "NotFound", "details": "b"}'), False),
    ],
)
def test_only_kubernetes_itself_says_that_this_object_is_gone(found: Answer, gone: bool) -> None:
    assert found.says_gone("b") is gone


def test_a_success_of_another_kind_is_no_success() -> None:
    found = read_answer(200, {}, b'{"kind": "PodList"}')

    with pytest.raises(ClusterUnreachable, match="'PodList' instead of a RoleBinding"):
        found.of_kind("RoleBinding", "Reading b")
