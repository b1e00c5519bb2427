"""
What Okta and Entra have in common: they change their own company first, then tell the server, and remember its ids.

Every method sends its requests at once and raises RequestFailed for the first that is answered with an error.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from scim_bridge.errors import RequestFailed, SimulatorError
from scim_bridge.simulator.client import Answer, Client
from scim_bridge.simulator.company import Company, Group, Person
from scim_bridge.simulator.wire import Dialect, Value, Values, render

Step = tuple[str, Callable[[], object]]


class IdentityProvider(ABC):
    """One IdP connection: ``user_ids`` and ``group_ids`` hold the server's id of each key that it knows."""

    def __init__(self, client: Client, company: Company, dialect: Dialect) -> None:
        self.client = client
        self.company = company
        self.dialect = dialect
        self.user_ids: dict[str, str] = {}
        self.group_ids: dict[str, str] = {}

    @abstractmethod
    def test_connection(self) -> None:
        """Do what the button in the administrator's pages does."""

    def initial_steps(self) -> Iterator[Step]:
        """Yield every step of the first cycle, people first: nobody is pushed into a group before they exist."""
        for person in list(self.company.people.values()):
            yield "user", partial(self._provision, person)
        for group in list(self.company.groups.values()):
            yield "group", partial(self._push, group)

    def initial_cycle(self) -> None:
        """Send everybody and every group with its members."""
        for _, step in self.initial_steps():
            step()

    def hire(self, person: Person, *group_names: str) -> None:
        """Take somebody in, with the groups they start with."""
        groups = [self.company.group(name) for name in group_names]
        self.company.employ(person)
        self._provision(person)
        for group in groups:
            self._regroup(group, added=[person], removed=[])

    def move(self, person: Person, group_from: str, group_to: str) -> None:
        """Take somebody out of one group and put them into another: two groups, so two requests."""
        self._regroup(self.company.group(group_from), added=[], removed=[person])
        self._regroup(self.company.group(group_to), added=[person], removed=[])

    def join(self, person: Person, group_name: str) -> None:
        """Put somebody into one more group."""
        self._regroup(self.company.group(group_name), added=[person], removed=[])

    def drop(self, person: Person, group_name: str) -> None:
        """Take somebody out of a group."""
        self._regroup(self.company.group(group_name), added=[], removed=[person])

    def hand_over(self, group_name: str, leaving: Person, joining: Person) -> None:
        """Let one person follow another in a group: out and in by one request."""
        self._regroup(self.company.group(group_name), added=[joining], removed=[leaving])

    def rename(self, person: Person) -> None:
        """Tell that somebody has another name; ``person`` is the new version, as of `Company.married`."""
        self.company.employ(person)
        self._rename(person, self._user_id(person))

    def rename_group(self, name: str, new_name: str) -> None:
        """Give a group another name."""
        group = self.company.rename_group(self.company.group(name), new_name)
        self._rename_group(group, self._group_id(group))

    def leave(self, person: Person) -> Answer:
        """Deactivate somebody; the answer says when the server knew."""
        self.company.see_off(person)
        return self._deactivate(person, self._user_id(person))

    def rehire(self, person: Person, *group_names: str) -> None:
        """Let somebody come back: activated as they were, or hired anew into these groups if they were deleted."""
        known = self.user_ids.get(person.key)
        if known is None:
            self.hire(person, *group_names)
            return
        self.company.employ(person)
        self._activate(person, known)
        for name in group_names:
            self._regroup(self.company.group(name), added=[person], removed=[])

    def delete_group(self, name: str) -> None:
        """Stop pushing a group and delete it at the server."""
        group = self.company.group(name)
        group_id = self._group_id(group)
        self.company.disband(group)
        self._send("group-delete", {"id": group_id})
        del self.group_ids[group.key]

    @abstractmethod
    def _provision(self, person: Person) -> None: ...

    @abstractmethod
    def _rename(self, person: Person, user_id: str) -> None: ...

    @abstractmethod
    def _deactivate(self, person: Person, user_id: str) -> Answer: ...

    @abstractmethod
    def _activate(self, person: Person, user_id: str) -> None: ...

    @abstractmethod
    def _push(self, group: Group) -> None: ...

    @abstractmethod
    def _rename_group(self, group: Group, group_id: str) -> None: ...

    @abstractmethod
    def _change_members(self, group: Group, added: Sequence[Person], removed: Sequence[Person]) -> None: ...

    def _send_members(self, group: Group, added: Sequence[Person], removed: Sequence[Person]) -> bool:
        """Send one PATCH for people out and people in, if there are any that the server knows; return if it did."""
        values: dict[str, str | list[dict[str, Value]]] = {
            "id": self._group_id(group),
            "added": self._entries(added),
            "removed": self._entries(removed),
        }
        kinds = {(True, True): "change", (True, False): "add", (False, True): "remove"}
        kind = kinds.get((bool(values["added"]), bool(values["removed"])))
        if kind is not None:
            self._send(f"group-members-{kind}", values)
        return kind is not None

    def _regroup(self, group: Group, added: Sequence[Person], removed: Sequence[Person]) -> None:
        self.company.regroup(group, added, removed)
        self._change_members(group, added, removed)

    def _send(self, name: str, values: Values | None = None) -> Answer:
        return self.client.send(render(self.dialect, name, values))

    def _create(self, name: str, values: Values) -> str:
        """Create something and return its id, without which both IdPs call the create failed (idp-behaviour 1.6)."""
        request = render(self.dialect, name, values)
        answer = self.client.send(request)
        if not answer.body.get("id"):
            raise RequestFailed(request.method, request.target, answer.status, "the answer has no id")
        return str(answer.body["id"])

    def _user_id(self, person: Person) -> str:
        if person.key not in self.user_ids:
            raise SimulatorError(f"{person.user_name} was never created at the server.")
        return self.user_ids[person.key]

    def _group_id(self, group: Group) -> str:
        if group.key not in self.group_ids:
            raise SimulatorError(f"The group {group.name} was never created at the server.")
        return self.group_ids[group.key]

    def _entries(self, people: Sequence[Person]) -> list[dict[str, Value]]:
        # Whoever could not be created is left out: an IdP has no id that it could send.
        known = [person for person in people if person.key in self.user_ids]
        return [{"value": self.user_ids[person.key], "display": person.user_name} for person in known]
