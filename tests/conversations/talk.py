"""One side of a conversation: wire files sent as the identity provider sends them, headers included."""

from dataclasses import dataclass
from typing import Any

import orjson
from werkzeug.test import TestResponse

from scim_bridge.simulator import wire
from tests.scim.doors import Directory, World, document

PERSON: dict[str, Any] = {
    "external_id": "00u1ada",
    "user_name": "ada@acme.example",
    "given_name": "Ada",
    "family_name": "King",
    "display_name": "Ada King",
    "email": "ada@acme.example",
    "title": "Analyst",
    "phone": "+44 (0)20-7946 0018",
    "department": "Engines",
    "employee_number": "1815",
    "password": "s3cret-of-ada",
}


def person(user_name: str, **values: Any) -> dict[str, Any]:
    """Return the values of another person."""
    own = {"user_name": user_name, "email": user_name, "external_id": f"id of {user_name}"}
    return {**PERSON, **own, **values}


@dataclass
class Talk:
    """A directory that speaks in wire files, and the world in which that has effects."""

    world: World
    directory: Directory

    def say(self, file: str, **values: Any) -> TestResponse:
        """Send the wire file ``dialect/name``, which must be one of that dialect's own."""
        dialect, _, name = file.partition("/")
        assert dialect in wire.DIALECTS
        assert name in wire.names(dialect), file
        sent = wire.render(dialect, name, {**PERSON, **values})
        headers = {"Authorization": f"Bearer {self.directory.token}", **dict(sent.headers)}
        if "User-Agent" not in headers:
            # Entra documents none; the test client's own would hide what a request without one does.
            headers["User-Agent"] = ""
        answer = self.directory.client.open(
            f"/scim/v2{sent.target}", method=sent.method, data=sent.body or None, headers=headers
        )
        if answer.status_code != 204:
            document(answer)
        return answer

    def create(self, file: str, **values: Any) -> str:
        """Send a wire file that creates something, and return its id."""
        answer = self.say(file, **values)
        assert answer.status_code == 201, answer.text
        return str(document(answer)["id"])

    def found(self, file: str, **values: Any) -> list[str]:
        """Send a wire file that looks something up, and return the ids found."""
        answer = self.say(file, **values)
        assert answer.status_code == 200, answer.text
        listed = document(answer)
        assert listed["totalResults"] == len(listed["Resources"])
        return [each["id"] for each in listed["Resources"]]

    def row(self, user_id: str) -> dict[str, Any]:
        """Return the stored row of a user."""
        return self.world.rows("scim_user", id=user_id)[0]

    def stored(self, user_id: str) -> dict[str, Any]:
        """Return the stored document of a user."""
        found = orjson.loads(self.row(user_id)["document"])
        assert isinstance(found, dict)
        return found

    def state(self, user_id: str) -> str:
        """Return whether the person behind a user has access."""
        return str(self.world.rows("member", id=self.row(user_id)["member_id"])[0]["state"])

    def group(self, group_id: str) -> dict[str, Any]:
        """Return the stored row of a group."""
        return self.world.rows("user_group", id=group_id)[0]

    def members(self, group_id: str) -> set[str]:
        """Return the stored members of a group."""
        return self.world.present_members(group_id)

    def parked(self, group_id: str) -> set[str]:
        """Return the members of a group that nobody knows yet."""
        return {row["value"] for row in self.world.rows("parked_member", group_id=group_id) if row["valid_to"] is None}

    def asked_for_removals(self) -> set[str]:
        """Return the members whose access somebody asked to take away."""
        return {row["member_id"] for row in self.world.rows("removal_request")}


def entries(*ids: str) -> list[dict[str, str]]:
    """Return members as wire files list them."""
    return [{"value": each, "display": f"{each}@acme.example"} for each in ids]
