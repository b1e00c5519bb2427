"""Errors as problem details (RFC 9457): what the REST API answers when it does not do what was asked."""

from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Response, request
from werkzeug.exceptions import HTTPException

from scim_bridge import errors
from scim_bridge.web import context
from scim_bridge.web.encoding import dump

CONTENT_TYPE = "application/problem+json"
URN = "urn:scim-bridge:problem:"

# The first class that fits decides; ``kind`` ends the problem's type.
KINDS: tuple[tuple[type[errors.BridgeError], HTTPStatus, str], ...] = (
    (errors.NotAuthenticated, HTTPStatus.UNAUTHORIZED, "not-authenticated"),
    (errors.TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests"),
    (errors.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    (errors.NotFound, HTTPStatus.NOT_FOUND, "not-found"),
    (errors.PreconditionFailed, HTTPStatus.PRECONDITION_FAILED, "precondition-failed"),
    (errors.NotUnique, HTTPStatus.CONFLICT, "not-unique"),
    (errors.Conflict, HTTPStatus.CONFLICT, "conflict"),
    (errors.Refused, HTTPStatus.FORBIDDEN, "refused"),
    (errors.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large"),
    (errors.Invalid, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"),
    (errors.StoreError, HTTPStatus.SERVICE_UNAVAILABLE, "store"),
    (errors.ClusterError, HTTPStatus.BAD_GATEWAY, "cluster"),
    (errors.BridgeError, HTTPStatus.INTERNAL_SERVER_ERROR, "failed"),
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request; ``field`` is its path, with dots."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem as it is answered; ``errors`` names the fields that are wrong, if the request was."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: tuple[FieldError, ...] = ()
    preview: object = field(default=None)


class InvalidFields(errors.Invalid):
    """Several fields of a request are wrong."""

    def __init__(self, found: tuple[FieldError, ...]) -> None:
        super().__init__(found[0].message, field=found[0].field)
        self.found = found


def answer_error(error: errors.BridgeError, *, at_home: bool = False) -> Response:
    """Return the problem that an error of ours is; only ``at_home`` it says which database cannot be used, and why."""
    status, kind = next((status, kind) for cls, status, kind in KINDS if isinstance(error, cls))
    found: tuple[FieldError, ...] = ()
    if isinstance(error, InvalidFields):
        found = error.found
    elif isinstance(error, errors.Invalid) and error.field is not None:
        found = (FieldError(error.field, str(error)),)
    # A conflict may carry what is so now, for who wants to decide anew.
    preview = getattr(error, "preview", None)
    headers = {}
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="SCIM Bridge"'
    detail = "The database cannot be used now." if isinstance(error, errors.StoreError) and not at_home else str(error)
    return _answer(kind, status, detail, headers, found, preview)


def answer_http(error: HTTPException) -> Response:
    """Return the problem that an error of HTTP itself is: no such path or method, a body too large."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        detail = f"This should not have happened; the log says more under {context.request_id()}."
    elif status == HTTPStatus.NOT_FOUND:
        detail = "There is nothing at this address."
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method} is not possible here."
    else:
        detail = f"{status.phrase}."
    allowed = {"Allow": ", ".join(sorted(getattr(error, "valid_methods", None) or ()))}
    headers = allowed if status == HTTPStatus.METHOD_NOT_ALLOWED else {}
    return _answer(status.phrase.lower().replace(" ", "-"), status, detail, headers)


def _answer(
    kind: str,
    status: HTTPStatus,
    detail: str,
    headers: dict[str, str],
    found: tuple[FieldError, ...] = (),
    preview: object = None,
) -> Response:
    document: dict[str, object] = {
        "type": URN + kind,
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "request_id": context.request_id(),
    }
    if found:
        document["errors"] = found
    if preview is not None:
        document["preview"] = preview
    return Response(dump(document), status, headers, content_type=CONTENT_TYPE)
