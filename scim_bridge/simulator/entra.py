"""
Entra ID: always PATCH, never PUT; the legacy dialect by default ("entra"), or RFC form with the flag ("entra-flag").

It looks everything up before it creates, and reads it again before it changes it; a group's members it never reads.
"""

from collections.abc import Sequence
from itertools import zip_longest

from scim_bridge.simulator.client import Answer, Client
from scim_bridge.simulator.company import Company, Group, Person
from scim_bridge.simulator.provider import IdentityProvider
from scim_bridge.simulator.wire import Dialect

# Nowhere documented; large enough to be a batch, and small enough for a pilot's proxy.
MEMBERS_A_REQUEST = 100
# A GUID that nobody has: "Test Connection" wants to see an empty list (idp-behaviour 1.5).
NOBODY = "5f1ab44e-93d5-4cf0-8a41-0e0f7b1d2c69"


class Entra(IdentityProvider):
    """Plays Microsoft Entra ID's provisioning service for one application."""

    def __init__(self, client: Client, company: Company, dialect: Dialect = "entra") -> None:
        super().__init__(client, company, dialect)

    def test_connection(self) -> None:
        """Look for a person and a group that cannot exist, as the button "Test Connection" does."""
        self._send("test-connection", {"random_id": NOBODY})
        self._send("test-connection-groups", {"random_id": NOBODY})

    def purge(self, person: Person) -> None:
        """Delete somebody who left, as happens about 30 days later (idp-behaviour 1.18)."""
        user_id = self._user_id(person)
        self.company.forget(person)
        self._send("user-delete", {"id": user_id})
        del self.user_ids[person.key]

    def update(self, person: Person) -> None:
        """Tell the attributes of somebody anew; ``person`` is the new version."""
        self.company.employ(person)
        self._change("user-update", person, self._user_id(person))

    def _provision(self, person: Person) -> None:
        found = self._send("user-lookup", {"user_name": person.user_name}).resources
        if not found:
            self.user_ids[person.key] = self._create("user-create", values_of(person))
        else:
            self._match(person, str(found[0]["id"]), active=found[0].get("active") is not False)
        manager = self.user_ids.get(person.manager or "")
        if manager is not None:
            self._send("user-manager-add", {"id": self.user_ids[person.key], "manager_id": manager})

    def _match(self, person: Person, user_id: str, *, active: bool) -> None:
        self.user_ids[person.key] = user_id
        values = values_of(person) | {"id": user_id}
        self._send("user-external-id", values)
        self._send("user-update", values)
        if not active:
            self._send("user-enable", values)

    def _rename(self, person: Person, user_id: str) -> None:
        self._change("user-rename", person, user_id)

    def _deactivate(self, person: Person, user_id: str) -> Answer:
        return self._change("user-disable", person, user_id)

    def _activate(self, person: Person, user_id: str) -> None:
        self._change("user-enable", person, user_id)

    def _change(self, name: str, person: Person, user_id: str) -> Answer:
        self._send("user-get", {"id": user_id})
        return self._send(name, values_of(person) | {"id": user_id})

    def _push(self, group: Group) -> None:
        found = self._send("group-lookup", {"group_name": group.name}).resources
        values = {"external_id": group.key, "group_name": group.name}
        self.group_ids[group.key] = str(found[0]["id"]) if found else self._create("group-create", values)
        self._change_members(group, self.company.members(group), [])

    def _rename_group(self, group: Group, group_id: str) -> None:
        self._send("group-get", {"id": group_id})
        self._send("group-rename", {"id": group_id, "group_name": group.name})

    def _change_members(self, group: Group, added: Sequence[Person], removed: Sequence[Person]) -> None:
        for some_in, some_out in zip_longest(_batches(added), _batches(removed), fillvalue=()):
            self._send_members(group, some_in, some_out)


def _batches(people: Sequence[Person]) -> list[Sequence[Person]]:
    return [people[start : start + MEMBERS_A_REQUEST] for start in range(0, len(people), MEMBERS_A_REQUEST)]


def values_of(person: Person) -> dict[str, str]:
    """Return what the wire files need to know of somebody."""
    return {
        "external_id": person.key,
        "user_name": person.user_name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "display_name": person.display_name,
        "email": person.user_name,
        "title": person.title,
        "phone": person.phone,
        "department": person.department,
        "employee_number": person.employee_number,
    }
