"""The whole application with directories in it, spoken to as an identity provider does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from scim_bridge.app import create_app, open_runtime
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import directories, organizations
from scim_bridge.settings import Settings
from scim_bridge.store import schema
from scim_bridge.store.database import Database
from scim_bridge.web.context import journal_of

ACTOR = Actor(ActorKind.CLI, "tests")
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass
class Directory:
    """One identity provider's connection: requests go out with its token."""

    client: FlaskClient
    token: str
    name: str
    headers: dict[str, str] = field(default_factory=dict)

    def request(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> TestResponse:
        """Send a request; the target begins after the base URL."""
        sent = {"Authorization": f"Bearer {self.token}", **self.headers, **(headers or {})}
        data = raw if raw is not None else None if body is None else orjson.dumps(body)
        if data is not None:
            sent.setdefault("Content-Type", "application/scim+json")
        return self.client.open(f"/scim/v2{target}", method=method, data=data, headers=sent)

    def get(self, target: str, **headers: str) -> TestResponse:
        """Send a GET."""
        return self.request("GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, target: str, body: object) -> TestResponse:
        """Send a POST."""
        return self.request("POST", target, body)

    def put(self, target: str, body: object) -> TestResponse:
        """Send a PUT."""
        return self.request("PUT", target, body)

    def patch(self, target: str, *operations: Mapping[str, Any]) -> TestResponse:
        """Send a PATCH of these operations."""
        return self.request("PATCH", target, {"schemas": [PATCH_URN], "Operations": list(operations)})

    def delete(self, target: str) -> TestResponse:
        """Send a DELETE."""
        return self.request("DELETE", target)

    def create_user(self, user_name: str, **attributes: Any) -> str:
        """Add a user and return their id."""
        answer = self.post("/Users", {"schemas": [USER_URN], "userName": user_name, **attributes})
        assert answer.status_code == 201, answer.text
        return str(document(answer)["id"])

    def create_group(self, name: str, *member_ids: str) -> str:
        """Add a group with these members and return its id."""
        members = [{"value": member_id} for member_id in member_ids]
        answer = self.post("/Groups", {"displayName": name, "members": members})
        assert answer.status_code == 201, answer.text
        return str(document(answer)["id"])

    def user(self, user_id: str) -> dict[str, Any]:
        """Return a user as the directory reads it."""
        answer = self.get(f"/Users/{user_id}")
        assert answer.status_code == 200, answer.text
        return document(answer)

    def members(self, group_id: str) -> set[str]:
        """Return the ids of a group's members as the directory reads them."""
        answer = self.get(f"/Groups/{group_id}")
        assert answer.status_code == 200, answer.text
        return {member["value"] for member in document(answer)["members"]}

    def names(self, target: str) -> list[str]:
        """Return what a list finds, by name."""
        answer = self.get(target)
        assert answer.status_code == 200, answer.text
        found = document(answer)["Resources"]
        return [str(each.get("userName") or each.get("displayName") or each["id"]) for each in found]


@dataclass
class World:
    """An application and the database behind it."""

    app: Flask
    database: Database
    settings: Settings

    def connect(self, organization: str, name: str, kind: DirectoryKind = DirectoryKind.GENERIC) -> Directory:
        """Connect a directory of an organization, which is made if it is not there."""
        organizations.create(self.database, ACTOR, organization)
        made = directories.create(self.database, ACTOR, organization, name, kind)
        assert made.token is not None
        return Directory(self.app.test_client(), made.token.text, name)

    def rows(self, table: str, **where: object) -> list[dict[str, Any]]:
        """Return the rows of a table, oldest first."""
        found = schema.metadata.tables[table]
        query = sa.select(found).where(*(found.c[name] == value for name, value in where.items()))
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(query.order_by(*found.primary_key)).mappings()]

    def log(self) -> list[dict[str, Any]]:
        """Return the provisioning log, what still waits to be written included."""
        journal_of(self.app).flush()
        return self.rows("provisioning_log")

    def put_values(self, table: str, row_id: str, **values: object) -> None:
        """Change a row as no door does."""
        found = schema.metadata.tables[table]
        with self.database.write() as connection:
            connection.execute(sa.update(found).where(found.c.id == row_id).values(**values))

    def present_members(self, group_id: str) -> set[str]:
        """Return the SCIM users that the stored group holds now."""
        return {row["scim_user_id"] for row in self.rows("membership", group_id=group_id) if row["valid_to"] is None}


@contextmanager
def open_world(database_url: str, home: Path, **settings: Any) -> Iterator[World]:
    """Open an application on a database that is migrated already."""
    # A test asks as fast as it can; those about limits say their own.
    settings = {"requests_burst": 1_000_000, **settings}
    chosen = Settings(home=home, database_url=SecretStr(database_url), base_url="https://scim.example", **settings)
    opened = open_runtime(chosen)
    world = World(create_app(chosen, opened), opened.database, chosen)
    yield world
    # What waits is written while the database is still there.
    journal_of(world.app).flush()
    opened.database.dispose()


def document(answer: TestResponse) -> dict[str, Any]:
    """Return what an answer holds; every answer of the door is SCIM."""
    assert answer.content_type == "application/scim+json", answer.content_type
    found = orjson.loads(answer.data)
    assert isinstance(found, dict)
    return found


def refusal(answer: TestResponse) -> tuple[int, str | None]:
    """Return the status and scimType of a SCIM error; its sentence is one for a person."""
    found = document(answer)
    assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert found["status"] == str(answer.status_code)
    assert found["detail"].endswith("."), found["detail"]
    assert "Traceback" not in answer.text
    return answer.status_code, found.get("scimType")


def replace(path: str, value: Any) -> dict[str, Any]:
    """Return a replace operation."""
    return {"op": "replace", "path": path, "value": value}
