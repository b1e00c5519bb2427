"""Every error of ours has a status, and a sentence that may be shown."""

import pytest
from werkzeug.exceptions import BadRequest, HTTPException, ImATeapot, MethodNotAllowed, TooManyRequests

from scim_bridge import errors
from scim_bridge.scim.errors import problem_of, problem_of_http

TABLE: list[tuple[errors.BridgeError, int, str | None]] = [
    (errors.NotFound("It is not here."), 404, None),
    (errors.NotUnique("It is taken."), 409, "uniqueness"),
    (errors.PreconditionFailed("It has changed."), 412, None),
    (errors.Conflict("It is there."), 409, None),
    (errors.NotAuthenticated("Who?"), 401, None),
    (errors.TooManyRequests("Later.", 3), 429, None),
    (errors.Unavailable("Later.", retry_after=7), 503, None),
    (errors.Refused("No."), 403, None),
    (errors.TooLarge("Too much.", scim_type="invalidValue"), 413, None),
    (errors.Invalid("What?"), 400, "invalidValue"),
    (errors.Invalid("What?", scim_type="invalidFilter"), 400, "invalidFilter"),
    (errors.StoreError("sqlite:///secret/place cannot be used."), 503, None),
    (errors.ClusterUnreachable("10.0.0.1 timed out."), 500, None),
    (errors.BridgeError("anything"), 500, None),
]


@pytest.mark.parametrize(("error", "status", "scim_type"), TABLE, ids=lambda value: type(value).__name__)
def test_each_error_is_answered_by_the_table(error: errors.BridgeError, status: int, scim_type: str | None) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.scim_type) == (status, scim_type)
    assert problem.document()["status"] == str(status)
    assert ("scimType" in problem.document()) == (scim_type is not None)


def test_every_error_that_can_reach_the_door_is_in_the_table() -> None:
    # What people, clusters, receivers and mail servers meet; no request of an identity provider does.
    elsewhere = (
        errors.SimulatorError,
        errors.ClusterError,
        errors.MailError,
        errors.SyslogUndelivered,
        errors.WebhookUndelivered,
        errors.PreviewOutdated,
        errors.SignInNotAccepted,
    )
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BridgeError)}
    ours = {kind for kind in kinds if not issubclass(kind, elsewhere)}

    assert ours - {type(error) for error, _, _ in TABLE} == set()


def test_patience_is_asked_for_in_whole_seconds_and_credentials_by_name() -> None:
    assert problem_of(errors.Unavailable("Later.", retry_after=7)).headers == {"Retry-After": "7"}
    assert problem_of(errors.StoreError("x")).headers["Retry-After"].isdigit()
    assert problem_of(errors.NotAuthenticated("Who?")).headers == {"WWW-Authenticate": 'Bearer realm="SCIM"'}


@pytest.mark.parametrize("error", [errors.StoreError("sqlite:///secret/place"), errors.ClusterError("10.0.0.1")])
def test_where_things_are_is_not_told(error: errors.BridgeError) -> None:
    assert "secret" not in problem_of(error).detail
    assert "10.0.0.1" not in problem_of(error).detail


@pytest.mark.parametrize(
    ("error", "status", "scim_type", "header"),
    [
        (BadRequest("internal words"), 400, "invalidSyntax", None),
        (MethodNotAllowed(valid_methods=["GET"]), 405, None, ("Allow", "GET")),
        (TooManyRequests(retry_after=9), 429, None, ("Retry-After", "9")),
        (ImATeapot(), 418, None, None),
    ],
)
def test_the_frameworks_errors_keep_their_headers(
    error: HTTPException, status: int, scim_type: str | None, header: tuple[str, str] | None
) -> None:
    problem = problem_of_http(error, "r1")

    assert (problem.status, problem.scim_type) == (status, scim_type)
    assert "internal words" not in problem.detail
    assert header is None or problem.headers[header[0]] == header[1]
    assert "Content-Type" not in problem.headers
