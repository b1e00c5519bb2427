"""The REST door with people who knock at it: one organization with every role, and another one beside it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from scim_bridge.app import create_app, open_runtime
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.identity import api_tokens, grants, organizations
from scim_bridge.identity.api_tokens import ApiTokenWanted
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.store.organizations import find_organization
from scim_bridge.store.people import find_account, insert_account, insert_member
from scim_bridge.web.context import EXTENSION
from tests.identity.rows import begin

ACTOR = Actor(ActorKind.CLI, "tests")


@dataclass
class Person:
    """Somebody with a token."""

    app: Flask
    name: str
    token: str
    organization: str
    headers: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """Send a request; the path begins after ``/api/v1``."""
        sent = {"Authorization": f"Bearer {self.token}", **self.headers, **(headers or {})}
        data = None if body is None else orjson.dumps(body)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.app.test_client().open(f"/api/v1{path}", method=method, data=data, headers=sent)

    def inside(self, method: str, path: str, body: object = None) -> TestResponse:
        """Send a request about the person's own organization."""
        return self.request(method, f"/organizations/{self.organization}{path}", body)

    def ok(self, method: str, path: str, body: object = None) -> Any:
        """Send a request about the person's own organization that succeeds; return the document."""
        answer = self.inside(method, path, body)
        assert answer.status_code < 300, answer.text
        return orjson.loads(answer.data) if answer.data else None

    def items(self, path: str) -> list[Any]:
        """Return the first page of a list of the person's own organization."""
        found = self.ok("GET", path)["items"]
        assert isinstance(found, list)
        return found


@dataclass
class Rest:
    """The application, its database, and how people come to it."""

    app: Flask
    database: Database
    settings: Settings
    known: dict[tuple[str, str], Person] = field(default_factory=dict)

    @property
    def runtime(self) -> Runtime:
        """Return what the application's process is made of."""
        found = self.app.extensions[EXTENSION]
        assert isinstance(found, Runtime)
        return found

    def person(self, name: str, *, organization: str = "acme", **wanted: Any) -> Person:
        """Make an active member with nothing granted, and a token for them."""
        email = f"{name}@{organization}.example"
        organizations.create(self.database, ACTOR, organization)
        with self.database.write() as connection:
            change = begin(connection, organization)
            account = find_account(connection, email) or insert_account(connection, change, email)
            insert_member(connection, change, account, email)
        return self.token_of(email, organization=organization, **wanted)

    def token_of(self, email: str, *, organization: str = "acme", **wanted: Any) -> Person:
        """Make a token for somebody who is there."""
        made = api_tokens.create(self.database, ACTOR, organization, email, ApiTokenWanted(**wanted))
        return Person(self.app, email, made.text, organization)

    def grant(self, person: Person, role: str, scope: str = "organization") -> None:
        """Grant an API role by hand."""
        grants.add(self.database, ACTOR, person.organization, GrantWanted(scope, person=person.name, api_role=role))

    def with_role(self, role: str, *, organization: str = "acme", scope: str = "organization") -> Person:
        """Return a new person with one API role."""
        made = self.person(role.replace("_", "-"), organization=organization)
        self.grant(made, role, scope)
        return made

    def once(self, name: str, *, organization: str = "acme", role: str | None = None) -> Person:
        """Return the same person each time; for sweeps that change nothing about them."""
        if (organization, name) not in self.known:
            made = self.person(name, organization=organization)
            if role is not None:
                self.grant(made, role)
            self.known[organization, name] = made
        return self.known[organization, name]

    def organization_id(self, slug: str = "acme") -> str:
        """Return an organization's id."""
        with self.database.read() as connection:
            found = find_organization(connection, slug)
        assert found is not None
        return found.id


@contextmanager
def open_rest(database_url: str, home: Path, **settings: Any) -> Iterator[Rest]:
    """Open an application on a database that is migrated already, with the organization acme and its owner."""
    chosen = Settings(home=home, database_url=SecretStr(database_url), base_url="https://bridge.example", **settings)
    opened = open_runtime(chosen)
    rest = Rest(create_app(chosen, opened), opened.database, chosen)
    organizations.create(rest.database, ACTOR, "acme", owner="owner@acme.example")
    yield rest
    opened.database.dispose()


def document(answer: TestResponse) -> Any:
    """Return what an answer holds."""
    return orjson.loads(answer.data)


def problem(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the kind of a problem; its detail is a sentence for a person."""
    assert answer.content_type == "application/problem+json", answer.text
    found = orjson.loads(answer.data)
    assert found["status"] == answer.status_code
    assert found["detail"].endswith("."), found["detail"]
    assert "Traceback" not in answer.text
    return answer.status_code, found["type"].removeprefix("urn:scim-bridge:problem:")


def fields(answer: TestResponse) -> set[str]:
    """Return the names of the fields that a problem marks."""
    return {each["field"] for each in orjson.loads(answer.data).get("errors", ())}
