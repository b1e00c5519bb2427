"""A directory of acme as its identity provider and its admin see it."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scim_bridge.web.context import journal_of
from tests.api.rest import Person, Rest
from tests.scim.doors import Directory


def connect(rest: Rest, admin: Person, name: str = "okta", **wanted: Any) -> Directory:
    """Connect a directory over the REST API, and return its identity provider's side."""
    made = admin.ok("POST", "/directories", {"name": name, "kind": "okta", **wanted})
    client: FlaskClient = rest.app.test_client()
    return Directory(client, made["token"], name)


def logged(rest: Rest, admin: Person, query: str = "") -> list[Any]:
    """Return what the log of the directory okta shows."""
    journal_of(rest.app).flush()
    return admin.items(f"/directories/okta/log{query}")


def statuses(person: Person, routes: list[tuple[str, str, object]]) -> set[int]:
    """Return what a person is answered at these routes."""

    def send(method: str, path: str, body: object) -> TestResponse:
        return person.inside(method, path, body)

    return {send(*route).status_code for route in routes}
