"""
What holds for every route, read off the declarations: a route that is added later is in here by itself.

Another organization's caller gets 404 and nothing else, whoever lacks the permission 403, nobody at all 401.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from scim_bridge.api import door
from scim_bridge.api.operations import IN_ORGANIZATION, OPERATIONS, Entrance, Operation
from scim_bridge.identity.catalogue import built_in
from tests.api.rest import Person, Rest, open_rest, problem

assert door.PREFIX  # importing the door declares every operation

INSIDE = [each for each in OPERATIONS if each.path.startswith(IN_ORGANIZATION)]
GUARDED = [each for each in INSIDE if each.permission is not None]
WITH_TOKEN = [each for each in OPERATIONS if each.entrance is not Entrance.EVERYBODY]
SOME_ID = "01a20000-0000-7000-8000-000000000000"


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _path(operation: Operation, organization: str = "acme") -> str:
    path = operation.path.replace("<organization>", organization)
    while "<" in path:
        before, _, rest = path.partition("<")
        path = before + SOME_ID + rest.partition(">")[2]
    return path


def _send(person: Person, operation: Operation, organization: str = "acme") -> TestResponse:
    body: dict[str, object] | None = {} if operation.body is not None else None
    return person.request(operation.method, _path(operation, organization), body)


@pytest.mark.parametrize("operation", WITH_TOKEN, ids=_name)
def test_nobody_comes_in_without_a_token(local_rest: Rest, operation: Operation) -> None:
    stranger = Person(local_rest.app, "stranger", "sbp_none", "acme")

    assert problem(_send(stranger, operation)) == (401, "not-authenticated")


@pytest.mark.parametrize("operation", INSIDE, ids=_name)
def test_another_organizations_owner_sees_nothing(local_rest: Rest, operation: Operation) -> None:
    stranger = local_rest.once("boss", organization="evil", role="owner")

    there = problem(_send(stranger, operation, "acme"))
    nowhere = problem(_send(stranger, operation, "nowhere"))

    assert there == nowhere == (404, "not-found")


@pytest.mark.parametrize("operation", GUARDED, ids=_name)
def test_whoever_lacks_the_permission_is_refused(local_rest: Rest, operation: Operation) -> None:
    nobody = local_rest.once("nobody")

    assert problem(_send(nobody, operation)) == (403, "refused")


@pytest.mark.parametrize("operation", GUARDED, ids=_name)
def test_whoever_has_the_permission_comes_in(local_rest: Rest, operation: Operation) -> None:
    owner = local_rest.once("second", role="owner")

    # What happens then depends on the thing; a refusal for want of permission it is not.
    assert _send(owner, operation).status_code not in (401, 403, 500)


@pytest.mark.parametrize("operation", GUARDED, ids=_name)
def test_every_permission_that_a_route_asks_for_is_in_the_catalogue(operation: Operation) -> None:
    assert operation.permission in built_in().descriptions


@pytest.mark.parametrize("operation", INSIDE, ids=_name)
def test_every_route_that_changes_something_is_guarded_or_asks_at_the_place(operation: Operation) -> None:
    # A member needs no permission for what is theirs; these are all such routes.
    assert operation.permission is not None or operation.path.removeprefix(IN_ORGANIZATION) in OWN


OWN = {
    "/members/me",
    "/members/me/leave",
    "/members/<member>/access",
    "/members/<member>/effective-access",
    "/members/<member>/kubeconfig",
    "/members/<member>/tokens",
    "/tokens/<token>",
    "/members/<member>/sessions",
    "/sessions/<session>",
    "/grants",
    "/grants/remove",
}


@pytest.fixture(scope="module")
def local_rest(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """Open one application for the whole sweep: nothing in it changes what is asserted."""
    folder = tmp_path_factory.mktemp("sweep")
    copied = shutil.copy(migrated_sqlite, folder / "bridge.sqlite3")
    with open_rest(f"sqlite:///{copied}", folder, refused_per_minute=100_000, requests_burst=100_000) as opened:
        yield opened
