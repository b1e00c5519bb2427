"""
Okta: apps of its integration network ("okta"), and apps of the wizard ("okta-aiw"), which PUT everything.

Group Push follows Okta's order: the group, then its name without a path, then members, then its name again.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from scim_bridge.errors import RequestFailed
from scim_bridge.simulator.client import Answer, Client
from scim_bridge.simulator.company import Company, Group, Person
from scim_bridge.simulator.provider import IdentityProvider
from scim_bridge.simulator.wire import Dialect, Values


class Okta(IdentityProvider):
    """Plays Okta; it never deletes a person (idp-behaviour 1.17)."""

    def __init__(self, client: Client, company: Company, dialect: Dialect = "okta") -> None:
        super().__init__(client, company, dialect)

    def test_connection(self) -> None:
        """Read the first people and the first groups, as the connector's test does."""
        self._send("test-connection-users")
        self._send("test-connection-groups")

    def import_users(self) -> list[dict[str, Any]]:
        """Read everybody the server knows, page by page, until totalResults is reached."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self._send("users-import", {"start_index": len(found) + 1})
            found += answer.resources
            if not answer.resources or len(found) >= answer.body["totalResults"]:
                return found

    def push_now(self, group_name: str) -> None:
        """Send the whole group with all its members, as the button "Push now" does."""
        group = self.company.group(group_name)
        members = self._entries(self.company.members(group))
        name = "group-replace" if self.dialect == "okta-aiw" else "group-members-replace"
        self._send(name, {"id": self._group_id(group), "group_name": group.name, "members": members})

    def _provision(self, person: Person) -> None:
        found = self._find("user-lookup", {"user_name": person.user_name})
        if found is None:
            self.user_ids[person.key] = self._create("user-create", values_of(person))
        else:
            # A person who is there already gets Okta's profile, and is active by it.
            self.user_ids[person.key] = found
            self._replace(person, found)

    def _rename(self, person: Person, user_id: str) -> None:
        self._replace(person, user_id)

    def _replace(self, person: Person, user_id: str) -> None:
        self._send("user-get", {"id": user_id})
        self._send("user-replace", values_of(person) | {"id": user_id})

    def _deactivate(self, person: Person, user_id: str) -> Answer:
        return self._send("user-deactivate", values_of(person) | {"id": user_id})

    def _activate(self, person: Person, user_id: str) -> None:
        self._send("user-activate", values_of(person) | {"id": user_id})

    def _push(self, group: Group) -> None:
        found = self._find("group-lookup", {"group_name": group.name})
        # A group that is there already is linked to, and keeps the members it has (idp-behaviour 2.5).
        self.group_ids[group.key] = found or self._create("group-create", {"group_name": group.name})
        self._rename_group(group, self._group_id(group))
        members = self.company.members(group)
        if members:
            self._change_members(group, members, [])

    def _rename_group(self, group: Group, group_id: str) -> None:
        if self.dialect == "okta-aiw":
            self._change_members(group, [], [])
        else:
            self._send("group-rename", {"id": group_id, "group_name": group.name})

    def _change_members(self, group: Group, added: Sequence[Person], removed: Sequence[Person]) -> None:
        if self.dialect == "okta-aiw":
            self.push_now(group.name)
            return
        if self._send_members(group, added, removed):
            # Okta repeats the name with every change of members (idp-behaviour 1.26).
            self._rename_group(group, self._group_id(group))

    def _find(self, name: str, values: Values) -> str | None:
        try:
            resources = self._send(name, values).resources
        except RequestFailed as error:
            # Okta takes 404 for "nobody" (idp-behaviour 1.2).
            if error.status == 404:
                return None
            raise
        return str(resources[0]["id"]) if resources else None


def values_of(person: Person) -> dict[str, str]:
    """Return what the wire files need to know of somebody."""
    return {
        "external_id": _okta_id(person.key),
        "user_name": person.user_name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "display_name": person.display_name,
        "email": person.user_name,
        "title": person.title,
        # Random to everybody but this simulator, whose runs have to be repeatable (idp-behaviour 1.41).
        "password": sha256(f"password of {person.key}".encode()).hexdigest()[:16],
    }


def _okta_id(key: str) -> str:
    return f"00u{key.replace('-', '')[:17]}"
