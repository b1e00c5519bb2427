"""
Errors as RFC 7644 §3.12 wants them: a status, a ``scimType`` where there is one, and a sentence for a person.

The sentence is what an administrator reads in the pages of Okta and Entra.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.exceptions import HTTPException

from scim_bridge.errors import (
    BridgeError,
    Conflict,
    Invalid,
    NotAuthenticated,
    NotFound,
    NotUnique,
    PreconditionFailed,
    Refused,
    StoreError,
    TooLarge,
    TooManyRequests,
    Unavailable,
)

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"
# Whole seconds: Okta takes a date, or none, for five minutes (idp-behaviour 1.31).
STORE_RETRY_SECONDS = 30

# The first class that fits; what is special stands before what it is a kind of.
STATUS: tuple[tuple[type[BridgeError], int, str | None], ...] = (
    (NotFound, 404, None),
    (NotUnique, 409, "uniqueness"),
    (PreconditionFailed, 412, None),
    (Conflict, 409, None),
    (NotAuthenticated, 401, None),
    (TooManyRequests, 429, None),
    (Unavailable, 503, None),
    (Refused, 403, None),
    (TooLarge, 413, None),
    (Invalid, 400, "invalidValue"),
    (StoreError, 503, None),
)
SENTENCES = {
    400: "The request cannot be read.",
    404: "There is no such endpoint here.",
    405: "This endpoint does not answer to that method.",
    408: "The request did not arrive in time.",
    413: "The body is larger than this server takes.",
    415: "The body must be application/scim+json or application/json, in UTF-8.",
    429: "Too many requests; try again later.",
    500: "Something went wrong here. The request id {request_id} finds the reason in the bridge's own log.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is answered."""

    status: int
    detail: str
    scim_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return the body; ``status`` is a string in it (RFC 7644 §3.12)."""
        kind = {"scimType": self.scim_type} if self.scim_type else {}
        return {"schemas": [ERROR_URN], "status": str(self.status), **kind, "detail": self.detail}


def problem_of(error: BridgeError) -> Problem:
    """Return what an error of ours is answered with."""
    for kind, status, scim_type in STATUS:
        if isinstance(error, kind):
            if isinstance(error, Invalid) and not isinstance(error, TooLarge):
                scim_type = error.scim_type or scim_type
            return Problem(status, _detail(error), scim_type, _headers(error))
    return Problem(500, "Something went wrong here.")


def problem_of_http(error: HTTPException, request_id: str) -> Problem:
    """Return what an error of the web framework is answered with; its own headers (Allow, Retry-After) are kept."""
    status = error.code or 500
    detail = SENTENCES.get(status, error.description or error.name).format(request_id=request_id)
    kept = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return Problem(status, detail, "invalidSyntax" if status == 400 else None, kept)


def _detail(error: BridgeError) -> str:
    # Where the database is and what its driver says is the operator's business, not the identity provider's.
    return "The database cannot be used just now." if isinstance(error, StoreError) else str(error)


def _headers(error: BridgeError) -> dict[str, str]:
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": 'Bearer realm="SCIM"'}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": str(STORE_RETRY_SECONDS)} if isinstance(error, StoreError) else {}
